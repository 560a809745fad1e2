import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BugError } from "../base/assert.ts";
import { formatLogPrefix, LOG_PREFIX_MAX_BYTES, type LogPrefix, parseLogPrefix } from "./log-prefix.ts";

const REFUSED: LogPrefix = {
  direction: "outbound",
  verdict: "refuse",
  observed: false,
  generation: 3,
  place: "agent",
  reason: "default",
  rule: null,
};

test("a refused outbound packet without a rule reads as a sentence", () => {
  assert.equal(formatLogPrefix(REFUSED), "seawall out refuse enforced 3 agent default -");
});

test("an observed drop of a rule from the world carries the rule id", () => {
  const text = formatLogPrefix({
    ...REFUSED,
    direction: "inbound",
    verdict: "drop",
    observed: true,
    generation: 15,
    place: "world",
    reason: "denied",
    rule: "no-smtp.v2",
  });
  assert.equal(text, "seawall in drop observed 15 world denied no-smtp.v2");
});

test("the longest possible fields still fit into the kernel's prefix", () => {
  const longest: LogPrefix = {
    ...REFUSED,
    generation: 15,
    place: "s".repeat(24),
    reason: "invalid-protocol",
    rule: "r".repeat(48),
  };
  const text = formatLogPrefix(longest);
  assert.ok(Buffer.byteLength(text) <= LOG_PREFIX_MAX_BYTES);
  assert.deepEqual(parseLogPrefix(text), longest);
});

const word = (max: number) => fc.stringMatching(new RegExp(`^[a-z0-9._-]{1,${max}}$`));
const fields: fc.Arbitrary<LogPrefix> = fc.record(
  {
    direction: fc.constantFrom("inbound", "outbound"),
    verdict: fc.constantFrom("accept", "refuse", "drop"),
    observed: fc.boolean(),
    generation: fc.integer({ min: 0, max: 15 }),
    place: word(24),
    reason: fc.constantFrom(
      "host-life",
      "guard",
      "denied",
      "allowed",
      "default",
      "not-judged",
      "invalid-port",
    ),
    rule: fc.oneof(
      fc.constant(null),
      word(48).filter((id) => id !== "-"),
    ),
  },
  { noNullPrototype: true },
);

test("every prefix comes back as the fields it was made of, and is safe inside nft quotes", () => {
  fc.assert(
    fc.property(fields, (wanted) => {
      const text = formatLogPrefix(wanted);
      assert.match(text, /^[a-z0-9._ -]{1,127}$/);
      assert.deepEqual(parseLogPrefix(text), wanted);
    }),
  );
});

test("parsing never throws, and what it accepts is exactly what format writes", () => {
  const near = fields.chain((wanted) => {
    const text = formatLogPrefix(wanted);
    return fc
      .tuple(fc.nat(text.length), fc.string({ maxLength: 3 }))
      .map(([at, insert]) => text.slice(0, at) + insert + text.slice(at + 1));
  });
  fc.assert(
    fc.property(fc.oneof(fc.string(), near), (text) => {
      const parsed = parseLogPrefix(text);
      if (parsed !== undefined) assert.equal(formatLogPrefix(parsed), text);
    }),
  );
});

for (const [name, text] of [
  ["another program's prefix", "[UFW BLOCK] "],
  ["an empty prefix", ""],
  ["the marker alone", "seawall "],
  ["a verdict that is a property of every object", "seawall out constructor enforced 3 agent default -"],
  ["generation 16", "seawall out refuse enforced 16 agent default -"],
  ["a generation with a leading zero", "seawall out refuse enforced 03 agent default -"],
  ["a reason nobody defined", "seawall out refuse enforced 3 agent whim -"],
  ["a ninth field", "seawall out refuse enforced 3 agent default - x"],
  ["an upper-case rule", "seawall out refuse enforced 3 agent default Rule"],
] as const) {
  test(`${name} is foreign`, () => assert.equal(parseLogPrefix(text), undefined));
}

for (const [name, change] of [
  ["a quote in the scope", { place: 'a"b' }],
  ["a space in the rule id", { rule: "a b" }],
  ["a rule id that is the sign for none", { rule: "-" }],
  ["an empty scope", { place: "" }],
  ["a rule id of 49 characters", { rule: "r".repeat(49) }],
  ["generation 16", { generation: 16 }],
] as const) {
  test(`formatting refuses ${name}`, () => {
    assert.throws(() => formatLogPrefix({ ...REFUSED, ...change }), BugError);
  });
}
