import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { NOW_MS, policyOf } from "../../test/support/policy.ts";
import { temporaryDirectory } from "../../test/support/temporary-directory.ts";
import { type Containment, known } from "../core/containment/facts.ts";
import type { PolicyDocument } from "../core/policy/document.ts";
import { parsePolicy } from "../core/policy/parse/parse.ts";
import type { Probe } from "../edge/host/containment/probe.ts";
import type { Subject } from "../edge/host/containment/process.ts";
import { readContainment, type ScopeContainment, writeContainment } from "./containment-record.ts";
import { examineContainment, refuseUncontained } from "./containment.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
const SUDO: ScopeContainment = {
  scope: "agent",
  grade: "not-contained",
  reasons: [
    { id: "sudo", sentence: "sudo lets it", evidence: "(root) ALL", cure: "visudo", effect: "escapes" },
    { id: "a", sentence: "one", evidence: "1", cure: "x", effect: "partial" },
    { id: "b", sentence: "two", evidence: "2", cure: "x", effect: "partial" },
    { id: "c", sentence: "three", evidence: "3", cure: "x", effect: "partial" },
  ],
};
const accounts = { uidOf: (user: string) => (user === "openclaw" ? 990 : undefined), subuidsOf: () => [] };

function yaml(mode: string, risks = ""): string {
  return `version: 1
mode: {inbound: observe, outbound: ${mode}}
scopes: {agent: {user: openclaw}}
outbound:
  - allow: 192.0.2.9
    why: the only place it may reach
${risks}`;
}

function refusal(text: string, examined: readonly ScopeContainment[]): string | null {
  const document: PolicyDocument | null = parsePolicy(text, { nowMs: NOW_MS }).document;
  assert.ok(document !== null);
  try {
    refuseUncontained(policyOf(text), document, examined, NOW_MS);
    return null;
  } catch (error) {
    return String(error);
  }
}

const accepts = (scope: string, expires: string): string =>
  `accept_risk:\n  - {scope: ${scope}, reason: nobody else is on this machine, by: bob, expires: ${expires}}\n`;
const graded = (grade: Containment["grade"]): ScopeContainment => ({ ...SUDO, grade });

describe("an enforced policy", () => {
  it("is taken when its scope is contained", () =>
    assert.equal(refusal(yaml("enforce"), [{ scope: "agent", grade: "contained", reasons: [] }]), null));

  for (const [grade, words] of [
    ["not-contained", "NOT CONTAINED"],
    ["partly", "PARTLY contained"],
    ["unknown", "not known to be contained"],
  ] as const) {
    it(`is refused when its scope is ${grade}, with the first reasons`, () =>
      assert.equal(
        refusal(yaml("enforce"), [graded(grade)]),
        `SeawallError: scope \`agent\` is ${words}: sudo lets it ((root) ALL); one (1); two (2); and 1 more`,
      ));
  }

  it("is taken when the risk is accepted", () =>
    assert.equal(refusal(yaml("enforce", accepts("agent", "2026-12-31")), [SUDO]), null));

  it("is refused when the accepted risk has expired", () =>
    assert.match(refusal(yaml("enforce", accepts("agent", "2026-11-01")), [SUDO]) ?? "", /NOT CONTAINED/));

  it("is refused when the risk is accepted for another scope", () => {
    const two = yaml("enforce", accepts("b", "2026-12-31")).replace("{agent:", "{b: {user: 1}, agent:");
    assert.match(refusal(two, [{ ...SUDO, scope: "b" }, SUDO]) ?? "", /scope `agent` is NOT CONTAINED/);
  });
});

it("an observed policy is taken whatever its scopes are", () => {
  assert.equal(refusal(yaml("observe"), [SUDO]), null);
});

