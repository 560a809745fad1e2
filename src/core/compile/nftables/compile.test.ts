import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { policyOf } from "../../../../test/support/policy.ts";
import { compileNftables } from "./compile.ts";
import type { Ruleset } from "./ruleset.ts";

const AGENT_UID = 4242;
const OPTIONS = {
  generation: 1,
  accounts: {
    uidOf: (user: string) => (user === "seawall-gate" ? undefined : AGENT_UID),
    subuidsOf: () => [],
  },
} as const;

function compiled(yaml: string): Ruleset {
  const compilation = compileNftables(policyOf(yaml), OPTIONS);
  assert.ok(compilation.ok, yaml);
  return compilation.ruleset;
}

const inbound = (...rules: readonly string[]): string =>
  `version: 1\nmode: enforce\nzones: {lan: lan0, lan_b: lan1}\ninbound:\n${rules
    .map((rule) => `  - {${rule}, why: a rule of this test}\n`)
    .join("")}`;

/** Each pair had one chain name, or one counter, when the parts of a name were joined by what an id may hold. */
const MEETINGS: readonly (readonly [name: string, ...rules: string[]])[] = [
  ["a rule called `default`, and what no rule decides", "id: default, allow: 9000, from: any"],
  ["a rule called `judge`, and the chain of the tiers", "id: judge, allow: 9000, from: any"],
  ["a rule called `icmp`, and host-life", "id: icmp, allow: 9000, from: any"],
  ["a rule called `guests`, and what is forwarded", "id: guests, allow: 9000, from: any"],
  [
    "rule `b_web` of zone `lan`, and rule `web` of zone `lan_b`",
    "id: b_web, allow: 8080, from: lan",
    "id: web, deny: 8080, from: lan_b",
  ],
  [
    "a rule with a rate, and a rule called like its second chain",
    "id: x, allow: 9000, from: any, rate: 5/minute",
    "id: x_admit, deny: 9001, from: any",
  ],
  [
    "a rule called like a list of the deny tier",
    "id: one, allow: 9000, from: any, rate: 5/minute",
    "id: two, allow: 9000, from: any, rate: 6/minute",
    "id: allow_list1, deny: 9001, from: any",
  ],
];

describe("names that could meet", () => {
  for (const [name, ...rules] of MEETINGS) {
    it(`${name}, have chains of their own`, () => {
      const names = compiled(inbound(...rules)).chains.map((chain) => chain.name);
      assert.deepEqual(names, [...new Set(names)]);
    });
  }

  it("a rule called like the counter of what no rule decides has a counter of its own", () => {
    const id = "default_inbound_world";
    const counters = (ruleset: Ruleset) =>
      ruleset.objects.filter(({ kind }) => kind === "counter").map((object) => object.name);
    const without = counters(compiled(inbound("id: other, allow: 9000, from: any")));
    const withIt = counters(
      compiled(inbound("id: other, allow: 9000, from: any", `id: ${id}, allow: 9001, from: any`)),
    );
    assert.equal(withIt.length, without.length + 1);
  });

  it("every place goes to chains of the ruleset, and only to them", () => {
    const rules = MEETINGS.flatMap(([, ...more]) => more);
    const { chains, objects } = compiled(inbound(...rules));
    const there = new Set(chains.map((chain) => chain.name));
    const texts = [
      ...chains.flatMap((chain) => chain.rules),
      ...objects.flatMap((object) => (object.kind === "verdicts" ? object.elements : [])),
    ];
    const targets = texts.flatMap((text) => [...text.matchAll(/\b(?:goto|jump) (\S+)/g)].map(([, to]) => to));
    assert.ok(targets.length > 20);
    assert.deepEqual(
      targets.filter((target) => target === undefined || !there.has(target)),
      [],
    );
  });
});

test("a uid that two scopes hold is refused: whose a packet is must be certain", () => {
  const policy = policyOf(
    "version: 1\nmode: enforce\nscopes: {agent: {user: first}, other: {user: second}}\ninbound: []\noutbound: []\n",
  );
  const compilation = compileNftables(policy, OPTIONS);
  assert.equal(compilation.ok, false);
  assert.deepEqual(
    compilation.diagnostics.map(({ code }) => code),
    ["compile/overlapping-scopes"],
  );
});
