import type { Span } from "../../base/diagnostic.ts";
import { formatPrefix, type Prefix, prefixEnd } from "../../net/prefix.ts";
import type { SetEntry } from "../document.ts";
import { type MapEntry, type Node, shown } from "./node.ts";
import { looksLikeAddress, noteAggregates, readPrefix } from "./prefix-term.ts";
import { checkName } from "./section.ts";
import { fail, fieldsOf, listOf, mapOf, note, termText, textOf, type Walk, warn } from "./walk.ts";

interface PlacedPrefix {
  readonly prefix: Prefix;
  readonly set: string;
  readonly span: Span;
}

const PATH_CHARS_MAX = 4_096;

/** Returns the entries of `sets:`, with a warning for what one set says twice and a notice across sets. */
export function readSets(walk: Walk, entry: MapEntry | undefined): SetEntry[] {
  const map = entry === undefined ? null : mapOf(walk, entry.value, "`sets`");
  const sets: SetEntry[] = [];
  const placed: PlacedPrefix[] = [];
  for (const set of map?.entries ?? []) {
    const named = checkName(walk, set, "a set");
    const { prefixes, file } = readSetValue(walk, set, placed);
    if (named) sets.push({ name: set.key, prefixes, file, span: set.keySpan });
  }
  reportOverlaps(walk, placed);
  return sets;
}

function readSetValue(
  walk: Walk,
  set: MapEntry,
  placed: PlacedPrefix[],
): { readonly prefixes: readonly Prefix[]; readonly file: string | null } {
  const { value } = set;
  if (value.kind === "map") return { prefixes: [], file: readSetFile(walk, value) };
  const help = "write `[10.0.0.0/8, 192.0.2.1]`, or `{file: PATH}` with one prefix a line";
  const list = listOf(walk, value, "a set", help);
  const prefixes: Prefix[] = [];
  for (const item of list?.items ?? []) {
    const prefix = readSetPrefix(walk, item);
    if (prefix === null) continue;
    prefixes.push(prefix);
    placed.push({ prefix, set: set.key, span: item.span });
  }
  noteAggregates(walk, prefixes, set.keySpan);
  return { prefixes, file: null };
}

function readSetPrefix(walk: Walk, item: Node): Prefix | null {
  const text = termText(walk, item, "an entry of a set must be an address or a prefix");
  if (text === null) return null;
  if (looksLikeAddress(text) || text.includes("/")) return readPrefix(walk, text, item.span);
  const help = "a set holds addresses and prefixes; names go directly into a rule";
  fail(walk, "address", item.span, `${shown(text)} is not an address`, help);
  return null;
}

function readSetFile(walk: Walk, value: Node): string | null {
  const file = fieldsOf(walk, value, "a set", ["file"])?.get("file");
  if (file === undefined) {
    fail(
      walk,
      "missing-key",
      value.span,
      "the set has no `file`",
      "write `{file: PATH}`, or a list of prefixes",
    );
    return null;
  }
  const path = textOf(walk, file.value, "`file`");
  if (path === null) return null;
  if (path !== "" && path.length <= PATH_CHARS_MAX && !/\p{Cc}/u.test(path)) return path;
  fail(walk, "path", file.value.span, `${shown(path)} is not a path`);
  return null;
}

/**
 * Prefixes either nest or are apart, so one pass over them in address order, with the enclosing ones on a
 * stack, finds every overlap.
 */
function reportOverlaps(walk: Walk, placed: readonly PlacedPrefix[]): void {
  const ordered = [...placed].sort((left, right) => comparePrefixes(left.prefix, right.prefix));
  const enclosing: PlacedPrefix[] = [];
  const pairs = new Set<string>();
  for (const current of ordered) {
    while (enclosing.length > 0 && !covers(enclosing.at(-1), current)) enclosing.pop();
    const same = enclosing.find((outer) => outer.set === current.set);
    if (same !== undefined) {
      const message = `\`${formatPrefix(current.prefix)}\` is already in \`${formatPrefix(same.prefix)}\` of the same set`;
      warn(walk, "redundant", current.span, message, "remove it");
    }
    for (const outer of enclosing) noteOtherSet(walk, outer, current, pairs);
    enclosing.push(current);
  }
}

function noteOtherSet(walk: Walk, outer: PlacedPrefix, current: PlacedPrefix, pairs: Set<string>): void {
  if (outer.set === current.set) return;
  const pair = [outer.set, current.set].sort().join(" ");
  if (pairs.has(pair)) return;
  pairs.add(pair);
  const message = `the sets \`${outer.set}\` and \`${current.set}\` share \`${formatPrefix(current.prefix)}\``;
  note(walk, "sets-overlap", current.span, message);
}

function covers(outer: PlacedPrefix | undefined, inner: PlacedPrefix): boolean {
  if (outer === undefined || outer.prefix.base.family !== inner.prefix.base.family) return false;
  return (
    outer.prefix.base.value <= inner.prefix.base.value &&
    inner.prefix.base.value <= prefixEnd(outer.prefix).value
  );
}

function comparePrefixes(left: Prefix, right: Prefix): number {
  if (left.base.family !== right.base.family) return left.base.family - right.base.family;
  if (left.base.value !== right.base.value) return left.base.value < right.base.value ? -1 : 1;
  return left.bits - right.bits;
}
