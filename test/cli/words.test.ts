/** What the command line makes of its first words: help, version, and words that are no command. */
import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { VERSION } from "../../src/core/base/version.ts";
import { POLICY_VERSION } from "../../src/core/policy/parse/vocabulary.ts";
import { HISTORY_FORMAT } from "../../src/edge/state/history-entry.ts";
import { STORE_FORMAT } from "../../src/edge/store/migration/list.ts";
import { run } from "../support/checkout.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const seawall = (line: string) =>
  run(process.execPath, [join(ROOT, "src", "cli", "main.ts"), ...line.split(" ").filter(Boolean)], {
    cwd: "/",
    env: process.env,
    input: "",
  });

for (const [line, words] of [
  ["statsu", "there is no command `statsu`; did you mean `status`?"],
  ["statsu --json", "there is no command `statsu`; did you mean `status`?"],
  ["polcy check", "there is no command `polcy`; did you mean `policy check`?"],
  ["policy chekc", "there is no command `policy chekc`; did you mean `policy check`?"],
  ["policy frobnicate", "there is no command `policy frobnicate`"],
  ["policy", "`seawall policy` is not a whole command"],
  ["audit hstory", "there is no command `audit hstory`; did you mean `audit history`?"],
  ["frobnicate", "there is no command `frobnicate`"],
  ["constructor", "there is no command `constructor`"],
  ["help statsu", "there is no command `statsu`; did you mean `status`?"],
  ["apply --dry-rnu", "`seawall apply` has no option `--dry-rnu`; did you mean `--dry-run`?"],
  ["apply --frobnicate", "`seawall apply` has no option `--frobnicate`"],
  ["flows -x", "`seawall flows` has no option `-x`"],
  ["flows --since", "option '--since <value>' argument missing"],
] as const) {
  test(`seawall ${line}: ${words}`, async () => {
    const { code, out, err } = await seawall(line);
    const [first, second, third] = err.split("\n");
    assert.deepEqual([code, out, first, second], [2, "", `error: ${words}`, "still true: nothing was done"]);
    assert.match(third ?? "", /^try: seawall ([a-z ]+ )?--help$/);
  });
}

for (const [line, expected] of [
  ["", /^usage: seawall COMMAND/m],
  ["--help", /^see what is so now:$/m],
  ["help", /^the way back:$/m],
  ["help policy check", /^usage: seawall policy check \[FILE\]/m],
  ["--help status", /^usage: seawall status/m],
  ["policy --help", /^ {2}policy check {3,}Check a policy file$/m],
  ["help policy", /^ {2}policy fmt/m],
  ["audit diff -h", /^usage: seawall audit diff/m],
  ["--version", new RegExp(`^seawall ${VERSION.replaceAll(".", "\\.")}$`, "m")],
] as const) {
  test(`seawall ${line} explains itself on standard output`, async () => {
    const { code, out, err } = await seawall(line);
    assert.deepEqual([code, err], [0, ""]);
    assert.match(out, expected);
  });
}

test("version --json says what a report of a problem needs", async () => {
  const { code, out } = await seawall("version --json");
  assert.equal(code, 0);
  const versions = JSON.parse(out) as Record<string, unknown>;
  assert.equal(versions["schema"], "seawall/v1");
  assert.equal(versions["version"], VERSION);
  assert.equal(versions["node"], process.versions.node);
  assert.deepEqual(versions["from"], { kind: "checkout", path: ROOT });
  assert.deepEqual(versions["formats"], {
    policy: POLICY_VERSION,
    store: STORE_FORMAT,
    history: HISTORY_FORMAT,
  });
  assert.match(String(versions["kernel"]), /^\d+\.\d+/);
});
