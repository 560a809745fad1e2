import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parse as parseYaml, stringify } from "yaml";
import { parsePolicy } from "../../src/core/policy/parse/parse.ts";
import {
  DENIALS,
  INBOUND_KEYS,
  MODES,
  OUTBOUND_KEYS,
  POLICY_BYTES_MAX,
  RISK_KEYS,
  ROOT_KEYS,
  SCOPE_KINDS,
} from "../../src/core/policy/parse/vocabulary.ts";
import { policySchema } from "../../src/core/policy/schema.ts";

/** `SEAWALL_FUZZ_RUNS` raises the count for a long run; the seed keeps the short one repeatable. */
const RUNS = Number(process.env["SEAWALL_FUZZ_RUNS"] ?? 400);
const SETTINGS = {
  numRuns: RUNS,
  ...(process.env["SEAWALL_FUZZ_RUNS"] === undefined ? { seed: 20_261_101 } : {}),
};

const FULL_BYTES = RUNS > 400 ? POLICY_BYTES_MAX - 30 : 60_000;

const VALID = `version: 1
mode: {inbound: enforce, outbound: observe} # both
sets: {office: [192.0.2.0/24, 198.51.100.7]}
zones: {lan: [eth1, wg*]}
scopes: {agent: {user: openclaw}}
accept_risk: [{name: "*.github.io", reason: our own pages, by: ops, expires: 2030-01-01}]
inbound:
  - id: ssh-office
    allow: [ssh, tcp/8000-8080]
    from: [office, lan, "2001:db8::/32", {country: [DE, NO]}]
    except: 192.0.2.9
    rate: 60/minute
    why: administration, keys only
    expires: 2030-01-31
  - {deny: any, from: 203.0.113.0/24, why: 'scanners, seen daily', denial: drop}
outbound:
  - use: [openclaw]
    why: what this agent was built to reach
  - allow: [api.github.com, "*.example.com"]
    port: [443, 8000-8080]
    why: >-
      skills installed
      from GitHub
tests:
  - {outbound: {to: "api.github.com:443"}, expect: accept}
assert:
  - never: {inbound: any, port: 18789}
`;

/** Whatever the text: an answer, with errors or with a document, and every place in the file. */
function answers(text: string): void {
  const { document, diagnostics } = parsePolicy(text, { nowMs: 0 });
  assert.equal(
    document === null,
    diagnostics.some(({ severity }) => severity === "error"),
  );
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  for (const { span, message, code } of diagnostics) {
    assert.match(code, /^policy\/[a-z-]+$/);
    assert.doesNotMatch(message, /[\p{Cc}\u202a-\u202e]/u);
    const line = lines[span.line - 1];
    assert.ok(line !== undefined, `line ${span.line} of ${lines.length}`);
    assert.ok(span.column >= 1 && span.length >= 1);
    assert.ok(
      span.column <= Math.max(1, line.length),
      `${span.line}:${span.column} in ${JSON.stringify(line)}`,
    );
    assert.ok(span.column + span.length - 1 <= Math.max(1, line.length), code);
  }
}

test("the policy that is mutated below is valid", () => {
  assert.deepEqual(parsePolicy(VALID, { nowMs: 0 }).diagnostics, []);
});

test("random text is answered", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 400 }), answers), SETTINGS);
});

test("random bytes read as UTF-8 are answered", () => {
  const bytes = fc.uint8Array({ maxLength: 400 }).map((array) => new TextDecoder().decode(array));
  fc.assert(fc.property(bytes, answers), SETTINGS);
});

test("random YAML punctuation is answered", () => {
  const marks = [
    "-",
    ":",
    " ",
    "\n",
    "  ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "*",
    "&a",
    "!!str",
    "|",
    ">",
    "?",
    "'",
    '"',
    "#",
    "a",
    "1",
    "---\n",
    "...\n",
    "\t",
    "\r\n",
    "version: 1\n",
    "inbound:",
    "allow: ",
    "<<",
    "%",
  ];
  const text = fc.array(fc.constantFrom(...marks), { maxLength: 60 }).map((parts) => parts.join(""));
  fc.assert(fc.property(text, answers), { ...SETTINGS, numRuns: RUNS * 4 });
});

