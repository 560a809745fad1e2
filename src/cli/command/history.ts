import { readInForce } from "../../apply/in-force.ts";
import { SeawallError } from "../../core/base/error.ts";
import { plain } from "../../core/base/plain.ts";
import { foldersOf } from "../../edge/state/folder.ts";
import type { HistoryEntry } from "../../edge/state/history-entry.ts";
import { type PolicyTexts, readHistory, readPolicyOf } from "../../edge/state/history.ts";
import { type Command, type CommandContext, SCHEMA } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { changeOfEntry, endOf, entryBefore, kindOf } from "../history-change.ts";
import { putBack, putBackText } from "../put-back.ts";
import { historyEntryText, type HistoryLine, historyTable, textDifference } from "../render/history.ts";

export const command: Command = {
  path: ["history"],
  summary: "List the changes, or show one",
  about:
    "Lists every change, oldest first: when, who, what kind, what it changed, and which is in force (>). With a number it shows that change and its difference to the one before. It changes nothing in force; --put-back writes the policy file alone.",
  usage: ["seawall history [--json]", "seawall history N [--put-back] [--json]"].join("\n"),
  words: { least: 0, most: 1, shown: "[N]" },
  who: "root-files",
  options: { json: { type: "boolean" }, "put-back": { type: "boolean" } },
  optionHelp: {
    json: "print the entries, or the one, as JSON",
    "put-back": "write the policy of N back into its file; what stands there is kept beside it",
  },
  exits: { 0: "shown", 2: "bad usage", 3: "there is no change of that number", 5: "not root" },
  places: ["history", "kernel", "policy"],
  examples: ["sudo seawall history", "sudo seawall history 3", "sudo seawall history 3 --put-back"],
  seeAlso: ["rollback", "status"],
  run: async (context) => {
    const { state } = foldersOf(context.env);
    const entries = readHistory(state);
    const [wanted] = context.positionals;
    if (wanted !== undefined) return showOne(context, state, entries, wanted);
    if (context.flags["put-back"] === true) throw usage("say which change: seawall history N --put-back");
    const inForce = idInForce(context);
    const lines = entries.map((entry) => lineOf(state, entries, entry, inForce));
    if (context.flags["json"] === true) {
      context.out(`${JSON.stringify({ schema: SCHEMA, entries: lines.map(recordOf) })}\n`);
      return EXIT.ok;
    }
    if (lines.length === 0) context.err("no policy was applied yet\n");
    else context.out(historyTable(lines, context.nowMs()));
    return EXIT.ok;
  },
};

function showOne(
  context: CommandContext,
  state: string,
  entries: readonly HistoryEntry[],
  wanted: string,
): ExitCode {
  const entry = entries.find(({ id }) => String(id) === wanted);
  if (entry === undefined) {
    throw new SeawallError("SEAWALL_NOT_FOUND", `the history has no change \`${plain(wanted)}\``, {
      help: "sudo seawall history",
    });
  }
  if (context.flags["put-back"] === true) {
    const done = putBack(context, state, entry);
    if (context.flags["json"] === true) context.out(`${JSON.stringify({ schema: SCHEMA, ...done })}\n`);
    else {
      for (const line of putBackText(done, entry.id).trimEnd().split("\n")) context.out(`${plain(line)}\n`);
      context.err("nothing in force was changed; Next: sudo seawall apply --dry-run\n");
    }
    return EXIT.ok;
  }
  const line = lineOf(state, entries, entry, idInForce(context));
  const before = entryBefore(entries, entry);
  const difference = differenceOf(state, before, entry);
  if (context.flags["json"] === true) {
    const shown = { entry: recordOf(line), before: before?.id ?? null, difference };
    context.out(`${JSON.stringify({ schema: SCHEMA, ...shown })}\n`);
  } else context.out(historyEntryText(line, before, difference, context.nowMs()));
  return EXIT.ok;
}

function lineOf(
  state: string,
  entries: readonly HistoryEntry[],
  entry: HistoryEntry,
  inForce: number | null,
): HistoryLine {
  const change = changeOfEntry(state, entry, entryBefore(entries, entry));
  const isInForce = entry.id === inForce;
  // What judges at this moment has not ended, confirmed or not.
  const end = isInForce
    ? entry.confirmedMs === null && entry.kind !== "pause"
      ? "on trial"
      : null
    : endOf(entry);
  return { entry, kind: kindOf(entry), change, end, inForce: isInForce };
}

function recordOf({ entry, kind, change, inForce }: HistoryLine): object {
  return { ...entry, objects: entry.objects.length, kind, change, inForce };
}

/** Null where nothing of the history judges, or where the kernel cannot be asked: the list is shown all the same. */
function idInForce(context: CommandContext): number | null {
  try {
    const inForce = readInForce(foldersOf(context.env));
    return inForce.kind === "judging" ? inForce.history : null;
  } catch (cause) {
    if (!(cause instanceof SeawallError)) throw cause;
    return null;
  }
}

function differenceOf(
  state: string,
  before: HistoryEntry | undefined,
  entry: HistoryEntry,
): readonly string[] | null {
  const [old, now] = [before === undefined ? NOTHING : textsOf(state, before), textsOf(state, entry)];
  return old === null || now === null ? null : textDifference(old, now);
}

const NOTHING: PolicyTexts = { text: "", dropIns: [] };

function textsOf(state: string, entry: HistoryEntry): PolicyTexts | null {
  try {
    return readPolicyOf(state, entry);
  } catch (cause) {
    if (!(cause instanceof SeawallError)) throw cause;
    return null;
  }
}

function usage(message: string): SeawallError {
  return new SeawallError("SEAWALL_USAGE", message, {
    still: "nothing was written",
    help: "seawall history --help",
  });
}
