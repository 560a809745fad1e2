import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMENT_MAX_BYTES } from "../core/compile/nftables/text.ts";
import { overOf, parseSeal, sealOf } from "./seal.ts";

const SHA = "0123456789abcdef".repeat(4);
const MODE = { inbound: "observe", outbound: "enforce" };
const seal = (id: number) => ({ id, mode: MODE, sha256: SHA });

test("a seal of a version that did not say what a panic took the place of says nothing of it", () => {
  assert.equal(parseSeal(`policy 4 enforce enforce sha256 ${SHA} panic`)?.over, null);
  assert.equal(parseSeal(`policy 4 enforce enforce sha256 ${SHA} held`)?.held, true);
});

for (const over of [
  { kind: "nothing" },
  { kind: "unknown" },
  overOf(seal(7)),
  overOf({ ...seal(7), held: true }),
] as const) {
  test(`the seal of a panic says what it took the place of: ${JSON.stringify(over)}`, () => {
    const text = sealOf({ ...seal(8), kind: "panic", over });
    assert.deepEqual(parseSeal(text)?.over, over);
  });
}

test("no seal is longer than a comment that nft takes, whatever the number", () => {
  for (const id of [9, 9_999, 99_999, 999_999_999]) {
    const over = overOf({ ...seal(id - 1), held: true });
    const text = sealOf({
      ...seal(id),
      mode: { inbound: "enforce", outbound: "enforce" },
      kind: "panic",
      over,
    });
    assert.ok(text.length <= COMMENT_MAX_BYTES, `${text.length}`);
    const found = parseSeal(text)?.over;
    if (id > 99_999) assert.deepEqual(found, { kind: "unknown" }, text);
    else assert.ok(found?.kind === "policy" && found.id === id - 1 && found.held, text);
  }
});
