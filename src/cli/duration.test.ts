import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDurationMs, parseSinceMs } from "./duration.ts";

for (const [text, wanted] of [
  ["60s", 60_000],
  ["15m", 900_000],
  ["1h", 3_600_000],
  ["7d", 604_800_000],
  ["2w", 1_209_600_000],
  ["500ms", 500],
  ["0s", 0],
  ["60", undefined],
  ["1.5h", undefined],
  ["-1h", undefined],
  ["1 h", undefined],
  ["h", undefined],
  ["", undefined],
  ["1h30m", undefined],
  ["999999999w", undefined],
] as const) {
  test(`${JSON.stringify(text)} is ${wanted === undefined ? "no duration" : `${wanted} ms`}`, () => {
    assert.equal(parseDurationMs(text), wanted);
  });
}

test("since one hour is an hour before now", () => assert.equal(parseSinceMs("1h", 3_600_001), 1));
test("since a time is that time", () => {
  assert.equal(parseSinceMs("2026-01-02T03:04:05+01:00", 0), Date.UTC(2026, 0, 2, 2, 4, 5));
});
for (const text of ["yesterday", "2026-01-02", "2026-13-40T99:99:99Z", "1h ago"]) {
  test(`since ${text} is not understood`, () => assert.equal(parseSinceMs(text, 0), undefined));
}
