import assert from "node:assert/strict";
import { test } from "node:test";
import { rangesByChain, scopeAlarm, type ScopeUids } from "./judged-uids.ts";

const AGENT = { scope: "agent", user: "openclaw" } as const;
const one = (uid: number) => ({ first: uid, last: uid });
const SUB = { first: 100_000, last: 165_535 };
const OTHER_SUB = { first: 200_000, last: 265_535 };

const ROWS: readonly {
  readonly what: string;
  readonly judged: ScopeUids["judged"];
  readonly now: ScopeUids["now"];
  readonly said: RegExp | null;
  readonly gravity?: "unjudged" | "extra";
}[] = [
  { what: "nothing changed", judged: [one(1_000), SUB], now: [one(1_000), SUB], said: null },
  {
    what: "the same ranges in other pieces",
    judged: [one(1_000), SUB],
    now: [one(1_000), { first: 100_000, last: 120_000 }, { first: 120_001, last: 165_535 }],
    said: null,
  },
  {
    what: "made anew with another uid",
    judged: [one(1_000)],
    now: [one(1_001)],
    said: /^scope agent: user openclaw is uid 1001 now, the kernel judges uid 1000: what openclaw sends is not judged$/,
    gravity: "unjudged",
  },
  {
    what: "deleted",
    judged: [one(1_000)],
    now: null,
    said: /no user openclaw any more/,
    gravity: "unjudged",
  },
  {
    what: "passwd cannot be read",
    judged: [one(1_000)],
    now: "unreadable",
    said: /cannot be told/,
    gravity: "unjudged",
  },
  {
    what: "given subordinate uids",
    judged: [one(1_000)],
    now: [one(1_000), SUB],
    said: /uids 100000-165535 belong to user openclaw now .*not judged/,
    gravity: "unjudged",
  },
  {
    what: "its subordinate uids were moved",
    judged: [one(1_000), SUB],
    now: [one(1_000), OTHER_SUB],
    said: /uids 200000-265535 belong/,
    gravity: "unjudged",
  },
  {
    what: "its subordinate uids grew at one end",
    judged: [one(1_000), SUB],
    now: [one(1_000), { first: 100_000, last: 165_536 }],
    said: /uid 165536 belong/,
    gravity: "unjudged",
  },
  {
    what: "its subordinate uids were taken away",
    judged: [one(1_000), SUB],
    now: [one(1_000)],
    said: /judges uids 100000-165535 as user openclaw, which has them no longer/,
    gravity: "extra",
  },
  {
    what: "the kernel knows nobody as it",
    judged: [],
    now: [one(1_000)],
    said: /is uid 1000 now, the kernel judges nobody/,
    gravity: "unjudged",
  },
];

for (const { what, judged, now, said, gravity } of ROWS) {
  test(`a scope's user: ${what}`, () => {
    const alarm = scopeAlarm({ ...AGENT, judged, now });
    if (said === null) return assert.equal(alarm, null);
    assert.match(alarm?.said ?? "", said);
    assert.equal(alarm?.gravity, gravity);
  });
}

test("a map of single uids is read as it is", () => {
  const found = rangesByChain(
    [
      { uid: 7, chain: "a", isEnd: false },
      { uid: 9, chain: "b", isEnd: false },
    ],
    false,
  );
  assert.deepEqual(
    [...found],
    [
      ["a", [one(7)]],
      ["b", [one(9)]],
    ],
  );
});

test("a map of intervals ends each where the next begins, or at its own end", () => {
  const found = rangesByChain(
    [
      { uid: 0, chain: "", isEnd: true },
      { uid: 1_000, chain: "a", isEnd: false },
      { uid: 1_001, chain: "b", isEnd: false },
      { uid: 1_002, chain: "", isEnd: true },
      { uid: 100_000, chain: "a", isEnd: false },
      { uid: 165_536, chain: "", isEnd: true },
    ],
    true,
  );
  assert.deepEqual(
    [...found],
    [
      ["a", [one(1_000), SUB]],
      ["b", [one(1_001)]],
    ],
  );
});
