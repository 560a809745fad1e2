import { setTimeout as sleep } from "node:timers/promises";
import {
  type ApplyRequest,
  applyPolicy,
  DEFAULT_LEASE_MS,
  examinePolicy,
  parseLease,
} from "../../apply/apply.ts";
import { changeByPolicy } from "../../apply/change-against.ts";
import { confirmLineHere } from "../../apply/confirm-line.ts";
import { noSshUnder } from "../../apply/no-ssh.ts";
import { scopeUids } from "../../apply/operator.ts";
import { type Diagnostic, hasError } from "../../core/base/diagnostic.ts";
import { plain } from "../../core/base/plain.ts";
import { SeawallError } from "../../core/base/error.ts";
import type { ResolvedPolicy } from "../../core/policy/resolved.ts";
import { readLive } from "../../edge/kernel/live.ts";
import { type Folders, foldersOf } from "../../edge/state/folder.ts";
import type { HistoryEntry } from "../../edge/state/history-entry.ts";
import { type Command, type CommandContext, SCHEMA } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type LoadedPolicy, loadPolicy } from "../policy.ts";
import { renderDiagnostics } from "../render/diagnostic.ts";
import { spanText } from "../render/moment.ts";
import { nextConfirm, noSshText } from "../render/way-in.ts";

/** How often `--wait` asks the kernel. */
const WAIT_STEP_MS = 200;

export const command: Command = {
  path: ["apply"],
  summary: "Enforce a policy, with a way back",
  about:
    "Loads a policy into the kernel under a lease: unless `seawall confirm` comes over a new connection in time, the kernel goes back by itself. It never touches another program's rules, and never cuts your SSH unless you accept that by name.",
  usage:
    "seawall apply [FILE] [--confirm-within 60s] [--wait] [--accept-risk=lose-ssh] [--dry-run] [--json] [--yes]",
  words: { least: 0, most: 1, shown: "[FILE]" },
  who: "root-changes",
  options: {
    "confirm-within": { type: "string" },
    wait: { type: "boolean" },
    "accept-risk": { type: "string" },
    "dry-run": { type: "boolean" },
    json: { type: "boolean" },
    yes: { type: "boolean" },
  },
  optionHelp: {
    "confirm-within":
      "how long the change waits for `seawall confirm` before the kernel goes back (5s to 1h)",
    wait: "wait until it is confirmed (0) or rolled back (6)",
    "accept-risk": "lose-ssh: apply although a present SSH connection would be cut",
    "dry-run": "check everything, change nothing",
    json: "print the result as JSON",
    yes: "ask nothing (it never confirms)",
  },
  exits: {
    0: "in force until its deadline, or confirmed with --wait",
    2: "bad usage or policy, or refused; nothing was changed",
    3: "the file is not there",
    5: "not root",
    6: "with --wait: nobody confirmed, so the kernel went back",
  },
  places: ["policy", "kernel", "history", "run", "accounts", "operator"],
  examples: ["sudo seawall apply", "sudo seawall apply policy.yaml --confirm-within 5m --wait"],
  seeAlso: ["confirm", "rollback", "policy check", "status"],
  offers: {
    "confirm-within": { kind: "word", words: ["60s", "5m", "15m", "1h"] },
    "accept-risk": { kind: "word", words: ["lose-ssh"] },
  },
  argument: { kind: "file" },
  run: async (context) => {
    const leaseMs = leaseOf(context);
    const loaded = loadPolicy(context, context.positionals[0]);
    const folders = foldersOf(context.env);
    const request: ApplyRequest = {
      ...loaded,
      folders,
      leaseMs,
      acceptLosingSsh: acceptsLosingSsh(context),
      by: context.env["SUDO_USER"] ?? context.env["LOGNAME"] ?? "root",
      how: "apply",
      nowMs: context.nowMs,
    };
    if (context.flags["dry-run"] === true) {
      refuseInexpressible(context, loaded, await examinePolicy(request));
      context.out(`change: ${plain(changeByPolicy(folders, loaded.policy))}\n`);
      const noSsh = noSshUnder(loaded.policy, context.nowMs());
      if (noSsh !== null) context.err(noSshText(noSsh));
      context.err("dry run: this policy would be applied; nothing was changed\n");
      return EXIT.ok;
    }
    const { locked } = await import("../../edge/kernel/change-lock.ts");
    const { result, change } = await locked(folders.run, async () => {
      const words = changeByPolicy(folders, loaded.policy);
      return { result: await applyPolicy(request), change: words };
    });
    if (!result.ok) return refuseInexpressible(context, loaded, result.diagnostics);
    if (result.trouble !== null) context.err(`warning: ${result.trouble}\n`);
    const confirmBy = new Date(result.deadlineMs).toISOString();
    if (result.noSsh !== null) context.err(noSshText(result.noSsh));
    say(context, result.entry, { change, confirmBy, leaseMs, policy: loaded.policy });
    return context.flags["wait"] === true ? waitForEnd(context, folders, result.entry.generation) : EXIT.ok;
  },
};

