import type { Diagnostic, Severity, Span } from "../../base/diagnostic.ts";
import { didYouMean } from "./closest.ts";
import { describeNode, type ListNode, type MapEntry, type MapNode, type Node, shown } from "./node.ts";
import { RESERVED_KEYS } from "./vocabulary.ts";

/** What a walk over the tree collects and knows. */
export interface Walk {
  readonly diagnostics: Diagnostic[];
  readonly nowMs: number;
}

export function fail(
  walk: Walk,
  code: string,
  span: Span,
  message: string,
  help: string | null = null,
): void {
  say(walk, "error", code, span, message, help);
}

export function warn(
  walk: Walk,
  code: string,
  span: Span,
  message: string,
  help: string | null = null,
): void {
  say(walk, "warning", code, span, message, help);
}

export function note(
  walk: Walk,
  code: string,
  span: Span,
  message: string,
  help: string | null = null,
): void {
  say(walk, "notice", code, span, message, help);
}

function say(
  walk: Walk,
  severity: Severity,
  code: string,
  span: Span,
  message: string,
  help: string | null,
): void {
  walk.diagnostics.push({ code: `policy/${code}`, severity, message, help, span });
}

/** The entries of a map, by key. */
export interface Fields<Key extends string> {
  readonly span: Span;
  get(key: Key): MapEntry | undefined;
  has(key: Key): boolean;
}

/**
 * Returns the fields of a map that may hold `keys`, or null when the node is no map. Unknown and reserved
 * keys are reported. `elsewhere` maps keys that belong to another place to advice.
 */
export function fieldsOf<const Key extends string>(
  walk: Walk,
  node: Node,
  what: string,
  keys: readonly Key[],
  elsewhere: Readonly<Record<string, string>> = {},
): Fields<Key> | null {
  if (node.kind !== "map") {
    wrongType(walk, node, `${what} must be a map`, `its keys are ${listKeys(keys)}`);
    return null;
  }
  const known = new Map<string, MapEntry>();
  const allowed: ReadonlySet<string> = new Set(keys);
  for (const entry of node.entries) {
    if (allowed.has(entry.key)) known.set(entry.key, entry);
    else unknownKey(walk, entry, what, keys, elsewhere);
  }
  return { span: node.span, get: (key) => known.get(key), has: (key) => known.has(key) };
}

function unknownKey(
  walk: Walk,
  entry: MapEntry,
  what: string,
  keys: readonly string[],
  elsewhere: Readonly<Record<string, string>>,
): void {
  const { key, keySpan } = entry;
  if (RESERVED_KEYS.some((reserved) => reserved === key)) {
    fail(walk, "reserved-key", keySpan, `${shown(key)} is not supported by this version`, "remove the key");
    return;
  }
  const advice = Object.hasOwn(elsewhere, key) ? elsewhere[key] : undefined;
  const help = advice ?? didYouMean(key, keys) ?? `${what} may have ${listKeys(keys)}`;
  fail(walk, "unknown-key", keySpan, `${shown(key)} is not a key of ${what}`, help);
}

export function listKeys(keys: readonly string[]): string {
  return keys.map((key) => `\`${key}\``).join(", ");
}

/** Returns "`a`, `b` or `c`". */
export function orList(words: readonly string[]): string {
  const last = words.at(-1);
  if (last === undefined || words.length === 1) return listKeys(words);
  return `${listKeys(words.slice(0, -1))} or \`${last}\``;
}

/** Reports a value of the wrong kind. `expectation` reads "`port` must be a number". */
export function wrongType(walk: Walk, node: Node, expectation: string, help: string | null = null): void {
  fail(walk, "wrong-type", node.span, `${expectation}, not ${describeNode(node)}`, help ?? keyLikeHelp(node));
}

/** An unquoted address that ends in `:` is a map to YAML; so is `a: b` inside a list. */
function keyLikeHelp(node: Node): string | null {
  if (node.kind !== "map") return null;
  const [only] = node.entries;
  if (only === undefined || !/^[0-9A-Fa-f:]+:$/.test(only.key)) return null;
  return `put an address that ends in \`:\` in quotes: \`"${only.key}:"\``;
}

/** Returns the text of a text scalar, or null with an error. Numbers, booleans and null are refused. */
export function textOf(walk: Walk, node: Node, what: string): string | null {
  if (node.kind === "scalar" && node.type === "text") return node.text;
  const quotable = node.kind === "scalar" && node.type !== "null";
  wrongType(walk, node, `${what} must be text`, quotable ? "put it in quotes if it is meant as text" : null);
  return null;
}

/**
 * Returns the text of a term (text or number, as written), or null with an error. Terms are read by their
 * own parsers, so `8082` and `"8082"` are the same.
 */
export function termText(walk: Walk, node: Node, expectation: string): string | null {
  if (node.kind === "scalar" && (node.type === "text" || node.type === "number")) return node.text;
  wrongType(walk, node, expectation);
  return null;
}

/** Returns one of `words`, or null with an error and a "did you mean". */
export function wordOf<const Word extends string>(
  walk: Walk,
  node: Node,
  what: string,
  words: readonly Word[],
): Word | null {
  const choices = orList(words);
  if (node.kind !== "scalar" || node.type === "null") {
    wrongType(walk, node, `${what} must be ${choices}`);
    return null;
  }
  const found = words.find((word) => word === node.text);
  if (found !== undefined && node.type === "text") return found;
  const help = didYouMean(node.text, words);
  fail(walk, "unknown-value", node.span, `${what} must be ${choices}, not ${shown(node.text)}`, help);
  return null;
}

/** Returns true or false, or null with an error. */
export function booleanOf(walk: Walk, node: Node, what: string): boolean | null {
  if (node.kind === "scalar" && node.type === "boolean") return node.text.toLowerCase() === "true";
  wrongType(walk, node, `${what} must be \`true\` or \`false\``);
  return null;
}

/** Returns the items of a list, or the node itself as the only one. An empty list is reported. */
export function oneOrMore(walk: Walk, node: Node, what: string): readonly Node[] {
  if (node.kind !== "list") return [node];
  if (node.items.length === 0) fail(walk, "empty-list", node.span, `${what} is an empty list`);
  return node.items;
}

/** Returns the list, or null with an error. */
export function listOf(walk: Walk, node: Node, what: string, help: string | null = null): ListNode | null {
  if (node.kind === "list") return node;
  wrongType(walk, node, `${what} must be a list`, help);
  return null;
}

/** Returns the map, or null with an error. Its keys are names that the user chose. */
export function mapOf(walk: Walk, node: Node, what: string): MapNode | null {
  if (node.kind === "map") return node;
  wrongType(walk, node, `${what} must be a map`);
  return null;
}
