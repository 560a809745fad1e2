// Text that tries to leave its quotes: whatever a policy says, nft reads it as our table and nothing else.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { compileNftables } from "../../../src/core/compile/nftables/compile.ts";
import { renderRuleset } from "../../../src/core/compile/nftables/render.ts";
import { policyOf } from "../../support/policy.ts";
import { outputInNamespace } from "../../support/namespace.ts";

const SCRIPT = new URL("in-namespace/nft-check.ts", import.meta.url);
const POLICIES = 60;
const SEED = 20_261_121;

/** Pieces that mean something to nft, to a shell or to a terminal. */
const HOSTILE: readonly string[] = [
  '"',
  "'",
  "\\",
  "}",
  "{",
  ";",
  "#",
  "$x",
  "@set",
  "`id`",
  "$(id)",
  "*/",
  "\u00a0",
  "é",
  "😀",
  '"; flush ruleset; #',
  '"} table inet evil { chain x { accept } } "',
  "include /etc/passwd",
  "\\n",
];
const why = fc
  .array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ minLength: 1, maxLength: 12 })), {
    minLength: 4,
    maxLength: 60,
  })
  .map((parts) => `a reason: ${parts.join(" ")}`.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\uFEFF\uFFFD]/gu, "-"))
  .map((text) => Array.from(text).slice(0, 400).join(""));

const KEYWORDS: readonly string[] = [
  "drop",
  "accept",
  "meta",
  "ip",
  "th",
  "goto",
  "table",
  "counter",
  "comment",
  "flush",
  "ruleset",
  "ct",
];
const ALPHABET = Array.from("abcxyz0189._-");
const free = fc
  .tuple(
    fc.constantFrom(...Array.from("abcxyz019")),
    fc.array(fc.constantFrom(...ALPHABET), { maxLength: 47 }).map((letters) => letters.join("")),
  )
  .map((parts) => parts.join(""));
const id = fc.oneof(fc.constantFrom(...KEYWORDS), free);
const place = fc.oneof(
  fc.constantFrom(...KEYWORDS),
  fc
    .array(fc.constantFrom(...Array.from("abcxyz019_-")), { maxLength: 20 })
    .map((letters) => `z${letters.join("")}`),
);
const INTERFACES = ["eth1", "wg*", "a.b-c_d", "1", "-x", "drop", "accept*", "...", "abcdefghijklmno"];

const policy = fc
  .record({
    ids: fc.uniqueArray(id, { minLength: 4, maxLength: 4 }),
    zone: place,
    set: place,
    scope: place,
    reasons: fc.array(why, { minLength: 4, maxLength: 4 }),
    at: fc.constantFrom(...INTERFACES),
  })
  .filter(({ zone, set }) => zone !== set && zone !== "world")
  .map(({ ids, zone, set, scope, reasons, at }) => {
    const quote = (text: string | undefined): string => JSON.stringify(text ?? "");
    return `version: 1
mode: {inbound: enforce, outbound: observe}
zones: {${quote(zone)}: ${quote(at)}}
sets: {${quote(set)}: [198.51.100.0/24, 2001:db8::/32]}
scopes: {${quote(scope)}: {user: 4242}}
inbound:
  - {allow: ["8082"], from: [${quote(zone)}, ${quote(set)}], rate: 5/second, id: ${quote(ids[0])}, why: ${quote(reasons[0])}}
  - {deny: ["8083"], from: any, id: ${quote(ids[1])}, why: ${quote(reasons[1])}, owner: ${quote(reasons[0]?.slice(0, 20))}}
outbound:
  - {allow: [api.example.com], scope: ${quote(scope)}, id: ${quote(ids[2])}, why: ${quote(reasons[2])}}
  - {deny: [${quote(set)}], scope: ${quote(scope)}, id: ${quote(ids[3])}, why: ${quote(reasons[3])}}
`;
  });

describe("hostile text in a policy", () => {
  const policies = fc.sample(policy, { numRuns: POLICIES, seed: SEED });
  it(`${POLICIES} policies with texts that try to leave their quotes load as one table`, async () => {
    const rulesets = policies.map((text) => {
      const compiled = compileNftables(policyOf(text), {
        generation: 15,
        accounts: { uidOf: () => undefined, subuidsOf: () => [] },
      });
      assert.ok(compiled.ok, text);
      return renderRuleset(compiled.ruleset, [text]);
    });
    const output = await outputInNamespace(SCRIPT, [], { stdin: JSON.stringify(rulesets) });
    const said = JSON.parse(output) as readonly string[];
    const refused = said.flatMap((words, at) => (words === "" ? [] : [`${words}\n${policies[at] ?? ""}`]));
    assert.deepEqual(refused, []);
    assert.equal(said.length, POLICIES);
  });

  it("no line of a ruleset carries a control character or a quote that was not closed", () => {
    for (const text of policies) {
      const compiled = compileNftables(policyOf(text), {
        generation: 1,
        accounts: { uidOf: () => undefined, subuidsOf: () => [] },
      });
      assert.ok(compiled.ok);
      for (const line of renderRuleset(compiled.ruleset, [text]).split("\n")) {
        assert.match(line, /^[\x20-\x7e]*$/);
        if (!/^#|\{ #/.test(line)) assert.equal((line.split('"').length - 1) % 2, 0, line);
      }
    }
  });
});
