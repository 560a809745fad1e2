import type { Span } from "../../base/diagnostic.ts";
import { closest } from "./closest.ts";
import { type Node, shown } from "./node.ts";
import { COUNTRY_PATTERN } from "./vocabulary.ts";
import { fail, fieldsOf, oneOrMore, type Walk, wrongType } from "./walk.ts";

/**
 * Returns the term of `{country: [DE, NO]}` with upper-case codes, or null with an error. Codes are ISO
 * 3166-1 alpha-2 in shape; whether data for them is there is asked when the policy is applied.
 */
export function readCountry(
  walk: Walk,
  node: Node,
  expectation: string,
): { readonly kind: "country"; readonly codes: readonly string[]; readonly span: Span } | null {
  if (node.kind !== "map" || !node.entries.some(({ key }) => closest(key, ["country"]) !== null)) {
    wrongType(walk, node, expectation, nameAsKeyHelp(node));
    return null;
  }
  const fields = fieldsOf(walk, node, "a country term", ["country"]);
  const entry = fields?.get("country");
  if (entry === undefined) return null;
  const codes: string[] = [];
  const items = oneOrMore(walk, entry.value, "`country`");
  for (const item of items) {
    const code = readCode(walk, item);
    if (code !== null && !codes.includes(code)) codes.push(code);
  }
  return codes.length === 0 ? null : { kind: "country", codes, span: node.span };
}

/** `{a.example.com: 443}` is how other tools write a host with its port. */
function nameAsKeyHelp(node: Node): string | null {
  const [only] = node.kind === "map" ? node.entries : [];
  if (only === undefined || !only.key.includes(".")) return null;
  return `write \`${only.key.slice(0, 80)}\` and add \`port:\` to the rule`;
}

function readCode(walk: Walk, item: Node): string | null {
  const text = item.kind === "scalar" && item.type === "text" ? item.text : null;
  if (text !== null && COUNTRY_PATTERN.test(text)) return text.toUpperCase();
  const expectation = "a country must be a two-letter code such as DE";
  if (text === null) wrongType(walk, item, expectation);
  else fail(walk, "country", item.span, `${expectation}, not ${shown(text)}`, "see ISO 3166-1 alpha-2");
  return null;
}
