import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Status } from "../../../apply/status.ts";
import { fileLines } from "./file.ts";
import { statusScreen } from "./screen.ts";

const AT = new Date(2026, 10, 30, 14, 44);
const NONE = { watchedDenies: 0, idleAllows: 0, enforcedDenies: 0 };
const ENFORCED: Status = {
  at: AT.toISOString(),
  state: "enforcing",
  mode: { inbound: "enforce", outbound: "enforce" },
  inbound: "enforced",
  outbound: "enforced",
  ownModes: { inbound: NONE, outbound: NONE },
  generation: 3,
  confirmBy: null,
  leftMs: null,
  before: null,
  containment: "contained",
  containmentSeen: {
    at: AT.toISOString(),
    stale: false,
    scopes: [{ scope: "agent", grade: "contained", reasons: [] }],
  },
  gate: "answers",
  policy: { id: 6, path: "/etc/seawall/policy.yaml" },
  lastChange: null,
  drift: null,
  gateTrouble: [],
  alarms: [],
  pausedUntil: null,
  changes: null,
  held: false,
  rescued: false,
  nextStart: "same",
  daemon: { trouble: [], lost: 0 },
};
const later = (ms: number): string => new Date(AT.getTime() + ms).toISOString();
const screen = (changed: Partial<Status>): string[] => statusScreen({ ...ENFORCED, ...changed }).split("\n");
const healed = { at: later(-60_000), by: "nft (pid 2291, started by sh)", outcome: "healed" } as const;

describe("the first line of the screen", () => {
  for (const [name, changed, expected] of [
    ["is containment where everything is enforced", {}, /^CONTAINED /],
    [
      "is the agent where outbound is only watched",
      { outbound: "observed" },
      /^WATCHING ONLY {2}the agent still reaches everything$/,
    ],
    [
      "is the world where inbound is only watched",
      { inbound: "observed" },
      /^WATCHING ONLY {2}the world still reaches every port$/,
    ],
    [
      "is the agent where both are only watched",
      { state: "observing", inbound: "observed", outbound: "observed" },
      /^WATCHING ONLY {2}the agent/,
    ],
    [
      "is that nobody looks, where the policy has no outbound",
      { outbound: "not-judged" },
      /^NOT JUDGED +what the agent sends/,
    ],
    [
      "says so of the agent where nobody looks and inbound is only watched",
      { inbound: "observed", outbound: "not-judged" },
      /^WATCHING ONLY {2}every port is open as it was, and$/,
    ],
    [
      "is the pause with its end",
      { outbound: "observed", pausedUntil: later(480_000), leftMs: 480_000 },
      /^PAUSED until 14:52 \(8 min left\): the agent reaches everything meanwhile$/,
    ],
    ["is the panic", { state: "panic", containment: "not-contained" }, /^PANIC +the agents reach nothing/],
    [
      "is the rescue",
      { state: "off", generation: null, rescued: true },
      /^RESCUED +by the owner: only the guards judge, also at the next start$/,
    ],
    ["is off", { state: "off", generation: null, inbound: "not-judged", outbound: "not-judged" }, /^OFF /],
    [
      "is drift",
      { state: "drifted", inbound: "unknown", outbound: "unknown", drift: "our hooks are gone" },
      /^DRIFTED /,
    ],
    [
      "names the denies that hold all the same",
      { outbound: "observed", ownModes: { inbound: NONE, outbound: { ...NONE, enforcedDenies: 2 } } },
      /everything but what enforced denies name$/,
    ],
  ] as const satisfies readonly (readonly [string, Partial<Status>, RegExp])[]) {
    test(name, () => assert.match(screen(changed)[0] ?? "", expected));
  }

  test("is never containment where outbound is not enforced", () => {
    for (const outbound of ["observed", "not-judged", "unknown"] as const) {
      for (const inbound of ["enforced", "observed"] as const) {
        const [first = ""] = screen({
          inbound,
          outbound,
          state: outbound === "unknown" ? "drifted" : "enforcing",
        });
        assert.doesNotMatch(first, /CONTAINED|ENFORCING/, `${inbound} ${outbound}`);
      }
    }
  });
});