const mutated = fc
  .array(
    fc.record({
      at: fc.nat(VALID.length - 1),
      length: fc.nat(30),
      put: fc.oneof(
        fc.string({ unit: "binary", maxLength: 6 }),
        fc.constantFrom("", "\n", "  ", "*", "- ", ": ", "null", "[", "}", "\t", "0", "-1", "any", "\u0000"),
        fc.nat(VALID.length - 1).map((from) => VALID.slice(from, from + 20)),
      ),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((mutations) => {
    let text = VALID;
    for (const { at, length, put } of mutations) text = text.slice(0, at) + put + text.slice(at + length);
    return text;
  });

test("a valid policy with pieces cut, doubled or replaced is answered", () => {
  fc.assert(fc.property(mutated, answers), { ...SETTINGS, numRuns: RUNS * 2 });
});

test("what the parser takes, the schema takes", () => {
  const small = fc
    .record({ at: fc.nat(VALID.length - 1), put: fc.constantFrom("", " ", "0", "1", "a", "'", "#", "\n") })
    .map(({ at, put }) => VALID.slice(0, at) + put + VALID.slice(at + 1));
  let taken = 0;
  fc.assert(
    fc.property(small, (text) => {
      if (parsePolicy(text, { nowMs: 0 }).document === null) return;
      taken += 1;
      const result = policySchema.safeParse(parseYaml(text, { schema: "core", version: "1.2" }));
      assert.ok(result.success, `${text}${JSON.stringify(result.error)}`);
    }),
    SETTINGS,
  );
  assert.ok(taken > RUNS / 10, `${taken} were taken`);
});

const WORDS = [
  "any",
  "ssh",
  "agent",
  "world",
  "a.example.com",
  "*.example.com",
  "*.io",
  "10.0.0.0/8",
  "::/0",
  "0",
  "65536",
  "8000-8080",
  "2027-01-31",
  "2027-02-30",
  "60/minute",
  "administration",
  ...MODES,
  ...DENIALS,
  "public-web",
  "container:x",
  "__proto__",
  "constructor",
  "тест.example",
  "\u202e",
];

const scalar = fc.oneof(
  fc.constantFrom(...WORDS),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.string({ unit: "grapheme", maxLength: 12 }),
);

function structure(keys: readonly string[]): fc.Arbitrary<unknown> {
  const value = fc.oneof(
    { depthSize: "small" },
    scalar,
    fc.array(scalar, { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...keys, "from", "port", "country", "x"), scalar, { maxKeys: 4 }),
  );
  return fc.dictionary(fc.constantFrom(...keys, "__proto__", "x"), value, { maxKeys: 6 });
}

test("random structures made of known words are answered", () => {
  const inner = fc.oneof(
    scalar,
    fc.array(fc.oneof(scalar, structure([...INBOUND_KEYS, ...OUTBOUND_KEYS, ...RISK_KEYS])), {
      maxLength: 4,
    }),
    structure([...SCOPE_KINDS, "inbound", "outbound", "expect", "never"]),
  );
  const root = fc.dictionary(fc.constantFrom(...ROOT_KEYS), inner, { maxKeys: 8 });
  fc.assert(
    fc.property(root, (value) => answers(stringify(value))),
    { ...SETTINGS, numRuns: RUNS * 2 },
  );
});

for (const [name, unit] of [
  ["open brackets", "["],
  ["open braces", "{"],
  ["dashes", "- "],
  ["question marks", "? "],
  ["question marks on lines", "?\n"],
  ["colons", ": "],
  ["keys", "a: "],
  ["key lines", "a: 1\n"],
  ["list items", "- a\n"],
  ["aliases", "*a "],
  ["anchors", "&a "],
  ["tags", "! "],
  ["quotes", '"'],
  ["quoted lines", "'\n"],
  ["block scalars", "|\n "],
  ["comments", "#\n"],
  ["document marks", "---\n"],
  ["document ends", "...\n"],
  ["blank lines", "\n"],
  ["spaces", " "],
  ["words", "a "],
  ["flow pairs", "{a: ["],
  ["commas", "[a,"],
  ["backslashes", '"\\'],
  ["empty lists", "[],"],
] as const) {
  test(`a file full of ${name} is answered`, () => {
    answers(unit.repeat(Math.floor(FULL_BYTES / unit.length)));
    answers(`version: 1\ninbound: ${unit.repeat(Math.floor(FULL_BYTES / unit.length))}`);
  });
}

test("a megabyte that nests by indentation is answered", () => {
  let text = "";
  for (let depth = 0; text.length + depth + 4 < POLICY_BYTES_MAX; depth += 1)
    text += `${" ".repeat(depth)}a:\n`;
  answers(text);
});

test("alias bombs are refused without being expanded", () => {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
  for (let at = 1; at < 60; at += 1) lines.push(`a${at}: &a${at} [${`*a${at - 1}, `.repeat(9)}]`);
  answers(lines.join("\n"));
});
