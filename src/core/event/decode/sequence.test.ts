import assert from "node:assert/strict";
import { test } from "node:test";
import { createSequenceCheck } from "./sequence.ts";

for (const [name, numbers, missing] of [
  ["consecutive numbers miss nothing", [7, 8, 9], [0, 0, 0]],
  ["the first number has no predecessor", [1_000_000], [0]],
  ["a step of four misses three", [10, 14], [0, 3]],
  ["the counter wraps around without loss", [0xffff_ffff, 0], [0, 0]],
  ["two are missing across the wrap", [0xffff_fffe, 1], [0, 2]],
  ["a counter that starts again is no loss", [500, 0, 1], [0, 0, 0]],
] as const) {
  test(name, () => {
    const check = createSequenceCheck();
    assert.deepEqual(
      numbers.map((number) => check.next(number)),
      missing,
    );
  });
}
