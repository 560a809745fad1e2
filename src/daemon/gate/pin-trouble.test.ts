import assert from "node:assert/strict";
import { test } from "node:test";
import { policyOf } from "../../../test/support/policy.ts";
import { pinSets } from "../../core/compile/nftables/gate.ts";
import { withoutTemporary } from "../../core/policy/temporary.ts";
import { createPinTroubles } from "./pin-trouble.ts";

const NOW = Date.UTC(2026, 10, 21, 12);
const text = (rules: string) => `version: 1
mode: enforce
scopes: {agent: {user: 4242}}
inbound: []
outbound:
${rules}`;
const POLICY = policyOf(
  text("  - {id: a, allow: good.example.com, port: [443, 8080], why: a rule of this test}\n"),
  NOW,
);
const { web, direct } = pinSets(POLICY, "agent");
const SETS = new Set([web[4], web[6], ...[...direct.values()].flatMap((pair) => [pair[4], pair[6]])]);

test("a kernel that has every set and takes every pin is no trouble", () => {
  const troubles = createPinTroubles();
  troubles.worked(web[4]);
  assert.deepEqual(troubles.all([POLICY], SETS, NOW), []);
});

test("a set that the kernel does not have is told before a pin fails, and then with their number", () => {
  const troubles = createPinTroubles();
  const live = new Set([...SETS].filter((set) => set !== web[4]));
  assert.deepEqual(
    troubles.all([POLICY], live, NOW).map(({ said }) => said),
    [`the kernel has no set ${web[4]}`],
  );
  for (let turn = 0; turn < 12; turn += 1) troubles.failed(web[4], "ENOENT", NOW);
  const [one] = troubles.all([POLICY], live, NOW);
  assert.equal(one?.said, `12 pins failed: the kernel has no set ${web[4]}`);
  assert.deepEqual([one?.scope, one?.stops, one?.help], ["agent", true, "seawall apply"]);
});

test("a set that is there again is no trouble any more", () => {
  const troubles = createPinTroubles();
  troubles.failed(web[4], "ENOENT", NOW);
  assert.deepEqual(troubles.all([POLICY], SETS, NOW), []);
});

test("a full set stays told for a minute after a pin was taken, and no longer", () => {
  const troubles = createPinTroubles();
  troubles.failed(web[6], "ENFILE", NOW);
  troubles.worked(web[6]);
  assert.match(
    troubles.all([POLICY], SETS, NOW + 59_000)[0]?.said ?? "",
    /takes no more addresses \(ENFILE\)/,
  );
  assert.deepEqual(troubles.all([POLICY], SETS, NOW + 61_000), []);
});

test("any other refusal is told with its errno", () => {
  const troubles = createPinTroubles();
  troubles.failed(web[4], "EEXIST", NOW);
  assert.match(troubles.all([POLICY], SETS, NOW)[0]?.said ?? "", /refuses them in set .* \(EEXIST\)/);
});

test("a set of no policy in force is nobody's trouble", () => {
  const troubles = createPinTroubles();
  troubles.failed("web4_0000000000", "ENOENT", NOW);
  assert.deepEqual(troubles.all([POLICY], SETS, NOW), []);
});

test("where all of it waits for the clock no set is missed", () => {
  const timed = policyOf(
    text(
      '  - {id: a, allow: good.example.com, port: 443, expires: "2026-11-22T00:00:00Z", why: a rule of this test}\n',
    ),
    NOW,
  );
  assert.deepEqual(createPinTroubles().all([withoutTemporary(timed)], new Set(), NOW), []);
});
