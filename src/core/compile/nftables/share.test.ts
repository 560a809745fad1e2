import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { policyOf } from "../../../../test/support/policy.ts";
import { SCOPES_MAX } from "../../policy/resolve.ts";
import { compileNftables } from "./compile.ts";
import { shareOfGate, shareOfScope, shareOfSource, TABLE_ENTRIES_MIN } from "./share.ts";

const ROWS: readonly (readonly [
  name: string,
  entries: number | null,
  scopes: number,
  connections: number,
])[] = [
  ["one scope of the smallest table", TABLE_ENTRIES_MIN, 1, 1_024],
  ["one scope where the size is not known", null, 1, 1_024],
  ["one of two scopes of the smallest table", TABLE_ENTRIES_MIN, 2, 768],
  ["one of thirteen scopes of the smallest table", TABLE_ENTRIES_MIN, SCOPES_MAX, 128],
  ["one of thirteen scopes of a large table", 262_144, SCOPES_MAX, 1_024],
];

describe("the share of the connection table of", () => {
  for (const [name, entriesMax, scopes, connections] of ROWS) {
    it(`${name} is ${connections} connections`, () => {
      assert.equal(shareOfScope({ entriesMax, forgets: true }, scopes).connections, connections);
    });
  }

  it("all scopes, and the gates for them, is less than the smallest table", () => {
    const table = { entriesMax: TABLE_ENTRIES_MIN, forgets: true };
    for (let scopes = 1; scopes <= SCOPES_MAX; scopes += 1) {
      const all = shareOfScope(table, scopes).connections * scopes + shareOfGate(table).connections;
      assert.ok(all < TABLE_ENTRIES_MIN, `${scopes} scopes: ${all}`);
    }
  });

  it("one source is less than half of the smallest table, closed connections included", () => {
    const { connections, newPerSecond } = shareOfSource({ entriesMax: TABLE_ENTRIES_MIN, forgets: true });
    assert.ok(connections + newPerSecond * 3 < TABLE_ENTRIES_MIN / 2);
  });
});

const POLICY = `version: 1
mode: enforce
scopes: {agent: {user: 4242}}
zones: {office: eth1}
inbound:
  - {allow: 443, from: any, why: a rule of this test}
outbound:
  - {allow: [api.example.com], why: a rule of this test}
  - {allow: 192.0.2.1, why: a rule of this test}
`;

function chainsWith(tableEntriesMax?: number | null): ReadonlyMap<string, string> {
  const compiled = compileNftables(policyOf(POLICY), {
    generation: 1,
    accounts: { uidOf: () => undefined, subuidsOf: () => [] },
    ...(tableEntriesMax === undefined ? {} : { tableEntriesMax }),
  });
  assert.ok(compiled.ok);
  return new Map(compiled.ruleset.chains.map(({ name, rules }) => [name, rules.join("\n")]));
}

describe("a ruleset", () => {
  it("for no machine in particular limits nobody's connections", () => {
    assert.deepEqual(
      [...chainsWith().keys()].filter((name) => name.includes("/room")),
      [],
    );
  });

  it("for a machine asks for room before every accept that begins a connection", () => {
    const chains = chainsWith(null);
    for (const [name, rules] of chains) {
      if (!/^g1\/(zone\/world|scope\/[^/]+)\//.test(name) || name.endsWith("/kept")) continue;
      if (!rules.includes("ct mark set")) continue;
      assert.match(rules, /^ct state new jump g1\/.*\/room$/m, name);
    }
  });

  it("asks no source of a zone that the owner named", () => {
    assert.ok(![...chainsWith(null).keys()].some((name) => name.startsWith("g1/zone/office/room")));
  });
});
