import assert from "node:assert/strict";
import { test } from "node:test";
import { policyOf } from "../../../test/support/policy.ts";
import { testKey } from "../../../test/support/refusal-key.ts";
import { refusalId } from "../../core/gate/refusal.ts";
import type { GateReport } from "../../core/gate/report.ts";
import { createBeliefs, flowOfReport } from "./belief.ts";

const NOW_MS = Date.UTC(2026, 10, 1);
const text = (rule: string) => `version: 1
mode: enforce
inbound: []
scopes: {agent: {user: openclaw}, second: {user: other}}
outbound:
  - {id: ${rule}, allow: good.example.com, why: a rule of this test}
  - {id: theirs, allow: second.example.com, scope: second, why: a rule of this test}
`;
const ONE = policyOf(text("site"), NOW_MS);
const NEXT = policyOf(text("other-site"), NOW_MS);
const DECISION = { verdict: "refuse", observed: false, rule: null, reason: "default", why: "w" } as const;
const REPORT: GateReport = {
  door: "tls",
  scope: "agent",
  host: "a.example.net",
  address: "93.184.216.34",
  port: 443,
  protocol: "tcp",
  decision: DECISION,
  id: null,
};
const beliefs = () => {
  const made = createBeliefs(testKey);
  made.follow([ONE], 0);
  return made;
};

test("a report of a scope, rule and host that there are becomes an event with the id that seawalld makes", () => {
  const id = refusalId(REPORT, DECISION, testKey());
  const believed = beliefs().believe({ ...REPORT, id }, 1);
  assert.ok(believed !== null && !believed.hadOtherId);
  const flow = flowOfReport(believed, 3, NOW_MS);
  assert.deepEqual([flow.host, flow.destination, flow.refusal], ["a.example.net", "93.184.216.34", id]);
});

for (const [what, given] of [
  ["of its choice", "sw-abcdefghjkabcdefghjk"],
  ["that is none", "x\u001b[2J"],
  ["that is missing", null],
] as const) {
  test(`an id ${what} is replaced by the one that it has`, () => {
    const believed = beliefs().believe({ ...REPORT, id: given }, 1);
    assert.equal(believed?.hadOtherId, true);
    assert.equal(believed.report.id, refusalId(REPORT, DECISION, testKey()));
  });
}

test("what was accepted has no id, whatever the gate says; what enforcing would refuse has one", () => {
  const accepted = {
    ...REPORT,
    decision: { ...DECISION, verdict: "accept", rule: "site", reason: "allowed" },
  } as const;
  assert.equal(beliefs().believe({ ...accepted, id: "sw-abcdefghjkabcdefghjk" }, 1)?.report.id, null);
  const watched = { ...REPORT, decision: { ...DECISION, observed: true } };
  assert.match(beliefs().believe(watched, 1)?.report.id ?? "", /^sw-/);
});

for (const [what, change] of [
  ["a scope that there is not", { scope: "nobody" }],
  ["the scope of a prototype", { scope: "__proto__" }],
  ["a rule that there is not", { decision: { ...DECISION, rule: "invented" } }],
  ["a rule of another scope", { decision: { ...DECISION, rule: "theirs" } }],
  ["a reason that there is not", { decision: { ...DECISION, reason: "constructor" } }],
  ["a host with an escape", { host: "a\u001b[2J.example.net" }],
  ["a host with a line end", { host: "a.example.net\n" }],
  ["a host in capitals", { host: "A.example.net" }],
  ["a host with a dot at its end", { host: "a.example.net." }],
  ["an empty host", { host: "" }],
  ["an address as a host", { host: "93.184.216.34" }],
  ["an address in another spelling", { address: "::FFFF:1.2.3.4" }],
  ["an address that is none", { address: "1.2.3" }],
] as const) {
  test(`a report is not believed: ${what}`, () => {
    assert.equal(beliefs().believe({ ...REPORT, ...change } as GateReport, 1), null);
  });
}

test("what was decided by the policy before is believed for a minute, and by none without a policy", () => {
  const made = beliefs();
  const old = { ...REPORT, decision: { ...DECISION, rule: "site" } };
  made.follow([NEXT], 1_000);
  assert.ok(made.believe(old, 60_000) !== null);
  assert.equal(made.believe(old, 61_001), null);
  assert.ok(made.believe({ ...old, decision: { ...DECISION, rule: "other-site" } }, 61_001) !== null);
  made.follow([], 70_000);
  assert.equal(made.believe(REPORT, 130_001), null);
  assert.equal(createBeliefs(testKey).believe(REPORT, 1), null);
});

test("however often the policy changes, only some are remembered", () => {
  const made = beliefs();
  for (let at = 0; at < 100; at += 1) made.follow([policyOf(text(`rule-${at}`), NOW_MS)], at);
  assert.equal(made.believe({ ...REPORT, decision: { ...DECISION, rule: "rule-50" } }, 100), null);
  assert.ok(made.believe({ ...REPORT, decision: { ...DECISION, rule: "rule-99" } }, 100) !== null);
});
