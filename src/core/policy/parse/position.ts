import type { Span } from "../../base/diagnostic.ts";
import { MAIN_FILE } from "./vocabulary.ts";

/** Where the lines of a text begin and end. */
export interface LineTable {
  /** Offset of the first character of each line. */
  readonly starts: readonly number[];
  readonly text: string;
  /** The drop-in that the text is of; null for the main file. */
  readonly file: string | null;
}

/** Returns the line table of `text`; a line ends at LF, and a CR before it does not belong to the line. */
export function lineTableOf(text: string, file: string | null): LineTable {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return { starts, text, file };
}

/** Returns the span from `start` to `end` (offsets), cut at the end of its first line, at least 1 long. */
export function spanOf(table: LineTable, start: number, end: number): Span {
  const line = lineAt(table, start);
  const lineStart = table.starts[line] ?? 0;
  const next = table.starts[line + 1];
  let lineEnd = next === undefined ? table.text.length : next - 1;
  if (table.text[lineEnd - 1] === "\r") lineEnd -= 1;
  // A place behind the last character of a line (a missing value) is shown on that character.
  const from = start >= lineEnd && lineEnd > lineStart ? lineEnd - 1 : start;
  const length = Math.max(1, Math.min(end, lineEnd) - from);
  return placeIn(table.file, { line: line + 1, column: from - lineStart + 1, length });
}

/** Returns the span as one of that file (null: the main file). */
export function placeIn(file: string | null, span: Span): Span {
  return file === null ? span : { file, ...span };
}

/** Returns the name of the file that a place is in. */
export function fileOf(span: Span): string {
  return span.file ?? MAIN_FILE;
}

function lineAt(table: LineTable, offset: number): number {
  let low = 0;
  let high = table.starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((table.starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
