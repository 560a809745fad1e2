import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/support/temporary-directory.ts";
import { newestId } from "./history-entry.ts";
import { policyHash, readHistory, readPolicyOf, writeHistory } from "./history.ts";
import { readHistoryEntry, type HistoryEntry } from "./history-entry.ts";
import { replaceFile } from "./replace-file.ts";
import { readResolvedPolicy } from "./resolved-policy.ts";

const TEXTS = { text: "version: 1\n", dropIns: [] };
const entry = (id: number): HistoryEntry => ({
  id,
  generation: 1,
  proposedMs: 1,
  confirmedMs: 2,
  policyPath: "/etc/seawall/policy.yaml",
  sha256: policyHash(TEXTS),
  mode: { inbound: "enforce", outbound: "observe" },
  objects: [],
  elements: 0,
  by: "root",
});

for (const [what, torn] of [
  ["empty", ""],
  ["half", '{"id":2,"generation":1,"prop'],
  ["of zeroes", "\0".repeat(300)],
] as const) {
  test(`an entry that a power cut left ${what} is passed over, and its number is not given again`, (context) => {
    const state = temporaryDirectory(context);
    for (const id of [1, 2]) writeHistory(state, entry(id), TEXTS);
    writeFileSync(join(state, "history", "000002.json"), torn);
    assert.deepEqual(
      readHistory(state).map(({ id }) => id),
      [1],
    );
    assert.equal(readHistoryEntry(state, 2), undefined);
    assert.equal(newestId(state), 2);
  });

  test(`a policy that is ${what} is refused, never taken for the one that was applied`, (context) => {
    const state = temporaryDirectory(context);
    writeHistory(state, entry(1), TEXTS);
    writeFileSync(join(state, "history", "000001.yaml"), torn);
    assert.throws(() => readPolicyOf(state, entry(1)), { code: "SEAWALL_STATE" });
  });

  test(`a meaning that is ${what} is none`, (context) => {
    const state = temporaryDirectory(context);
    mkdirSync(join(state, "history"));
    writeFileSync(join(state, "history", "000001.resolved"), torn);
    assert.equal(readResolvedPolicy(state, 1), null);
  });
}

test("a meaning that was left without its entry keeps its number from being given again", (context) => {
  const state = temporaryDirectory(context);
  mkdirSync(join(state, "history"));
  writeFileSync(join(state, "history", "000007.resolved"), "");
  assert.equal(newestId(state), 7);
});

test("a file that cannot be replaced stays as it was, and nothing lies beside it", (context) => {
  const folder = temporaryDirectory(context);
  mkdirSync(join(folder, "place", "inside"), { recursive: true });
  assert.throws(() => replaceFile(join(folder, "place"), "new"), { code: "SEAWALL_STATE" });
  assert.deepEqual(readdirSync(folder), ["place"]);
  replaceFile(join(folder, "file"), "old");
  replaceFile(join(folder, "file"), "new");
  assert.equal(readFileSync(join(folder, "file"), "utf8"), "new");
});
