import assert from "node:assert/strict";
import { test } from "node:test";
import type { Decision, ReasonCode } from "../policy/decision.ts";
import {
  canApprove,
  isRefusalId,
  type RefusedTarget,
  refusalBody,
  refusalOf,
  sayRefusal,
} from "./refusal.ts";

const TARGET: RefusedTarget = {
  scope: "agent",
  host: "evil.org",
  address: null,
  port: 443,
  protocol: "tcp",
};
const decision = (reason: ReasonCode, rule: string | null = null): Decision => ({
  verdict: "refuse",
  observed: false,
  rule,
  reason,
  why: "no rule allows it",
});
const { id } = refusalOf(TARGET, decision("default"));

test("the id has a form of its own, without letters that look alike", () => {
  assert.match(id, /^sw-[a-km-np-z2-9]{10}$/);
  assert.ok(isRefusalId(id));
  for (const text of ["", "sw-", "sw-0000000000", `${id}x`, id.toUpperCase(), `${id}\n`]) {
    assert.equal(isRefusalId(text), false, JSON.stringify(text));
  }
});

test("the same refusal has the same id, whichever address the name had that time", () => {
  assert.equal(refusalOf({ ...TARGET, address: "93.184.216.34" }, decision("default")).id, id);
});

for (const [what, target, reason] of [
  ["scope", { ...TARGET, scope: "helper" }, decision("default")],
  ["host", { ...TARGET, host: "www.evil.org" }, decision("default")],
  ["port", { ...TARGET, port: 80 }, decision("default")],
  ["protocol", { ...TARGET, protocol: "udp" }, decision("default")],
  ["reason", TARGET, decision("guard")],
  ["rule", TARGET, decision("default", "a-rule")],
] as const) {
  test(`another ${what} has another id`, () => assert.notEqual(refusalOf(target, reason).id, id));
}

test("a target whose parts run together is not another target's", () => {
  const one = refusalOf({ ...TARGET, scope: "a", host: "b" }, decision("default"));
  const other = refusalOf({ ...TARGET, scope: "a\nb", host: "" }, decision("default"));
  assert.notEqual(one.id, other.id);
});

for (const [title, target, reason, expected] of [
  ["what no rule decided", TARGET, "default", true],
  ["what a guard refuses", TARGET, "guard", false],
  ["what a rule denies", TARGET, "denied", false],
  ["a private address behind a name", TARGET, "private-address", false],
  ["what could not be read", { ...TARGET, host: null }, "default", false],
] as const) {
  test(`one more rule ${expected ? "can" : "cannot"} allow ${title}`, () => {
    const refusal = refusalOf(target, decision(reason));
    assert.equal(canApprove(refusal), expected);
    assert.equal(sayRefusal(refusal).help.includes(`seawall approve ${refusal.id}`), expected);
  });
}

test("the body says what a model needs to tell its owner", () => {
  assert.deepEqual(refusalBody(refusalOf(TARGET, decision("default"))), {
    reason: "default",
    id,
    host: "evil.org",
    port: 443,
    rule: null,
    message: "Seawall refused evil.org:443 for `agent` (default): no rule allows it.",
    help: `the owner of this machine can allow it: seawall approve ${id}`,
  });
});
