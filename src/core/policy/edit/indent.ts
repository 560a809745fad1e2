import type { CST } from "yaml";
import { endOfToken, lexemesOf, tokenTreeOf } from "./source.ts";

const STEP = 2;

/** A line in its new layout. `fixed`: part of a scalar, where spaces and empty lines mean something. */
export interface LaidOutLine {
  readonly text: string;
  readonly fixed: boolean;
}

interface Layout {
  readonly text: string;
  readonly lines: readonly string[];
  readonly starts: readonly number[];
  /** New column of a line, where the structure says it. */
  readonly columns: Map<number, number>;
  readonly fixed: Set<number>;
  /** Lines of block scalars: how far they move. */
  readonly shifts: Map<number, number>;
  /** Spaces between a dash and its value, to be made one. */
  readonly gaps: { readonly line: number; readonly from: number; readonly to: number }[];
}

/** Returns the lines of valid YAML with two spaces a level, or null for structures it does not lay out. */
export function indentLines(text: string): LaidOutLine[] | null {
  const tree = tokenTreeOf(text);
  const lines = text.split("\n");
  const starts: number[] = [];
  let offset = 0;
  for (const line of lines) {
    starts.push(offset);
    offset += line.length + 1;
  }
  const layout: Layout = {
    text,
    lines,
    starts,
    columns: new Map(),
    fixed: new Set(),
    shifts: new Map(),
    gaps: [],
  };
  if (tree !== null && !layOutBlock(layout, tree, 0)) return null;
  layOutComments(layout);
  return lines.map((line, at) => renderLine(layout, line, at));
}

