import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../test/support/temporary-directory.ts";
import { readContainment, writeContainment } from "./containment-record.ts";

test("a record that can neither be written nor removed is trouble that is said, and nothing is thrown", (context) => {
  const state = temporaryDirectory(context);
  // A folder in its place refuses both, like a read-only disk.
  mkdirSync(join(state, "containment.json"));
  writeFileSync(join(state, "containment.json", "file"), "");
  assert.match(writeContainment(state, [], 0) ?? "", /status will not say/);
  assert.equal(readContainment(state, 0), null);
});

for (const text of ["", "{", "null", '{"examinedMs": 1}', '{"examinedMs": 1, "scopes": [{}]}']) {
  test(`a record that was torn to \`${text}\` is none`, (context) => {
    const state = temporaryDirectory(context);
    writeFileSync(join(state, "containment.json"), text);
    assert.equal(readContainment(state, 0), null);
  });
}