/** Refuses when there is an error among what the compiler said. */
function refuseInexpressible(
  context: CommandContext,
  { text, path }: LoadedPolicy,
  diagnostics: readonly Diagnostic[],
): ExitCode {
  if (!hasError(diagnostics)) return EXIT.ok;
  context.err(renderDiagnostics(diagnostics, text, path, false));
  throw new SeawallError("SEAWALL_POLICY", "the kernel cannot be given this policy", {
    still: "nothing was changed",
  });
}

function leaseOf(context: CommandContext): number {
  const text = context.flags["confirm-within"];
  const leaseMs = typeof text === "string" ? parseLease(text) : DEFAULT_LEASE_MS;
  if (leaseMs !== undefined) return leaseMs;
  throw new SeawallError("SEAWALL_USAGE", `--confirm-within is a time from 5s to 1h, not \`${text}\``, {
    help: "seawall apply FILE --confirm-within 60s",
  });
}

function acceptsLosingSsh({ flags }: CommandContext): boolean {
  const risk = flags["accept-risk"];
  if (risk === undefined || risk === "lose-ssh") return risk === "lose-ssh";
  throw new SeawallError("SEAWALL_USAGE", `there is no risk \`${risk}\` to accept here`, {
    help: "--accept-risk=lose-ssh",
  });
}

interface Trial {
  readonly change: string;
  readonly confirmBy: string;
  readonly leaseMs: number;
  readonly policy: ResolvedPolicy;
}

function say(
  context: CommandContext,
  entry: HistoryEntry,
  { change, confirmBy, leaseMs, policy: { scopes } }: Trial,
): void {
  const { generation, id: history } = entry;
  if (context.flags["json"] === true) {
    const said = { schema: SCHEMA, state: "pending", generation, history, change, confirmBy };
    context.out(`${JSON.stringify(said)}\n`);
    return;
  }
  context.out(`on trial: history ${history}, for ${spanText(leaseMs)} unless confirmed\n`);
  context.out(`change: ${plain(change)}\n`);
  context.err("the way back needs no daemon: the kernel goes by itself\n");
  context.err(nextConfirm(confirmLineHere(context.env, scopeUids(scopes))));
}

/** 0 once the generation is committed, 6 once the kernel went back. */
async function waitForEnd(context: CommandContext, folders: Folders, generation: number): Promise<ExitCode> {
  while (!context.signal.aborted) {
    const live = readLive();
    if (live?.committed === generation) {
      context.out("confirmed\n");
      return EXIT.ok;
    }
    if (live === null || live.candidate !== generation || live.leaseMs === null) {
      const { settleOver } = await import("../../apply/settle.ts");
      const { locked } = await import("../../edge/kernel/change-lock.ts");
      await locked(folders.run, () => settleOver(folders, readLive()));
      throw new SeawallError(
        "SEAWALL_ROLLED_BACK",
        "nobody confirmed in time, so the change was rolled back",
        {
          still:
            live?.committed == null ? "Seawall is off, as before" : "the policy before it is in force again",
          help: "seawall apply FILE",
        },
      );
    }
    await sleep(Math.min(WAIT_STEP_MS, live.leaseMs), undefined, { signal: context.signal }).catch(
      () => undefined,
    );
  }
  context.err("stopped waiting; the change still waits for its confirm\n");
  return EXIT.unusable;
}
