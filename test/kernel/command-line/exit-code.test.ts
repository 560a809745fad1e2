/** Every command ends with a code that its help explains, also for somebody who is not root and gives no words. */
import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { COMMANDS } from "../../../src/cli/registry.ts";
import { run } from "../../support/host/command.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const MAIN = join(import.meta.dirname, "..", "..", "..", "dist", "cli", "main.js");
/** In a user namespace without a mapping nobody is root, whoever owns the checkout. */
const AS_NOBODY = ["/usr/bin/unshare", "--user"];

for (const [words, { load }] of Object.entries(COMMANDS)) {
  for (const given of ["", "no-such-thing", "--no-such-option"]) {
    test(`seawall ${words} ${given} as nobody`, async (context) => {
      const folder = temporaryDirectory(context);
      const env = {
        SEAWALL_CONFIG_DIR: join(folder, "etc"),
        SEAWALL_STATE_DIR: join(folder, "state"),
        SEAWALL_RUN_DIR: join(folder, "run"),
      };
      const argv = [process.execPath, MAIN, ...words.split(" "), ...(given === "" ? [] : [given])];
      const done = await run([...AS_NOBODY, ...argv], { cwd: folder, env, deadlineMs: 60_000 });
      const { exits } = (await load()).command;
      assert.ok(!done.timedOut && done.code !== null, "it ends");
      assert.ok(
        Object.hasOwn(exits, String(done.code)),
        `exit code ${done.code} is not explained\n${done.stderr}`,
      );
      if (given === "--no-such-option") assert.equal(done.code, 2);
      if (done.code === 5) assert.match(done.stderr, /^try: sudo /m);
      assert.doesNotMatch(done.stderr, /a mistake of Seawall itself/);
    });
  }
}
