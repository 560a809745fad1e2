import { applyPolicy, DEFAULT_LEASE_MS } from "../../apply/apply.ts";
import { changeByPolicy, changeOnTrial } from "../../apply/change-against.ts";
import { isWaiting, withdraw } from "../../apply/confirm.ts";
import { confirmLineHere } from "../../apply/confirm-line.ts";
import { scopeUids } from "../../apply/operator.ts";
import { SeawallError } from "../../core/base/error.ts";
import { plain } from "../../core/base/plain.ts";
import { readLive } from "../../edge/kernel/live.ts";
import { requireNft } from "../../edge/kernel/nft.ts";
import { followKernel } from "../../apply/gate.ts";
import { type Folders, foldersOf } from "../../edge/state/folder.ts";
import { type HistoryEntry, readHistoryEntry } from "../../edge/state/history-entry.ts";
import { readHistory, readPolicyOf } from "../../edge/state/history.ts";
import { locked } from "../../edge/kernel/change-lock.ts";
import { entryOf } from "../../apply/sealed-entry.ts";
import { endedText } from "../ended.ts";
import { type Command, type CommandContext, SCHEMA } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { checkWritten } from "../policy.ts";
import { isAsApplied, putBack, putBackText } from "../put-back.ts";
import { spanText } from "../render/moment.ts";
import { nextConfirm, noSshText } from "../render/way-in.ts";

export const command: Command = {
  path: ["rollback"],
  summary: "Go back to the policy before",
  about:
    "Ends a change that waits, at once; with nothing waiting, applies the policy confirmed before, under a lease of its own. At a terminal it offers to put the policy file back, too; what stood there is kept. It never deletes a policy from the history.",
  usage: "seawall rollback [ID] [--keep-file] [--json]",
  words: { least: 0, most: 1, shown: "[ID]" },
  who: "root-changes",
  options: { "keep-file": { type: "boolean" }, json: { type: "boolean" } },
  optionHelp: {
    "keep-file": "do not ask: the policy file keeps the change that is taken back",
    json: "print the result as JSON",
  },
  exits: {
    0: "back, or waiting for its confirm",
    2: "bad usage, or that policy cannot be used any more; nothing was changed",
    3: "there is no earlier policy, or none of that number",
    5: "not root",
  },
  places: ["policy", "kernel", "history", "run", "operator"],
  examples: ["sudo seawall rollback", "sudo seawall rollback 7"],
  seeAlso: ["history", "confirm", "down"],
  run: async (context) => {
    requireNft();
    const folders = foldersOf(context.env);
    const [id] = context.positionals;
    // Nobody waits for the lock of changes while somebody thinks about a question.
    const afterwards = await locked(folders.run, () =>
      id === undefined && isWaiting(readLive()) ? endWaiting(context, folders) : goBack(context, folders, id),
    );
    return afterwards();
  },
};

/** A change waits: it ends now instead of at its deadline. */
async function endWaiting(context: CommandContext, folders: Folders): Promise<() => Promise<ExitCode>> {
  const onTrial = changeOnTrial(folders);
  const { generation, trouble, ...ended } = withdraw(folders, context.nowMs());
  await followKernel(folders.run);
  if (trouble !== null) context.err(`warning: ${trouble}\n`);
  const back = onTrial?.before == null ? undefined : readHistoryEntry(folders.state, onTrial.before);
  if (!isJson(context)) {
    context.out(backText(generation, back));
    if (onTrial !== null) context.out(`change: ${plain(onTrial.undone)}\n`);
    context.out(endedText(ended));
  }
  return async () => {
    const file = await offerFile(context, folders, back);
    if (isJson(context)) {
      const history = back?.id ?? null;
      const change = onTrial?.undone ?? null;
      context.out(`${JSON.stringify({ schema: SCHEMA, generation, history, change, ...ended, file })}\n`);
    }
    return EXIT.ok;
  };
}

function backText(generation: number | null, back: HistoryEntry | undefined): string {
  if (generation === null) return "rolled back: Seawall is off, as before\n";
  return back === undefined
    ? "rolled back: what was in force before is again\n"
    : `rolled back: history ${back.id} is in force again\n`;
}

type FileOutcome = {
  readonly path: string;
  readonly state: "same" | "kept" | "put back";
  readonly kept: readonly string[];
};

/** The file still has the change: at a terminal it is asked whether that goes too; else it stays, and that is said. */
async function offerFile(
  context: CommandContext,
  folders: Folders,
  entry: HistoryEntry | undefined,
): Promise<FileOutcome | null> {
  if (entry === undefined) {
    if (!isJson(context))
      context.err("the policy file still has the change: the next apply brings it back\n");
    return null;
  }
  const { policyPath: path, id } = entry;
  if (isAsApplied(context, entry)) return { path, state: "same", kept: [] };
  const wanted =
    context.flags["keep-file"] !== true &&
    context.ask !== undefined &&
    (await context.ask(`Put ${path} back to history ${id}, too? (what stands there is kept beside it)`));
  if (!wanted) {
    if (!isJson(context)) {
      context.err(`file: ${plain(path)} is not what is in force; the next apply brings that back\n`);
      context.err(`Next: sudo seawall history ${id} --put-back\n`);
    }
    return { path, state: "kept", kept: [] };
  }
  const done = putBack(context, folders.state, entry);
  if (!isJson(context)) context.out(plainLines(putBackText(done, id)));
  return { path, state: "put back", kept: done.kept };
}

function plainLines(text: string): string {
  return text.split("\n").map(plain).join("\n");
}

function isJson({ flags }: CommandContext): boolean {
  return flags["json"] === true;
}

/** Nothing waits: an earlier policy becomes a change of its own, under a lease like every other. */
async function goBack(
  context: CommandContext,
  folders: Folders,
  id: string | undefined,
): Promise<() => Promise<ExitCode>> {
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
  const change = changeByPolicy(folders, policy);
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
  const { generation, id: history } = result.entry;
  if (!isJson(context)) {
    const left = spanText(result.deadlineMs - context.nowMs());
    context.out(
      `on trial: history ${history}, which is history ${entry.id} again, for ${left} unless confirmed\n`,
    );
    context.out(`change: ${plain(change)}\n`);
  }
  if (!isJson(context)) context.err(nextConfirm(confirmLineHere(context.env, scopeUids(policy.scopes))));
  const file = fileOfEarlier(context, entry);
  if (isJson(context)) {
    const said = { schema: SCHEMA, generation, history, from: entry.id, change, confirmBy, file };
    context.out(`${JSON.stringify(said)}\n`);
  }
  return () => Promise.resolve(EXIT.ok);
}

/** While the earlier policy is on trial nobody is kept by a question; the file is put back once it is confirmed. */
function fileOfEarlier(context: CommandContext, entry: HistoryEntry): FileOutcome {
  const { policyPath: path, id } = entry;
  if (isAsApplied(context, entry)) return { path, state: "same", kept: [] };
  if (!isJson(context) && context.flags["keep-file"] !== true) {
    context.err(
      `file: ${plain(path)} keeps what it has; once confirmed: sudo seawall history ${id} --put-back\n`,
    );
  }
  return { path, state: "kept", kept: [] };
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
