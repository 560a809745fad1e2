import { foldersOf } from "../../edge/state/folder.ts";
import { readHistory } from "../../edge/state/history.ts";
import { type Command, NO_WORDS, SCHEMA } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { plain } from "../../core/base/plain.ts";

export const command: Command = {
  path: ["history"],
  summary: "List the policies that were applied",
  about:
    "Lists the policies that were proposed, oldest first, and whether they were confirmed. It changes nothing, and says nothing of what is in force now: that is `seawall status`.",
  usage: "seawall history [--json]",
  words: NO_WORDS,
  who: "root-files",
  options: { json: { type: "boolean" } },
  optionHelp: { json: "print the entries as JSON" },
  exits: { 0: "listed", 2: "bad usage", 5: "not root" },
  places: ["history"],
  examples: ["sudo seawall history", "sudo seawall history --json"],
  seeAlso: ["rollback", "status"],
  run: async (context) => {
    const entries = readHistory(foldersOf(context.env).state);
    if (context.flags["json"] === true) {
      const shown = entries.map((entry) => ({ ...entry, objects: entry.objects.length }));
      context.out(`${JSON.stringify({ schema: SCHEMA, entries: shown })}\n`);
      return EXIT.ok;
    }
    if (entries.length === 0) context.err("no policy was applied yet\n");
    for (const entry of entries) {
      const end = entry.confirmedMs === null ? "not confirmed" : `confirmed ${when(entry.confirmedMs)}`;
      context.out(
        `${String(entry.id).padStart(4)}  ${when(entry.proposedMs)}  ${end.padEnd(30)}  ${plain(entry.by)}  ${plain(entry.policyPath)}\n`,
      );
    }
    return EXIT.ok;
  },
};

function when(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}
