import { applyPolicy, DEFAULT_LEASE_MS } from "../../apply/apply.ts";
import { isWaiting, withdraw } from "../../apply/confirm.ts";
import { confirmLineHere } from "../../apply/confirm-line.ts";
import { scopeUids } from "../../apply/operator.ts";
import { SeawallError } from "../../core/base/error.ts";
import { readLive } from "../../edge/kernel/live.ts";
import { requireNft } from "../../edge/kernel/nft.ts";
import { followKernel } from "../../apply/gate.ts";
import { type Folders, foldersOf } from "../../edge/state/folder.ts";
import type { HistoryEntry } from "../../edge/state/history-entry.ts";
import { readHistory, readPolicyOf } from "../../edge/state/history.ts";
import { locked } from "../../edge/kernel/change-lock.ts";
import { entryOf } from "../../apply/settle.ts";
import { endedText } from "../ended.ts";
import { type Command, type CommandContext, SCHEMA } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { checkWritten } from "../policy.ts";
import { spanText } from "../render/moment.ts";
import { nextConfirm, noSshText } from "../render/way-in.ts";

export const command: Command = {
  path: ["rollback"],
  summary: "Go back to the policy before",
  about:
    "Ends a change that waits, at once; with nothing waiting, applies the policy confirmed before, under a lease of its own. It never deletes a policy from the history.",
  usage: "seawall rollback [ID] [--json]",
  words: { least: 0, most: 1, shown: "[ID]" },
  who: "root-changes",
  options: { json: { type: "boolean" } },
  optionHelp: { json: "print the result as JSON" },
  exits: {
    0: "back, or waiting for its confirm",
    2: "bad usage, or that policy cannot be used any more; nothing was changed",
    3: "there is no earlier policy, or none of that number",
    5: "not root",
  },
  places: ["kernel", "history", "run", "operator"],
  examples: ["sudo seawall rollback", "sudo seawall rollback 7"],
  seeAlso: ["history", "confirm", "down"],
  run: async (context) => {
    requireNft();
    const folders = foldersOf(context.env);
    const [id] = context.positionals;
    return locked(folders.run, async () => {
      if (id === undefined && isWaiting(readLive())) return endWaiting(context, folders);
      return goBack(context, folders, id);
    });
  },
};

/** A change waits: it ends now instead of at its deadline. */
async function endWaiting(context: CommandContext, folders: Folders): Promise<ExitCode> {
  const { generation, ended, trouble } = withdraw(folders, context.nowMs());
  await followKernel(folders.run);
  if (trouble !== null) context.err(`warning: ${trouble}\n`);
  if (context.flags["json"] === true) {
    context.out(`${JSON.stringify({ schema: SCHEMA, generation, ended })}\n`);
  } else {
    context.out(
      generation === null
        ? "rolled back: Seawall is off, as before\n"
        : `rolled back to generation ${generation}\n`,
    );
    if (ended > 0) context.out(endedText(ended));
  }
  return EXIT.ok;
}

/** Nothing waits: an earlier policy becomes a change of its own, under a lease like every other. */
async function goBack(context: CommandContext, folders: Folders, id: string | undefined): Promise<ExitCode> {
  const entry = earlier(folders.state, id);
  const { text, dropIns } = readPolicyOf(folders.state, entry);
  const path = entry.policyPath;
  const { policy, document } = checkWritten({ path, text, dropIns }, context.nowMs());
  if (policy === null || document === null) {
    throw new SeawallError("SEAWALL_POLICY", `policy ${entry.id} of the history cannot be used any more`, {
      still: "nothing was changed",
      help: "seawall history",
    });
  }
  const result = await applyPolicy({
    policy,
    document,
    text,
    dropIns,
    path,
    folders,
    leaseMs: DEFAULT_LEASE_MS,
    acceptLosingSsh: false,
    by: context.env["SUDO_USER"] ?? "root",
    how: "rollback",
    from: entry.id,
    nowMs: context.nowMs,
  });
  if (!result.ok) throw new SeawallError("SEAWALL_POLICY", "the kernel cannot be given this policy");
  if (result.noSsh !== null) context.err(noSshText(result.noSsh));
  const confirmBy = new Date(result.deadlineMs).toISOString();
  const { generation } = result.entry;
  if (context.flags["json"] === true) {
    context.out(`${JSON.stringify({ schema: SCHEMA, generation, from: entry.id, confirmBy })}\n`);
    return EXIT.ok;
  }
  context.out(
    `policy ${entry.id} is in force again as generation ${generation}, ${spanText(DEFAULT_LEASE_MS)} left unless confirmed\n`,
  );
  context.err(nextConfirm(confirmLineHere(context.env, scopeUids(policy.scopes))));
  return EXIT.ok;
}

/** The entry named, or the last confirmed one that is not in force now. */
function earlier(state: string, id: string | undefined): HistoryEntry {
  const history = readHistory(state);
  const live = readLive();
  const current = live === null || live.committed === null ? undefined : entryOf(state, live, live.committed);
  const before = current?.id ?? Number.POSITIVE_INFINITY;
  const found =
    id === undefined
      ? history
          .filter(
            ({ confirmedMs, id: one, kind }) => confirmedMs !== null && one < before && kind === undefined,
          )
          .at(-1)
      : history.find((entry) => String(entry.id) === id);
  if (found !== undefined) return found;
  const what = id === undefined ? "there is no earlier confirmed policy" : `history has no policy \`${id}\``;
  throw new SeawallError("SEAWALL_NOT_FOUND", what, {
    still: "nothing was changed",
    help: "seawall history (then: seawall rollback ID)",
  });
}
