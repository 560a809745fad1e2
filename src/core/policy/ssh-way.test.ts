import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { evaluate } from "./evaluate.ts";
import { panicPolicy } from "./panic.ts";
import { admitsAnybody, type SshWay } from "./ssh-way.ts";
import { flowOf, NOW_MS, policyOf } from "../../../test/support/policy.ts";

const WHY = "why: a rule of this test";
const BOTH: SshWay = { port: 22, families: [4, 6] };
const MOVED: SshWay = { port: 2222, families: [4, 6] };

function under(inbound: string, more = "mode: enforce") {
  return policyOf(`version: 1\n${more}\ninbound: [${inbound}]\n`);
}

describe("somebody gets to SSH", () => {
  for (const [what, inbound, ways, expected] of [
    ["under a rule for everybody", `{allow: ssh, from: any, ${WHY}}`, [BOTH], true],
    ["under a rule for some", `{allow: ssh, from: 192.0.2.0/24, ${WHY}}`, [BOTH], true],
    ["under a rule for a range", `{allow: 2000-3000, from: any, ${WHY}}`, [MOVED], true],
    ["by one port of two", `{allow: 2222, from: any, ${WHY}}`, [BOTH, MOVED], true],
    ["under no rule: nobody", "", [BOTH], false],
    ["under a rule for another port: nobody", `{allow: ssh, from: any, ${WHY}}`, [MOVED], false],
    ["over UDP: nobody", `{allow: udp/22, from: any, ${WHY}}`, [BOTH], false],
    [
      "under a rule that is only watched: nobody",
      `{allow: ssh, from: any, mode: observe, ${WHY}}`,
      [BOTH],
      false,
    ],
    [
      "where a deny takes all of it: nobody",
      `{allow: ssh, from: 192.0.2.0/24, ${WHY}}, {deny: any, from: 192.0.0.0/16, ${WHY}}`,
      [BOTH],
      false,
    ],
    [
      "where a deny takes a part",
      `{allow: ssh, from: any, ${WHY}}, {deny: ssh, from: 192.0.0.0/16, ${WHY}}`,
      [BOTH],
      true,
    ],
    [
      "in the other family: nobody",
      `{allow: ssh, from: 0.0.0.0/0, ${WHY}}`,
      [{ port: 22, families: [6] }],
      false,
    ],
    ["where SSH listens nowhere: nobody", `{allow: ssh, from: any, ${WHY}}`, [], false],
    [
      "at a guarded port: nobody",
      `{allow: 18789, from: any, ${WHY}}`,
      [{ port: 18_789, families: [4] }],
      false,
    ],
  ] as const) {
    it(what, () => assert.equal(admitsAnybody(under(inbound), ways, NOW_MS), expected));
  }

  it("wherever inbound is only watched", () => {
    assert.equal(admitsAnybody(under("", "mode: observe"), [BOTH], NOW_MS), true);
  });

  it("by a zone that a rule names", () => {
    const policy = under(`{allow: ssh, from: lan, ${WHY}}`, "mode: enforce\nzones: {lan: eth1}");
    assert.equal(admitsAnybody(policy, [BOTH], NOW_MS), true);
  });

  it("until the rule ends", () => {
    const policy = under(`{allow: ssh, from: any, expires: 2027-01-01, ${WHY}}`);
    assert.equal(admitsAnybody(policy, [BOTH], NOW_MS), true);
    assert.equal(admitsAnybody(policy, [BOTH], Date.UTC(2027, 0, 2)), false);
  });
});

describe("in a panic", () => {
  const verdict = (policy: ReturnType<typeof panicPolicy>, flow: string) =>
    evaluate(policy, flowOf(flow), NOW_MS).verdict;
  const ONLY4 = { port: 22, families: [4], listens: [4] } as const;
  const MOVED_TO = { ...MOVED, listens: [4, 6] } as const;

  for (const [what, policy] of [
    ["a rule for everybody", under(`{allow: ssh, from: any, ${WHY}}`)],
    ["no rule", under("")],
    [
      "a rule for a zone and everybody",
      under(`{allow: ssh, from: [lan, any], ${WHY}}`, "mode: enforce\nzones: {lan: eth1}"),
    ],
  ] as const) {
    it(`SSH of one family is let in over that alone, under ${what}`, () => {
      const panicked = panicPolicy(policy, [ONLY4, MOVED_TO]);
      assert.equal(verdict(panicked, "203.0.113.9 -> 22"), "accept");
      assert.equal(verdict(panicked, "2001:db8::1 -> 22"), "refuse");
      assert.equal(verdict(panicked, "203.0.113.9 -> 4444"), "refuse");
    });
  }

  it("SSH is let in where it listens, when the rule for it is for where it will listen", () => {
    const configured = { port: 22, families: [4, 6], listens: [] } as const;
    const panicked = panicPolicy(under(`{allow: ssh, from: 192.0.2.0/24, ${WHY}}`), [configured, MOVED_TO]);
    assert.equal(verdict(panicked, "203.0.113.9 -> 2222"), "accept");
    assert.equal(verdict(panicked, "203.0.113.9 -> 22"), "refuse");
    assert.equal(verdict(panicked, "192.0.2.9 -> 22"), "accept");
  });

  it("SSH is let in as the rule for it says, on one port of two", () => {
    const panicked = panicPolicy(under(`{allow: ssh, from: 192.0.2.0/24, ${WHY}}`), [
      { ...BOTH, listens: [4, 6] },
      MOVED_TO,
    ]);
    assert.equal(verdict(panicked, "192.0.2.9 -> 22"), "accept");
    assert.equal(verdict(panicked, "203.0.113.9 -> 22"), "refuse");
    assert.equal(verdict(panicked, "203.0.113.9 -> 2222"), "refuse");
  });

  it("SSH over one family alone is let in over it, when its rule is for the other", () => {
    const over6 = { port: 22, families: [4, 6], listens: [6] } as const;
    const panicked = panicPolicy(under(`{allow: ssh, from: 0.0.0.0/0, ${WHY}}`), [over6]);
    assert.equal(verdict(panicked, "2001:db8::1 -> 22"), "accept");
  });

  it("nothing is let in where SSH is nowhere", () => {
    const panicked = panicPolicy(under(`{allow: ssh, from: any, ${WHY}}`), []);
    assert.equal(verdict(panicked, "203.0.113.9 -> 22"), "refuse");
  });
});
