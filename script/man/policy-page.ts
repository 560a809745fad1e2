/** seawall-policy(5): the keys from the schema, the guards and services from the tables that judge by them. */
import { VERSION } from "../../src/core/base/version.ts";
import { SERVICE_NAMES } from "../../src/core/net/service.ts";
import { resolveGuards } from "../../src/core/policy/guard.ts";
import { POLICY_BYTES_MAX, RULES_MAX } from "../../src/core/policy/parse/vocabulary.ts";
import { policyJsonSchema } from "../../src/core/policy/schema.ts";
import { paragraph, section, subsection, term, title, verbatim } from "./roff.ts";

/** What the page reads of JSON Schema. */
interface Shape {
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly string[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly additionalProperties?: Shape | boolean;
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
}

/** A test holds that it is a policy without a warning. */
export const EXAMPLE = `version: 1
mode: {inbound: enforce, outbound: observe}

inbound:
  - allow: ssh
    from: any
    why: administration, keys only

outbound:
  - use: [openclaw, anthropic, telegram]
    why: what this agent was built to reach
  - allow: [api.github.com, codeload.github.com]
    why: skills installed from GitHub

scopes:
  agent: {user: openclaw}

tests:
  - outbound: {to: "api.github.com:443"}
    expect: accept
  - inbound: {from: 203.0.113.9, port: 18789}
    expect: refuse
`;

/** Returns the page. */
export function policyPage(): string {
  const root = policyJsonSchema() as Shape;
  return `${[
    title("SEAWALL\\-POLICY", 5, VERSION, "File Formats"),
    section("NAME"),
    "seawall\\-policy \\- the policy file of Seawall",
    section("SYNOPSIS"),
    "\\fI/etc/seawall/policy.yaml\\fR\n.br\n\\fI/etc/seawall/policy.d/*.yaml\\fR",
    section("DESCRIPTION"),
    paragraph(
      "The policy says who may reach this host, and what its agent may reach. It is YAML 1.2 without anchors, aliases and tags, of at most " +
        `${POLICY_BYTES_MAX} bytes and ${RULES_MAX} rules. An unknown key is an error. \`seawall policy check\` finds all that is wrong at once; \`seawall apply\` enforces it.`,
    ),
    paragraph(
      "Order never matters: what keeps the host alive, then guards, then `deny`, then `allow`; all else is denied. Files of policy.d add rules; they cannot relax assertions, guards or modes.",
    ),
    section("KEYS"),
    ...Object.entries(root.properties ?? {}).flatMap(([key, shape]) => [
      subsection(key),
      paragraph(sentence(shape, root.required?.includes(key) === true)),
      ...keysBelow(shape, ""),
    ]),
    section("SERVICES"),
    paragraph(`Names that stand for ports: ${SERVICE_NAMES.join(", ")}.`),
    section("GUARDS"),
    paragraph("Closed in every mode and whatever the rules say, until `accept_risk` lifts them:"),
    ...resolveGuards([]).map(({ id, direction, why }) => term(id, `${direction}: ${why}`)),
    section("EXAMPLE"),
    verbatim(EXAMPLE.trimEnd().split("\n")),
    section("SEE ALSO"),
    "\\fBseawall\\fR(1)",
  ].join("\n")}\n`;
}

/** A term for each key below, with its way from the root key: `never.outbound`. */
function keysBelow(shape: Shape, way: string): string[] {
  const found = new Map<string, string>();
  for (const part of partsOf(shape)) {
    for (const [key, below] of Object.entries(part.properties ?? {})) {
      const name = way === "" ? key : `${way}.${key}`;
      if (found.has(name)) continue;
      found.set(name, term(name, sentence(below, part.required?.includes(key) === true)));
      for (const text of keysBelow(below, name)) found.set(`${name} ${text}`, text);
    }
  }
  return [...found.values()];
}

/** Every map that a value may be, or may be a list of, or whose names the user chooses. */
function partsOf(shape: Shape): Shape[] {
  const own = shape.properties === undefined ? [] : [shape];
  const named = typeof shape.additionalProperties === "object" ? partsOf(shape.additionalProperties) : [];
  const items = shape.items === undefined ? [] : partsOf(shape.items);
  return [...own, ...named, ...items, ...(shape.anyOf ?? []).flatMap(partsOf)];
}

/** What a key is for, the words it may be, and whether it must be there. */
function sentence(shape: Shape, isRequired: boolean): string {
  const all = [...new Set(wordsOf(shape))];
  // A guard may be written with its prefix as well; the page says it once.
  const words = all.filter((word) => !all.some((other) => word === `guard.${other}`));
  const [only] = words;
  return [
    `${shape.description ?? descriptionsOf(shape)[0] ?? ""}.`,
    ...(words.length === 1 ? [`Only \`${only}\`.`] : []),
    ...(words.length < 2 ? [] : [`One of ${words.map((word) => `\`${word}\``).join(", ")}.`]),
    ...(isRequired ? ["Required."] : []),
  ].join(" ");
}

function wordsOf(shape: Shape): string[] {
  const own =
    shape.const === undefined
      ? (shape.enum ?? [])
      : [typeof shape.const === "string" ? shape.const : JSON.stringify(shape.const)];
  return [
    ...own,
    ...(shape.items === undefined ? [] : wordsOf(shape.items)),
    ...(shape.anyOf ?? []).flatMap(wordsOf),
  ];
}

function descriptionsOf(shape: Shape): string[] {
  return (shape.anyOf ?? []).flatMap((one) => one.description ?? descriptionsOf(one));
}
