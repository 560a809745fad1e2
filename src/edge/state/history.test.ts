import assert from "node:assert/strict";
import { appendFileSync, cpSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { temporaryDirectory } from "../../../test/support/temporary-directory.ts";
import { HISTORY_FORMAT } from "./history-entry.ts";
import { readHistory, readPolicyOf } from "./history.ts";

/** One entry of each format, as the version wrote it. Never edited; a new format brings its own. */
const WRITTEN = join(import.meta.dirname, "..", "..", "..", "test", "cases", "history");

function state(context: TestContext): string {
  const folder = temporaryDirectory(context);
  cpSync(WRITTEN, join(folder, "history"), { recursive: true });
  return folder;
}

test("an entry of every format that there was is still read", (context) => {
  const ids = readHistory(state(context)).map(({ id }) => id);
  assert.deepEqual(
    ids,
    Array.from({ length: HISTORY_FORMAT }, (_, at) => at + 1),
  );
});

test("the policy of each can still be gone back to", (context) => {
  const folder = state(context);
  for (const entry of readHistory(folder)) {
    const { text, dropIns } = readPolicyOf(folder, entry);
    assert.match(text, /^version: 1$/m);
    assert.deepEqual(
      dropIns.map(({ file }) => file),
      entry.dropIns ?? [],
    );
  }
});

test("what a version did not know yet is absent, and not made up", (context) => {
  const [first, second, third, fourth, fifth, sixth] = readHistory(state(context));
  assert.deepEqual([first?.dropIns, first?.elements, first?.kind], [undefined, undefined, undefined]);
  assert.deepEqual([second?.dropIns, second?.elements], [["policy.d/10-web.yaml"], undefined]);
  assert.deepEqual([third?.elements, third?.kind], [12, undefined]);
  assert.deepEqual([fourth?.kind, fourth?.before], ["panic", 3]);
  assert.deepEqual([fourth?.how, fourth?.over], [undefined, undefined]);
  assert.deepEqual([fifth?.how, fifth?.from, fifth?.over], ["rollback", 2, undefined]);
  assert.deepEqual(sixth?.over, { kind: "policy", id: 3, sha256: "b8164a", held: false });
});

test("a policy that was changed after it was applied is refused", (context) => {
  const folder = state(context);
  appendFileSync(join(folder, "history", "000001.yaml"), "# later\n");
  const [first] = readHistory(folder);
  assert.ok(first !== undefined);
  assert.throws(() => readPolicyOf(folder, first), /is not what was applied/);
});
