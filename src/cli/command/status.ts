import type { NoSsh } from "../../apply/no-ssh.ts";
import type { Shown } from "../../apply/not-shown.ts";
import { readStatus, type Status } from "../../apply/status.ts";
import { readLive } from "../../edge/kernel/live.ts";
import { type Folders, foldersOf } from "../../edge/state/folder.ts";
import { readHistoryEntry } from "../../edge/state/history-entry.ts";
import type { WouldRefuse } from "../../edge/store/would-refuse.ts";
import { type Command, type CommandContext, NO_WORDS, SCHEMA } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import type { FileAndForce } from "../file-and-force.ts";
import { isUntouched } from "../untouched.ts";
import { shownRecord, shownText } from "../render/not-shown.ts";
import { fileLines } from "../render/status/file.ts";
import { statusScreen } from "../render/status/screen.ts";
import { watchedLines } from "../render/status/watched.ts";
import { noSshLines } from "../render/way-in.ts";

export const command: Command = {
  path: ["status"],
  summary: "Show what is in force",
  about:
    "Asks the kernel what is in force and says whether the agent is contained. It changes nothing, and never takes a file's word for what the kernel holds.",
  usage: "seawall status [--json]",
  words: NO_WORDS,
  who: "root-sees",
  options: { json: { type: "boolean" } },
  optionHelp: { json: "print the status as JSON" },
  exits: {
    0: "shown, whatever the state is",
    2: "bad usage, or the kernel could not be asked",
    5: "not root",
  },
  places: ["kernel", "history", "run"],
  examples: ["sudo seawall status", "sudo seawall status --json"],
  seeAlso: ["flows", "apply", "history"],
  run: async (context) => {
    const folders = foldersOf(context.env);
    const nowMs = context.nowMs();
    const status = await looked(folders, readStatus(folders, nowMs), nowMs);
    const watched = await watchedOf(folders, status, nowMs);
    const files = await filesOf(context, folders, status);
    const noSsh = await noSshOf(folders, status, nowMs);
    const shown = await shownOf(folders, status);
    if (context.flags["json"] === true) {
      const more = { noSsh, wouldRefuse: watched, files, log: shownRecord(shown) };
      context.out(`${JSON.stringify({ schema: SCHEMA, ...status, ...more })}\n`);
    } else {
      const lines = { watched: watchedLines(watched), file: fileLines(status, files) };
      const confirm = await confirmOf(context, folders, status);
      const ssh = noSsh === null ? [] : noSshLines(noSsh);
      context.out(`${statusScreen(status, { ...lines, ssh, confirm })}${shownText(shown)}`);
    }
    return EXIT.ok;
  },
};

// What follows is loaded only where it is needed: most prompts ask for none of it.

async function looked(folders: Folders, status: Status, nowMs: number): Promise<Status> {
  const { generation, containmentSeen, outbound } = status;
  if (generation === null || outbound === "not-judged") return status;
  if (containmentSeen !== null && !containmentSeen.stale) return status;
  return (await import("../../apply/look.ts")).withFreshLook(folders, status, nowMs);
}

/** What the log does not show; the database takes longer than all else that is asked. */
async function shownOf({ state }: Folders, { generation }: Status): Promise<Shown> {
  if (generation === null) return { lines: [], overShare: [] };
  return (await import("../../apply/not-shown.ts")).readShown(state);
}

async function noSshOf(folders: Folders, { generation }: Status, nowMs: number): Promise<NoSsh | null> {
  return generation === null ? null : (await import("../../apply/no-ssh.ts")).noSshNow(folders, nowMs);
}

/** The line that confirms what waits, ready to paste. */
async function confirmOf(
  { env }: CommandContext,
  folders: Folders,
  { confirmBy }: Status,
): Promise<string | null> {
  if (confirmBy === null) return null;
  const { confirmLineHere } = await import("../../apply/confirm-line.ts");
  const { scopeUidsOf } = await import("../../apply/operator.ts");
  return confirmLineHere(env, scopeUidsOf(folders.state, readLive()));
}

async function watchedOf(folders: Folders, status: Status, nowMs: number): Promise<WouldRefuse | null> {
  if (status.outbound !== "observed") return null;
  return (await import("../watched.ts")).wouldRefuse(folders.state, nowMs);
}

async function filesOf(context: CommandContext, folders: Folders, status: Status): Promise<FileAndForce[]> {
  const { policy, generation } = status;
  if (generation === null) return [];
  const installed = `${folders.config}/policy.yaml`;
  const entry = readHistoryEntry(folders.state, policy?.id);
  if (entry?.policyPath === installed && isUntouched(entry, installed, folders.config)) {
    return [{ path: installed, isInstalled: true, state: "same", changes: 0, summary: null }];
  }
  const { filesBeside } = await import("../file-and-force.ts");
  const { readInForce } = await import("../../apply/in-force.ts");
  return filesBeside(context, policy, () => readInForce(folders));
}
