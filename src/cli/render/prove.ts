/** What a proof found, as a person reads it: what is not held first in mind, evidence beside every row. */
import type { Probed } from "../../prove/probe.ts";
import type { Proof } from "../../prove/prove.ts";
import type { ProofRow, RowStatus } from "../../prove/row.ts";
import { plain } from "../../core/base/plain.ts";

const MARKS: Readonly<Record<RowStatus, string>> = {
  held: "HELD",
  "not-held": "NOT HELD",
  "not-possible": "not possible here",
};
const MARK_CHARS = "not possible here".length;

/**
 * Returns the whole screen: one line a row, and more only where the policy promised what is not held. `verbose`: each
 * row with its evidence. SECURITY: evidence holds words of others.
 */
export function proofScreen(proof: Proof, color: boolean, verbose: boolean): string {
  const { rows, summary, mode } = proof;
  const scopes = [...new Set(rows.map(({ scope }) => scope))];
  const lines = scopes.flatMap((scope) => [
    `scope ${scope}, tried from its own place:`,
    "",
    ...rows.filter((row) => row.scope === scope).flatMap((row) => rowLines(row, color, verbose)),
    "",
  ]);
  const modeLine =
    mode === "observe"
      ? ["OBSERVING  outbound is only watched (guards are enforced); each row says what enforce would do"]
      : [];
  const pending = proof.isPending ? ["PENDING    this policy waits for its confirm"] : [];
  return `${[...modeLine, ...pending, ...lines, summaryLine(summary), ...onceEnforced(proof), ...nextLine(proof)].join("\n")}\n`;
}

function rowLines(
  { status, title, evidence, cure, would, limit, promised }: ProofRow,
  color: boolean,
  verbose: boolean,
): string[] {
  const isBroken = status === "not-held" && promised && !limit;
  const mark = paint(status, promised && !limit, MARKS[status].padEnd(MARK_CHARS), color);
  const indent = " ".repeat(MARK_CHARS + 2);
  if (!verbose && !isBroken) return [`${mark}  ${plain(title)}`];
  return [
    `${mark}  ${plain(title)}`,
    `${indent}${plain(evidence)}`,
    ...(would === null ? [] : [`${indent}enforce: ${plain(would)}`]),
    ...(cure === null ? [] : [`${indent}held by: ${plain(cure)}`]),
  ];
}

function paint(status: RowStatus, isPromised: boolean, text: string, color: boolean): string {
  if (!color) return text;
  const code = status === "held" ? "32" : status === "not-held" ? (isPromised ? "31;1" : "33") : "2";
  return `\u001b[${code}m${text}\u001b[0m`;
}

function summaryLine({ held, notHeld, notPossible, broken, seconds }: Proof["summary"]): string {
  const known = notHeld - broken;
  const rest = known === 0 ? "" : ` (${known} of them by the policy's own words, or known limits)`;
  return `${held} held, ${notHeld} not held${rest}, ${notPossible} not possible here; ${seconds} s`;
}

/** While outbound is only watched: how much of what is open is so for that reason alone. */
function onceEnforced({ mode, rows, summary }: Proof): string[] {
  if (mode !== "observe") return [];
  const becomes = rows.filter(({ status, would }) => status === "not-held" && would !== null).length;
  return [`${becomes} of ${summary.notHeld} not held become HELD once outbound is enforced`];
}

function nextLine({ rows }: Proof): string[] {
  const open = rows.find(({ status, promised, limit }) => status === "not-held" && promised && !limit);
  return open?.cure == null ? [] : [`Next: ${plain(open.cure)}`];
}

/** Returns one attempt in a few lines. */
export function probeScreen(probed: Probed): string {
  const { target, scope, resolved, verdict, by, id, evidence, ms, observed } = probed;
  const who = by === null ? "" : ` by the ${by}`;
  return [
    `${verdict.toUpperCase()}${who}${observed ? ", only watched" : ""}: ${plain(target)} from \`${scope}\` in ${ms} ms`,
    ...(resolved.length === 0 ? [] : [`resolved  ${resolved.map(plain).join(", ")}`]),
    `saw       ${plain(evidence)}`,
    ...reasonLines(probed),
    ...(id === null ? [] : [`Next: seawall explain ${id}`]),
    "",
  ].join("\n");
}

function reasonLines({ reason, rule, observed }: Probed): string[] {
  if (reason === null) return [];
  const words = rule === null ? reason : `${reason} (${rule})`;
  return [observed ? `enforce   would refuse it: ${words}` : `reason    ${words}`];
}
