import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResolverHealth } from "../../core/gate/health.ts";
import { resolverTroubles } from "./resolver-trouble.ts";

const ONE = { address: "203.0.113.1", port: 53 };
const TWO = { address: "203.0.113.2", port: 53 };
const well = (at: typeof ONE): ResolverHealth => ({
  ...at,
  silent: 0,
  unsent: 0,
  errno: null,
  failed: 0,
  rcode: null,
  miscased: 0,
});

const ROWS: readonly {
  readonly what: string;
  readonly health: ResolverHealth;
  readonly said: RegExp | null;
}[] = [
  { what: "answers", health: well(ONE), said: null },
  { what: "lost one datagram", health: { ...well(ONE), silent: 1 }, said: null },
  { what: "is silent", health: { ...well(ONE), silent: 2 }, said: /does not answer: 2 questions in a row/ },
  { what: "refuses", health: { ...well(ONE), failed: 2, rcode: 5 }, said: /last 2 answers .* say REFUSED/ },
  { what: "does not know EDNS", health: { ...well(ONE), failed: 2, rcode: 1 }, said: /say FORMERR/ },
  { what: "failed for one broken domain", health: { ...well(ONE), failed: 3, rcode: 2 }, said: null },
  { what: "fails again and again", health: { ...well(ONE), failed: 4, rcode: 2 }, said: /say SERVFAIL/ },
  { what: "answers what nobody can read", health: { ...well(ONE), failed: 4 }, said: /cannot be read/ },
  {
    what: "writes names in lower case",
    health: { ...well(ONE), silent: 2, miscased: 2 },
    said: /another case .* 2 answers were not taken/,
  },
  {
    what: "cannot be sent to",
    health: { ...well(ONE), unsent: 3, errno: "EMFILE" },
    said: /3 questions to resolver 203\.0\.113\.1 could not be sent \(EMFILE\)/,
  },
];

for (const { what, health, said } of ROWS) {
  test(`a resolver that ${what}`, () => {
    const found = resolverTroubles({ asked: [ONE], left: [], health: [health] });
    if (said === null) return assert.deepEqual(found, []);
    assert.match(found[0]?.said ?? "", said);
    assert.equal(found[0]?.stops, true);
  });
}

test("names stop only where no resolver is well", () => {
  const silent = { silent: 5 };
  const one = resolverTroubles({
    asked: [ONE, TWO],
    left: [],
    health: [{ ...well(ONE), ...silent }, well(TWO)],
  });
  assert.deepEqual(
    one.map(({ stops }) => stops),
    [false],
  );
  const both = resolverTroubles({
    asked: [ONE, TWO],
    left: [],
    health: [
      { ...well(ONE), ...silent },
      { ...well(TWO), ...silent },
    ],
  });
  assert.deepEqual(
    both.map(({ stops }) => stops),
    [true, true],
  );
});

test("what a gate says of a resolver that nobody named is not taken", () => {
  assert.deepEqual(resolverTroubles({ asked: [TWO], left: [], health: [{ ...well(ONE), silent: 9 }] }), []);
});

test("a line that is not asked is told; beside one that is, it stops nothing", () => {
  const left = [{ text: "fe80::1%eth0", why: "it has a zone id" }];
  assert.deepEqual(
    resolverTroubles({ asked: [ONE], left, health: [] }).map(({ stops }) => stops),
    [false],
  );
  const alone = resolverTroubles({ asked: [], left, health: [] });
  assert.deepEqual(
    alone.map(({ stops }) => stops),
    [true, true],
  );
  assert.match(alone[0]?.said ?? "", /there is no resolver to ask/);
});
