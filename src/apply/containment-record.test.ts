import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { temporaryDirectory } from "../../test/support/temporary-directory.ts";
import {
  amendContainment,
  carryContainment,
  readContainment,
  type ScopeContainment,
  writeContainment,
} from "./containment-record.ts";

const ONE = { id: 1, sha256: "a" };
const TWO = { id: 2, sha256: "b" };
const DAY_MS = 86_400_000;
const seen = (grade: ScopeContainment["grade"], scope = "agent"): ScopeContainment[] => [
  { scope, grade, reasons: [] },
];

test("a record that can neither be written nor removed is trouble that is said, and nothing is thrown", (context) => {
  const state = temporaryDirectory(context);
  // A folder in its place refuses both, like a read-only disk.
  mkdirSync(join(state, "containment.json"));
  writeFileSync(join(state, "containment.json", "file"), "");
  assert.match(writeContainment(state, ONE, [], 0) ?? "", /every status looks anew/);
  assert.equal(readContainment(state, ONE, 0), null);
});

for (const text of [
  "",
  "{",
  "null",
  '{"looks": 1}',
  '{"looks": [{"id": 1, "sha256": "a"}]}',
  '{"looks": [{"id": 1, "sha256": "a", "examinedMs": 1, "scopes": [{}]}]}',
  // As 0.1.0 wrote it: nobody knows for which policy.
  '{"examinedMs": 1, "scopes": [{"scope": "agent", "grade": "contained", "reasons": []}]}',
]) {
  test(`a record \`${text}\` is none`, (context) => {
    const state = temporaryDirectory(context);
    writeFileSync(join(state, "containment.json"), text);
    assert.equal(readContainment(state, ONE, 1), null);
  });
}

describe("what was seen of a policy", () => {
  test("is shown for it, and for no other", (context) => {
    const state = temporaryDirectory(context);
    writeContainment(state, ONE, seen("not-contained"), 0);
    writeContainment(state, TWO, seen("contained"), 0);
    assert.equal(readContainment(state, ONE, 0)?.grade, "not-contained");
    assert.equal(readContainment(state, TWO, 0)?.grade, "contained");
    assert.equal(readContainment(state, { id: 3, sha256: "a" }, 0), null);
  });

  test("is not shown for another of the same number, of a history that was begun anew", (context) => {
    const state = temporaryDirectory(context);
    writeContainment(state, ONE, seen("contained"), 0);
    assert.equal(readContainment(state, { ...ONE, sha256: "another" }, 0), null);
  });

  test("is old after a day, and when the clock was set back", (context) => {
    const state = temporaryDirectory(context);
    writeContainment(state, ONE, seen("contained"), DAY_MS);
    assert.deepEqual(
      [DAY_MS, 2 * DAY_MS, 2 * DAY_MS + 1, 0].map((nowMs) => readContainment(state, ONE, nowMs)?.stale),
      [false, false, true, true],
    );
  });

  test("is seen anew scope by scope, and keeps its age", (context) => {
    const state = temporaryDirectory(context);
    writeContainment(state, ONE, [...seen("contained"), ...seen("contained", "bot")], 7);
    assert.equal(amendContainment(state, ONE, seen("partly", "bot")), null);
    assert.equal(amendContainment(state, TWO, seen("contained", "bot")), null);
    const found = readContainment(state, ONE, 7);
    assert.deepEqual([found?.grade, found?.examinedMs, found?.scopes.length], ["partly", 7, 2]);
    assert.equal(readContainment(state, TWO, 7), null, "what nobody looked at is not amended");
  });

  test("is carried to a policy of the same scopes, with its age; nothing is made of nothing", (context) => {
    const state = temporaryDirectory(context);
    writeContainment(state, ONE, seen("not-contained"), 7);
    carryContainment(state, ONE, TWO);
    assert.deepEqual(
      [readContainment(state, TWO, 7)?.grade, readContainment(state, TWO, 7)?.examinedMs],
      ["not-contained", 7],
    );
    carryContainment(state, { id: 9, sha256: "z" }, { id: 10, sha256: "y" });
    assert.equal(readContainment(state, { id: 10, sha256: "y" }, 7), null);
  });

  test("is kept for the newest eight policies", (context) => {
    const state = temporaryDirectory(context);
    for (let id = 1; id <= 9; id += 1) writeContainment(state, { id, sha256: "a" }, seen("contained"), 0);
    assert.equal(readContainment(state, { id: 1, sha256: "a" }, 0), null);
    assert.equal(readContainment(state, { id: 2, sha256: "a" }, 0)?.grade, "contained");
  });
});
