/** The history for people: one line a change, and the difference of one to the one before. */
import { lineDifference } from "../../core/base/line-difference.ts";
import { plain } from "../../core/base/plain.ts";
import type { HistoryEntry } from "../../edge/state/history-entry.ts";
import type { PolicyTexts } from "../../edge/state/history.ts";
import type { HistoryKind } from "../history-change.ts";
import { momentText } from "./moment.ts";

export interface HistoryLine {
  readonly entry: HistoryEntry;
  readonly kind: HistoryKind;
  readonly change: string;
  /** Null where it is or was in force. */
  readonly end: string | null;
  readonly inForce: boolean;
}

/** LIMIT: columns of the screen; what does not fit is cut, and `history N` has all of it. */
const COLUMNS_MAX = 80;
const WHO_MAX = 10;

/** Returns the table, oldest first, with a heading. */
export function historyTable(lines: readonly HistoryLine[], nowMs: number): string {
  const head = ["  ", "N", "WHEN", "WHO", "KIND", "IN/OUT", "CHANGE"];
  const rows = [head, ...lines.map((line) => cellsOf(line, nowMs))];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => {
      const cells = row.map((cell, column) =>
        column === 1 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      );
      return `${cut([`${cells[0]}${cells[1]}`, ...cells.slice(2)].join("  ").trimEnd(), COLUMNS_MAX)}\n`;
    })
    .join("");
}

function cellsOf({ entry, kind, change, end, inForce }: HistoryLine, nowMs: number): string[] {
  return [
    inForce ? "> " : "  ",
    String(entry.id),
    momentText(entry.proposedMs, nowMs),
    cut(plain(entry.by), WHO_MAX),
    kind,
    `${short(entry.mode.inbound)}/${short(entry.mode.outbound)}`,
    plain(end === null ? change : `${end.toUpperCase()}: ${change}`),
  ];
}

function short(mode: string): string {
  return mode === "enforce" ? "enf" : "obs";
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 3)}...`;
}

/** Returns what one change was, and its difference to the one before. */
export function historyEntryText(
  { entry, kind, change, end, inForce }: HistoryLine,
  before: HistoryEntry | undefined,
  difference: readonly string[] | null,
  nowMs: number,
): string {
  const { id, by, proposedMs, confirmedMs, policyPath, mode, undone } = entry;
  const fate =
    confirmedMs !== null
      ? `confirmed ${momentText(confirmedMs, nowMs)}`
      : undone === undefined
        ? (end ?? "it ended by itself")
        : `${end ?? "ended"} ${momentText(undone.atMs, nowMs)}`;
  const kindWords = kind === "unknown" ? "not known: it is of a version that did not write it down" : kind;
  const lines = [
    `history ${id}${inForce ? ", in force" : ""}`,
    `when    ${momentText(proposedMs, nowMs)} by ${plain(by)}; ${fate}`,
    `kind    ${kindWords}`,
    `mode    inbound ${plain(mode.inbound)}, outbound ${plain(mode.outbound)}`,
    `file    ${plain(policyPath)}`,
    `change  ${plain(change)}`,
    "",
    ...differenceLines(before, difference),
  ];
  return `${lines.join("\n")}\n`;
}

function differenceLines(before: HistoryEntry | undefined, difference: readonly string[] | null): string[] {
  const base = before === undefined ? "nothing: no earlier one is kept" : `history ${before.id}`;
  if (difference === null) return ["the text of it, or of the one before, is not kept whole"];
  if (difference.length === 0) return [`its text is that of ${base}`];
  return [`difference to ${base}:`, ...difference.map(plain)];
}

/** Returns the lines in which two policies differ, file by file. */
export function textDifference(before: PolicyTexts, after: PolicyTexts): string[] {
  const files = (texts: PolicyTexts): ReadonlyMap<string, string> =>
    new Map([["policy.yaml", texts.text], ...texts.dropIns.map(({ file, text }) => [file, text] as const)]);
  const [old, now] = [files(before), files(after)];
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((name) => {
    const lines = lineDifference(old.get(name) ?? "", now.get(name) ?? "");
    if (lines.length === 0) return [];
    const note = !old.has(name) ? " (new)" : !now.has(name) ? " (gone)" : "";
    return [`--- ${name}${note}`, ...lines];
  });
}
