import { readRecord, recordNames } from "../../../edge/probe/audit-store.ts";
import { foldersOf } from "../../../edge/state/folder.ts";
import { type Command, NO_WORDS, SCHEMA } from "../../command.ts";
import { EXIT } from "../../exit-code.ts";

export const command: Command = {
  path: ["audit", "history"],
  summary: "List the audits that were kept",
  about:
    "Lists the audits that were kept, oldest first, with their scores. It changes nothing and never looks at the server itself.",
  usage: "seawall audit history [--json]",
  words: NO_WORDS,
  who: "root-files",
  options: { json: { type: "boolean" } },
  optionHelp: { json: "print them as JSON" },
  exits: { 0: "listed, also when none was kept", 2: "bad usage", 5: "not root" },
  places: ["audits"],
  examples: ["seawall audit history", "seawall audit history --json"],
  seeAlso: ["audit diff", "audit"],
  run: async (context) => {
    const { state } = foldersOf(context.env);
    const audits = recordNames(state).flatMap((name) => {
      const record = readRecord(state, name);
      if (record === undefined) return [];
      const count = (status: string): number =>
        record.findings.filter((finding) => finding.status === status).length;
      return [
        {
          id: name.replace(/\.json$/, ""),
          taken: record.taken,
          score: record.score,
          fail: count("fail"),
          unknown: count("unknown"),
          pass: count("pass"),
        },
      ];
    });
    if (context.flags["json"] === true) context.out(`${JSON.stringify({ schema: SCHEMA, audits })}\n`);
    else if (audits.length === 0) context.err("no audit was kept yet: seawall audit (as root) keeps each\n");
    else
      for (const { id, score, fail, unknown, pass } of audits)
        context.out(
          `${id}  score ${String(score ?? "-").padStart(3)}  ${fail} fail, ${unknown} unknown, ${pass} pass\n`,
        );
    return EXIT.ok;
  },
};