describe("the lines below", () => {
  for (const [name, changed, expected] of [
    ["one direction, one word", { outbound: "observed" }, /^inbound {8}ENFORCED\noutbound {7}only watched$/m],
    [
      "the gate is off during a panic, and not silent",
      { state: "panic", gate: "silent" },
      /^gate +off during the panic$/m,
    ],
    [
      "a panic that the next start would not keep",
      { state: "panic", nextStart: "other" },
      /BUT THE NEXT START LOADS WHAT WAS BEFORE$/m,
    ],
    [
      "what nobody looked at is unknown",
      { containment: "unknown", containmentSeen: null },
      /^UNKNOWN +whether the agent is contained was not looked at for this policy$/m,
    ],
    [
      "a trial ends by itself",
      { state: "pending", confirmBy: later(47_000), leftMs: 47_900, before: 5 },
      /^ON TRIAL +47 s left, then history 5 again unless confirmed$/m,
    ],
    [
      "a change that ran out",
      { lastChange: { id: 4, by: "admin", at: later(-240_000), how: "ran out" } },
      /^last change +history 4 \(admin, 14:40\) was not confirmed in time and was undone$/m,
    ],
    [
      "a change of which nobody wrote how it ended",
      { lastChange: { id: 4, by: "admin", at: later(0), how: null } },
      /was not confirmed and is not in force$/m,
    ],
    [
      "rules of another mode",
      { ownModes: { inbound: NONE, outbound: { ...NONE, watchedDenies: 1, idleAllows: 2 } } },
      /^own mode +outbound: 1 deny rule only watches\nown mode +outbound: 2 allow rules only watch and open nothing$/m,
    ],
    [
      "what was put back, in the past tense",
      {
        changes: {
          healed: 1,
          alarm: false,
          others: [],
          last: {
            ...healed,
            what: "our table is gone from the kernel; nothing is enforced",
            damage: "table",
            afterMs: 120,
          },
        },
      },
      /^changed +14:43 nft \(pid 2291, started by sh\) deleted our table; put back after 0\.1 s$/m,
    ],
    [
      "what nobody saw",
      {
        changes: {
          healed: 1,
          alarm: false,
          others: [],
          last: { ...healed, by: null, what: "x", damage: "rules" },
        },
      },
      /^changed +14:43 our rules were changed; put back$/m,
    ],
    [
      "what an older seawalld wrote",
      {
        changes: {
          healed: 1,
          alarm: false,
          others: [],
          last: { ...healed, by: null, what: "something else" },
        },
      },
      /^changed +14:43 found: something else; put back$/m,
    ],
  ] as const satisfies readonly (readonly [string, Partial<Status>, RegExp])[]) {
    test(name, () => assert.match(screen(changed).join("\n"), expected));
  }

  test("tell no alarm and nothing that was put back where nothing is in force, or after a day", () => {
    const last = { ...healed, what: "x", damage: "rules" } as const;
    const changes = { healed: 2, alarm: true, others: [], last };
    assert.doesNotMatch(screen({ state: "off", generation: null, changes }).join("\n"), /changed|ALARM/);
    assert.doesNotMatch(screen({ daemon: null, changes }).join("\n"), /ALARM/);
    const old = { ...changes, alarm: false, last: { ...last, at: later(-86_400_001) } };
    assert.doesNotMatch(screen({ changes: old }).join("\n"), /changed|put back/);
  });

  test("fit 80 columns", () => {
    const all = [
      {},
      { outbound: "observed" },
      { state: "panic" },
      { containmentSeen: null },
      { held: true },
    ] as const;
    for (const changed of all)
      assert.deepEqual(
        screen(changed).filter((line) => line.length > 80),
        [],
      );
  });
});

describe("the file", () => {
  const file = {
    path: "/etc/seawall/policy.yaml",
    isInstalled: true,
    changes: 3,
    summary: "+3 rules",
  } as const;
  for (const [name, found, expected] of [
    [
      "that differs",
      { ...file, state: "differs" },
      ["file           3 changes not in force (sudo seawall apply)", "               +3 rules"],
    ],
    ["that is the same", { ...file, state: "same", changes: 0 }, []],
    [
      "that cannot be applied",
      { ...file, state: "unusable", changes: null, summary: null },
      ["file           it cannot be applied as it is (seawall policy check)"],
    ],
    [
      "of another path",
      { ...file, path: "/root/a.yaml", isInstalled: false, state: "differs" },
      [
        "file           /root/a.yaml: 3 changes not in force (sudo seawall apply /root/a.yaml)",
        "               +3 rules",
      ],
    ],
  ] as const) {
    test(`${name} is told`, () => assert.deepEqual(fileLines(ENFORCED, [found]), expected));
  }
  test("is not asked about in a panic", () =>
    assert.deepEqual(fileLines({ ...ENFORCED, state: "panic" }, [{ ...file, state: "differs" }]), []));
});