describe("examining", () => {
  const asked: Subject[] = [];
  const probe = (): Probe => ({
    facts: (subject) => {
      asked.push(subject);
      return {
        boundary: "user",
        accounts: known([]),
        processes: known([]),
        programs: known([]),
        withoutPassword: known([]),
      };
    },
  });
  const examine = (scopes: string) => {
    asked.length = 0;
    const policy = policyOf(yaml("observe").replace("{agent: {user: openclaw}}", scopes));
    return examineContainment(policy, accounts, probe);
  };

  for (const [what, scopes, subject] of [
    ["a user by its uid", "{agent: {user: openclaw}}", { kind: "users", uids: [{ first: 990, last: 990 }] }],
    [
      "a unit by our slice",
      "{agent: {unit: x.service}}",
      { kind: "cgroup", path: "seawall.slice/seawall-agent.slice" },
    ],
    ["a cgroup by its path", "{agent: {cgroup: /a/b}}", { kind: "cgroup", path: "a/b" }],
  ] as const) {
    it(`looks for ${what}`, () => {
      assert.deepEqual(examine(scopes), [{ scope: "agent", grade: "contained", reasons: [] }]);
      assert.deepEqual(asked, [subject]);
    });
  }

  for (const [what, scopes] of [
    ["a user that is not there", "{agent: {user: nobody-here}}"],
    ["a network namespace that is not there", "{agent: {netns: seawall-none}}"],
    ["a cgroup that nft could not name", '{agent: {cgroup: "/a b"}}'],
  ] as const) {
    it(`knows nothing of ${what}`, () => {
      assert.deepEqual(
        examine(scopes).map(({ grade }) => grade),
        ["unknown"],
      );
      assert.deepEqual(asked, []);
    });
  }

  it("asks nothing for a policy that judges nothing outbound", () => {
    const policy = policyOf(
      "version: 1\nmode: observe\ninbound:\n  - allow: ssh\n    from: any\n    why: administration\n",
    );
    assert.deepEqual(examineContainment(policy, accounts, probe), []);
  });
});

const ENTRY = { id: 1, sha256: "a" };

describe("what was seen", () => {
  it("is read back with the worst grade of all scopes", (t) => {
    const state = `${temporaryDirectory(t)}/state`;
    const scopes = [{ scope: "a", grade: "contained", reasons: [] } as const, SUDO];
    writeContainment(state, ENTRY, scopes, NOW_MS);
    assert.deepEqual(readContainment(state, ENTRY, NOW_MS + 1), {
      grade: "not-contained",
      scopes,
      examinedMs: NOW_MS,
      stale: false,
    });
  });

  for (const [what, laterMs, stale] of [
    ["a day ago is fresh", DAY_MS, false],
    ["more than a day ago is old", DAY_MS + 1, true],
    ["in the future, before the clock was set back, is old", -1, true],
  ] as const) {
    it(what, (t) => {
      const state = temporaryDirectory(t);
      writeContainment(state, ENTRY, [SUDO], NOW_MS);
      assert.equal(readContainment(state, ENTRY, NOW_MS + laterMs)?.stale, stale);
    });
  }

  for (const [what, text] of [
    ["no JSON", "{"],
    ["another shape", "[]"],
    [
      "a grade that does not exist",
      '{"looks":[{"id":1,"sha256":"a","examinedMs":1,"scopes":[{"scope":"a","grade":"safe","reasons":[]}]}]}',
    ],
    [
      "no reasons",
      '{"looks":[{"id":1,"sha256":"a","examinedMs":1,"scopes":[{"scope":"a","grade":"contained"}]}]}',
    ],
    ["a time that is none", '{"looks":[{"id":1,"sha256":"a","examinedMs":"now","scopes":[]}]}'],
    ["an entry that is null", '{"looks":[{"id":1,"sha256":"a","examinedMs":1,"scopes":[null]}]}'],
  ] as const) {
    it(`is nothing when the file holds ${what}`, (t) => {
      const state = temporaryDirectory(t);
      mkdirSync(state, { recursive: true });
      writeFileSync(`${state}/containment.json`, text);
      assert.equal(readContainment(state, ENTRY, NOW_MS), null);
    });
  }

  it("that cannot be written is a trouble, not a failure", (t) => {
    const state = temporaryDirectory(t);
    mkdirSync(`${state}/containment.json.new`);
    assert.match(
      writeContainment(state, ENTRY, [SUDO], NOW_MS) ?? "",
      /^cannot write .*; how the agent is contained is not kept/,
    );
    assert.equal(readContainment(state, ENTRY, NOW_MS), null);
  });

  it("is nothing when nobody looked", (t) =>
    assert.equal(readContainment(temporaryDirectory(t), ENTRY, NOW_MS), null));
});
