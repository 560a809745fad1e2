import assert from "node:assert/strict";
import { test } from "node:test";
import type { Decision, ReasonCode } from "../policy/decision.ts";
import {
  canApprove,
  idForm,
  KEY_BYTES,
  type RefusedTarget,
  refusalKey,
  refusalBody,
  refusalOf,
  sayRefusal,
} from "./refusal.ts";
import { testKey } from "../../../test/support/refusal-key.ts";

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
const { id } = refusalOf(TARGET, decision("default"), testKey());

test("the id has a form of its own, without letters that look alike: a hundred bits", () => {
  assert.match(id, /^sw-[a-km-np-z2-9]{20}$/);
  assert.equal(idForm(id), "full");
  for (const text of [
    "",
    "sw-",
    "sw-abcde",
    "sw-0000000000",
    `${id}x`,
    id.toUpperCase(),
    `${id}\n`,
    `x${id}`,
  ]) {
    assert.equal(idForm(text), undefined, JSON.stringify(text));
  }
});

test("six characters of an id are its beginning, ten may be an id of 0.1.0", () => {
  assert.equal(idForm(id.slice(0, 9)), "beginning");
  assert.equal(idForm(id.slice(0, 22)), "beginning");
  assert.equal(idForm("sw-rzg87m6vxa"), "old");
});

test("nobody without the key knows an id: another secret, start or scope gives another one", () => {
  const secret = new Uint8Array(KEY_BYTES).fill(7);
  const keys = [testKey("helper"), refusalKey(secret, "boot", "agent"), refusalKey(secret, "next", "agent")];
  const ids = keys.map((key) => refusalOf(TARGET, decision("default"), key).id);
  assert.equal(new Set([...ids, id]).size, 4);
});

test("the two names that 0.1.0 gave one id have two, and so has an address that is written as a name", () => {
  const names = ["objects-102907d.githubusercontent.com", "a582a76.attacker.example"];
  const questions = names.map((host) => ({ ...TARGET, host, port: 53, protocol: "udp" }) as const);
  const targets = [...questions, { ...TARGET, host: null, address: names[0] ?? "" }];
  const ids = targets.map((target) => refusalOf(target, decision("default"), testKey()).id);
  assert.equal(new Set(ids).size, 3);
});

test("the same refusal has the same id, whichever address the name had that time", () => {
  assert.equal(refusalOf({ ...TARGET, address: "93.184.216.34" }, decision("default"), testKey()).id, id);
});

for (const [what, target, reason] of [
  ["scope", { ...TARGET, scope: "helper" }, decision("default")],
  ["host", { ...TARGET, host: "www.evil.org" }, decision("default")],
  ["port", { ...TARGET, port: 80 }, decision("default")],
  ["protocol", { ...TARGET, protocol: "udp" }, decision("default")],
  ["reason", TARGET, decision("guard")],
  ["rule", TARGET, decision("default", "a-rule")],
] as const) {
  test(`another ${what} has another id`, () => assert.notEqual(refusalOf(target, reason, testKey()).id, id));
}

test("a target whose parts run together is not another target's", () => {
  const one = refusalOf({ ...TARGET, scope: "a", host: "b" }, decision("default"), testKey());
  const other = refusalOf({ ...TARGET, scope: "a\nb", host: "" }, decision("default"), testKey());
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
    const refusal = refusalOf(target, decision(reason), testKey());
    assert.equal(canApprove(refusal), expected);
    assert.equal(sayRefusal(refusal).help.includes(`seawall approve ${refusal.id}`), expected);
  });
}

test("the body says what a model needs to tell its owner", () => {
  assert.deepEqual(refusalBody(refusalOf(TARGET, decision("default"), testKey())), {
    reason: "default",
    id,
    host: "evil.org",
    port: 443,
    rule: null,
    message: "Seawall refused evil.org:443 for `agent` (default): no rule allows it.",
    help: `the owner of this machine can allow it: seawall approve ${id}`,
  });
});
