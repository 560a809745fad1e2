import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { lineDifference } from "./line-difference.ts";

const text = (...lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");

describe("the difference of two texts", () => {
  for (const [name, before, after, expected] of [
    ["that are the same is nothing", text("a", "b"), text("a", "b"), []],
    ["from nothing is all of it", "", text("a", "b"), ["@@ line 1, now 1 @@", "+a", "+b"]],
    ["to nothing is all of it", text("a"), "", ["@@ line 1, now 1 @@", "-a"]],
    [
      "shows a line that changed",
      text("a", "b", "c"),
      text("a", "x", "c"),
      ["@@ line 1, now 1 @@", " a", "-b", "+x", " c"],
    ],
    [
      "shows a line that came",
      text("a", "c"),
      text("a", "b", "c"),
      ["@@ line 1, now 1 @@", " a", "+b", " c"],
    ],
    [
      "shows three lines around, and each place with its own lines",
      text("1", "2", "3", "4", "x", "5", "6", "7", "8", "9", "10", "11", "y"),
      text("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "z"),
      [
        "@@ line 2, now 2 @@",
        " 2",
        " 3",
        " 4",
        "-x",
        " 5",
        " 6",
        " 7",
        "@@ line 10, now 9 @@",
        " 9",
        " 10",
        " 11",
        "-y",
        "+z",
      ],
    ],
  ] as const) {
    test(name, () => assert.deepEqual(lineDifference(before, after), expected));
  }

  test("of very long texts is still all old lines and all new ones", () => {
    const long = (word: string): string => text(...Array.from({ length: 3_000 }, (_, at) => `${word}${at}`));
    const shown = lineDifference(long("a"), long("b"));
    assert.equal(shown.filter((line) => line.startsWith("-")).length, 3_000);
    assert.equal(shown.filter((line) => line.startsWith("+")).length, 3_000);
  });
});
