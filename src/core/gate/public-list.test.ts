// The list of public suffixes is long: a question is looked up in it only where a rule asks for that.
import assert from "node:assert/strict";
import { registerHooks } from "node:module";
import { describe, it } from "node:test";
import { parse } from "tldts";

/** Every look-up passes here from now on. */
const seen = Object.assign(globalThis, { lookedUp: [] as string[], tldtsParse: parse });
const SPY = "export const parse = (name) => (globalThis.lookedUp.push(name), globalThis.tldtsParse(name));";
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "tldts"
      ? { url: `data:text/javascript,${encodeURIComponent(SPY)}`, shortCircuit: true }
      : next(specifier, context),
});
const { NOW_MS, policyOf } = await import("../../../test/support/policy.ts");
const { EMPTY_SET } = await import("../net/prefix-set.ts");
const { parseHostname } = await import("../net/hostname.ts");
const { parseIp } = await import("../net/ip.ts");
const { scopeJudge } = await import("./judge.ts");

const ADDRESS = parseIp("93.184.215.14");

/** Everything that the gate asks of one question and of what follows it. */
function lookUps(rules: readonly string[], name: string): readonly string[] {
  const policy = policyOf(
    [
      "version: 1",
      "scopes: {agent: {user: 4242}, helper: {user: 4343}}",
      "accept_risk: [{use: public-web, reason: needed for work, by: the test, expires: 2099-01-01}]",
      "outbound:",
      ...rules.map((rule) => `  - {${rule}, why: needed for work}`),
      "",
    ].join("\n"),
  );
  const judge = scopeJudge(policy, "agent", { ownAddresses: EMPTY_SET, nat64: null });
  const host = parseHostname(name);
  assert.ok(host.ok && ADDRESS !== undefined);
  seen.lookedUp.length = 0;
  judge.judgeName(host.name, NOW_MS);
  judge.isOpenEnded(host.name);
  judge.refuseAnswer(host.name, ADDRESS);
  judge.pinnable(host.name, ADDRESS, NOW_MS);
  judge.judgeConnection(host.name, ADDRESS, 443, NOW_MS);
  return [...seen.lookedUp];
}

describe("a question of an agent", () => {
  const NAMED = ["allow: api.example.com, scope: agent", "allow: '*.example.org', scope: agent"];
  for (const name of ["api.example.com", "a.example.org", "example.net", "printer"]) {
    it(`for ${name} is not looked up where no rule is for the public web`, () =>
      assert.deepEqual(lookUps(NAMED, name), []));
    it(`for ${name} is not looked up where only another scope has such a rule`, () =>
      assert.deepEqual(lookUps([...NAMED, "allow: public-web, scope: helper"], name), []));
    it(`for ${name} is looked up where its scope has one`, () =>
      assert.deepEqual([...new Set(lookUps([...NAMED, "allow: public-web, scope: agent"], name))], [name]));
  }
});