function renderLine(layout: Layout, line: string, at: number): LaidOutLine {
  const shift = layout.shifts.get(at);
  if (shift !== undefined) {
    const moved = shift >= 0 ? " ".repeat(shift) + line : line.slice(Math.min(-shift, indentOf(line)));
    return { text: line.trim() === "" ? line : moved, fixed: true };
  }
  const column = layout.columns.get(at);
  let body = line;
  for (const gap of layout.gaps.filter(({ line: where }) => where === at).reverse()) {
    body = `${body.slice(0, gap.from)} ${body.slice(gap.to)}`;
  }
  const text = column === undefined ? body : " ".repeat(column) + body.trimStart();
  return { text: layout.fixed.has(at) && line.trim() === "" ? "" : text, fixed: layout.fixed.has(at) };
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

function lineAt(layout: Layout, offset: number): number {
  let low = 0;
  let high = layout.starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((layout.starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Sets the column of the line when `offset` is its first character that is no space. */
function place(layout: Layout, offset: number, column: number): void {
  const line = lineAt(layout, offset);
  const start = layout.starts[line] ?? 0;
  if (layout.text.slice(start, offset).trim() === "") layout.columns.set(line, column);
}

function layOutBlock(layout: Layout, token: CST.Token, column: number): boolean {
  if (token.type === "block-map") return token.items.every((item) => layOutPair(layout, item, column));
  if (token.type === "block-seq") return token.items.every((item) => layOutItem(layout, item, column));
  return layOutValue(layout, token, column);
}

function layOutPair(layout: Layout, item: CST.CollectionItem, column: number): boolean {
  const { key, value } = item;
  if (item.start.some(({ type }) => type === "explicit-key-ind")) return false;
  // A comment may end a map as an item of its own.
  if (key === undefined || key === null) return item.sep === undefined && value === undefined;
  if (!("source" in key) || key.type === "block-scalar") return false;
  place(layout, key.offset, column);
  return value === undefined || layOutBlock(layout, value, isBlock(value) ? column + STEP : column);
}

function isBlock(token: CST.Token): boolean {
  return token.type === "block-map" || token.type === "block-seq";
}

function layOutItem(layout: Layout, item: CST.CollectionItem, column: number): boolean {
  const dash = item.start.find(({ type }) => type === "seq-item-ind");
  if (dash === undefined) return item.key === undefined && item.value === undefined;
  place(layout, dash.offset, column);
  const { value } = item;
  if (value === undefined) return true;
  const between = layout.text.slice(dash.offset + 1, value.offset);
  if (/^ +$/.test(between)) {
    const line = lineAt(layout, dash.offset);
    const start = layout.starts[line] ?? 0;
    layout.gaps.push({ line, from: dash.offset + 1 - start, to: value.offset - start });
  }
  return layOutBlock(layout, value, isBlock(value) ? column + STEP : column);
}

/** A scalar or flow collection of a key or dash at `column`, with the lines on which it goes on. */
function layOutValue(layout: Layout, token: CST.Token, column: number): boolean {
  const first = lineAt(layout, token.offset);
  const last = lineAt(layout, Math.max(token.offset, endOfToken(token) - 1));
  if (token.type === "block-scalar") return layOutBlockScalar(layout, token, column, first, last);
  if (token.type === "flow-collection") return layOutFlow(layout, token, column, first, last);
  place(layout, token.offset, column + STEP);
  for (let line = first + 1; line <= last; line += 1) {
    layout.columns.set(line, column + STEP);
    layout.fixed.add(line);
  }
  return true;
}

function layOutBlockScalar(
  layout: Layout,
  token: CST.BlockScalar,
  column: number,
  first: number,
  last: number,
): boolean {
  const header = layout.text.slice(token.offset, token.offset + 3);
  // An explicit indentation indicator, and trailing lines that are kept, count spaces: left alone.
  if (/^[|>](?:[-+]?[1-9]|\+)/.test(header)) return false;
  const contentLine = layout.lines.slice(first + 1, last + 1).find((line) => line.trim() !== "");
  if (contentLine === undefined) return true;
  const shift = column + STEP - indentOf(contentLine);
  for (let line = first + 1; line <= last; line += 1) layout.shifts.set(line, shift);
  return true;
}

function layOutFlow(
  layout: Layout,
  token: CST.FlowCollection,
  column: number,
  first: number,
  last: number,
): boolean {
  place(layout, token.offset, column + STEP);
  if (first === last) return true;
  const region = layout.text.slice(token.offset, endOfToken(token));
  const marks = lexemesOf(region);
  // A scalar over several lines inside brackets: its spaces are left alone.
  if (marks.some(({ type, source }) => /scalar/.test(type) && source.trimEnd().includes("\n"))) return false;
  let depth = 0;
  let at = 0;
  for (let line = first + 1; line <= last; line += 1) {
    const start = (layout.starts[line] ?? 0) - token.offset;
    for (; at < marks.length && (marks[at]?.offset ?? 0) < start; at += 1) depth += stepOf(marks[at]?.type);
    const closers = /^[\s\]}]*/.exec(layout.lines[line] ?? "")?.[0].replaceAll(/\s/g, "").length ?? 0;
    layout.columns.set(line, column + STEP * Math.max(0, depth - closers));
  }
  return true;
}

function stepOf(type: string | undefined): number {
  if (type === "flow-map-start" || type === "flow-seq-start") return 1;
  return type === "flow-map-end" || type === "flow-seq-end" ? -1 : 0;
}

/** A comment moves with the line it is aligned to: the next one, else the one before. */
function layOutComments(layout: Layout): void {
  const structural = [...layout.columns.keys()].sort((left, right) => left - right);
  let next = 0;
  layout.lines.forEach((line, at) => {
    if (!line.trimStart().startsWith("#") || layout.columns.has(at) || layout.shifts.has(at)) return;
    while (next < structural.length && (structural[next] ?? 0) < at) next += 1;
    const below = structural[next];
    const column =
      columnLike(layout, line, below === undefined ? [] : [below]) ??
      columnLike(layout, line, structural.slice(Math.max(0, next - 200), next).reverse());
    layout.columns.set(at, column ?? nearest(layout, below ?? structural[next - 1], line));
  });
}

/** The new column of the first of `lines` that stood in the comment's old column. */
function columnLike(layout: Layout, comment: string, lines: readonly number[]): number | null {
  const found = lines.find((line) => indentOf(layout.lines[line] ?? "") === indentOf(comment));
  return found === undefined ? null : (layout.columns.get(found) ?? null);
}

/** INVARIANT: a comment aligned to nothing goes to its neighbour's column, where it stays next time. */
function nearest(layout: Layout, line: number | undefined, comment: string): number {
  return line === undefined ? indentOf(comment) : (layout.columns.get(line) ?? 0);
}
