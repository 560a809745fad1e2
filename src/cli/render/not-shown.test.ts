import assert from "node:assert/strict";
import { test } from "node:test";
import type { LineCount } from "../../apply/not-shown.ts";
import { notShownLines, notShownTotal, shownText } from "./not-shown.ts";

const line = (change: Partial<LineCount>): LineCount => ({
  direction: "outbound",
  place: "agent",
  verdict: "refuse",
  counted: 14_365,
  recorded: 3_499,
  notShown: 10_866,
  ...change,
});
const ALL_SHOWN = line({ direction: "inbound", place: "world", counted: 5, recorded: 5, notShown: 0 });

test("what is not shown is said by whom and of how many, the most first", () => {
  const few = line({ place: "helper", verdict: "accept", counted: 9, recorded: 2, notShown: 7 });
  assert.deepEqual(notShownLines([few, ALL_SHOWN, line({})]), [
    "10,873 packets are not in the log, since the rules were loaded",
    "  outbound agent: 10,866 of 14,365 that were refused",
    "  outbound helper: 7 of 9 that were admitted",
  ]);
});

test("nothing is said where everything is shown", () => {
  assert.deepEqual(notShownLines([ALL_SHOWN]), []);
  assert.equal(shownText({ lines: [ALL_SHOWN], overShare: [] }), "");
});

test("a log that cannot be read is not taken for one that has everything, or nothing", () => {
  const unread = line({ recorded: null, notShown: null });
  assert.equal(notShownTotal([unread, ALL_SHOWN]), null);
  assert.deepEqual(notShownLines([unread]), [
    "the log cannot be read; the kernel counted 14,365 packets since the rules were loaded",
  ]);
});

test("who was over its share of the connection table is said in a line of status, in 80 columns", () => {
  const text = shownText({
    lines: [],
    overShare: [{ direction: "outbound", place: "agent", refused: 4_311 }],
  });
  assert.equal(text, "limit      outbound agent: 4,311 packets were over its share of connections\n");
  assert.ok(text.length <= 81);
});
