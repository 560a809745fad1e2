import { type AuditRecord, type Change, differenceOf } from "../../../core/audit/difference.ts";
import { SeawallError } from "../../../core/base/error.ts";
import { readRecord, recordNames } from "../../../edge/probe/audit-store.ts";
import { foldersOf } from "../../../edge/state/folder.ts";
import { type Command, SCHEMA } from "../../command.ts";
import { EXIT } from "../../exit-code.ts";
import { plain } from "../../../core/base/plain.ts";

export const command: Command = {
  path: ["audit", "diff"],
  summary: "Show what changed between two audits",
  about:
    "Compares two audits that were kept, the last two unless you name others. It looks at records only, never at the server itself.",
  usage: "seawall audit diff [OLDER [NEWER]] [--json]",
  words: { least: 0, most: 2, shown: "[OLDER [NEWER]]" },
  who: "root-files",
  options: { json: { type: "boolean" } },
  optionHelp: { json: "print the changes as JSON" },
  exits: {
    0: "nothing got worse",
    1: "something got worse",
    2: "bad usage",
    3: "there are not two audits, or none of that name",
    5: "not root",
  },
  places: ["audits"],
  examples: ["seawall audit diff", "seawall audit diff 20261101T080000.000Z --json"],
  seeAlso: ["audit", "audit history"],
  run: async (context) => {
    const { state } = foldersOf(context.env);
    const names = recordNames(state);
    const [olderName, newerName] = context.positionals;
    const newer = chosen(state, names, newerName, names.at(-1));
    const older = chosen(state, names, olderName, names.at(-2));
    const changes = differenceOf(older, newer);
    if (context.flags["json"] === true)
      context.out(
        `${JSON.stringify({ schema: SCHEMA, from: older.taken, to: newer.taken, score: { from: older.score, to: newer.score }, changes })}\n`,
      );
    else context.out(screen(older, newer, changes));
    return changes.some(({ kind }) => kind === "worse") ? EXIT.findings : EXIT.ok;
  },
};

function chosen(
  state: string,
  names: readonly string[],
  wanted: string | undefined,
  otherwise: string | undefined,
): AuditRecord {
  const name = wanted === undefined ? otherwise : names.find((one) => one.startsWith(wanted));
  const record = name === undefined ? undefined : readRecord(state, name);
  if (record !== undefined) return record;
  const message =
    wanted === undefined ? "two audits are needed, and fewer were kept" : `no audit \`${wanted}\` was kept`;
  throw new SeawallError("SEAWALL_NOT_FOUND", message, {
    help: wanted === undefined ? "seawall audit" : "seawall audit history",
  });
}

function screen(older: AuditRecord, newer: AuditRecord, changes: readonly Change[]): string {
  const head = `${older.taken} -> ${newer.taken}, score ${older.score ?? "-"} -> ${newer.score ?? "-"}`;
  if (changes.length === 0) return `${head}\nnothing changed\n`;
  const lines = changes.map(
    ({ kind, id, severity, from, to, title, evidence }) =>
      `${kind.padEnd(6)} ${id.padEnd(8)} ${severity.padEnd(8)} ${from} -> ${to}  ${title}\n       ${plain(evidence[0] ?? "")}`,
  );
  return `${[head, ...lines].join("\n")}\n`;
}
