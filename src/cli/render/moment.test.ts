import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { momentText, spanText } from "./moment.ts";

const NOW = new Date(2026, 10, 30, 14, 52, 30).getTime();

describe("a moment of this machine's clock", () => {
  for (const [name, ms, expected] of [
    ["today is its time", new Date(2026, 10, 30, 9, 5).getTime(), "09:05"],
    ["yesterday is its day too", new Date(2026, 10, 29, 14, 40).getTime(), "11-29 14:40"],
    ["of the same day a month ago is its day too", new Date(2026, 9, 30, 14, 40).getTime(), "10-30 14:40"],
    ["of another year is its date", new Date(2025, 10, 30, 14, 40).getTime(), "2025-11-30"],
  ] as const) {
    test(name, () => assert.equal(momentText(ms, NOW), expected));
  }
});

describe("how long something takes", () => {
  for (const [ms, expected] of [
    [-5, "0 s"],
    [999, "0 s"],
    [47_900, "47 s"],
    [119_999, "119 s"],
    [120_000, "2 min"],
    [599_999, "9 min"],
    [7_200_000, "2 h"],
    [172_800_000, "2 d"],
  ] as const) {
    test(`${ms} ms is ${expected}: never more than there is`, () => assert.equal(spanText(ms), expected));
  }
});
