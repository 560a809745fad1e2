import type { Prefix } from "../../net/prefix.ts";
import type { SourceTerm } from "../document.ts";
import { readCountry } from "./country.ts";
import { didYouMean } from "./closest.ts";
import type { Names } from "./names.ts";
import { type Node, shown } from "./node.ts";
import { looksLikeAddress, noteAggregates, readPrefix } from "./prefix-term.ts";
import { ANY, WORLD_ZONE } from "./vocabulary.ts";
import { fail, oneOrMore, termText, type Walk, warn } from "./walk.ts";

const EXPECTED =
  "a source must be `any`, an address, a prefix, the name of a set or zone, or `{country: [..]}`";

/** Returns the sources of `from`, `except` or an assertion; what cannot be read is reported and left out. */
export function readSources(walk: Walk, node: Node, what: string, names: Names): SourceTerm[] {
  const terms: SourceTerm[] = [];
  const items = oneOrMore(walk, node, what);
  for (const item of items) {
    const term = readSource(walk, item, names);
    if (term !== null) terms.push(term);
  }
  if (terms.length > 1 && terms.some((term) => term.kind === "any")) {
    warn(walk, "redundant", node.span, `${what} lists \`any\`, so its other entries say nothing`);
  }
  const prefixes = terms.flatMap((term): Prefix[] => (term.kind === "prefix" ? [term.prefix] : []));
  noteAggregates(walk, prefixes, node.span);
  return terms;
}

function readSource(walk: Walk, node: Node, names: Names): SourceTerm | null {
  if (node.kind === "map") return readCountry(walk, node, EXPECTED);
  const text = termText(walk, node, EXPECTED);
  if (text === null) return null;
  if (text === ANY) return { kind: "any" };
  if (looksLikeAddress(text) || text.includes("/")) {
    const prefix = readPrefix(walk, text, node.span);
    return prefix === null ? null : { kind: "prefix", prefix, span: node.span };
  }
  if (names.sets.has(text) || names.zones.has(text) || text === WORLD_ZONE) {
    return { kind: "word", ref: { name: text, span: node.span } };
  }
  unknownSource(walk, node, text, names);
  return null;
}

function unknownSource(walk: Walk, node: Node, text: string, names: Names): void {
  if (/^[0-9.]+\s*-\s*[0-9.]+$/.test(text)) {
    const help = "write prefixes, for example `192.0.2.0/28`, in a list";
    return fail(walk, "address", node.span, `${shown(text)} is a range, and sources are prefixes`, help);
  }
  if (/[.*]/.test(text)) {
    const help = "the kernel sees addresses only; give the address, a prefix or a set";
    return fail(walk, "source-name", node.span, `${shown(text)} is a name, and sources are addresses`, help);
  }
  const help =
    didYouMean(text, [...names.sets, ...names.zones, WORLD_ZONE, ANY]) ??
    "declare it under `sets:` or `zones:`";
  fail(walk, "unknown-source", node.span, `${shown(text)} is neither a set nor a zone`, help);
}
