/** The pages of share/man as groff and man read them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { GROUPS } from "../../../src/cli/group.ts";
import { run } from "../../support/host/command.ts";

const MAN = join(import.meta.dirname, "..", "..", "..", "share", "man");
const env = { PATH: "/usr/bin:/bin", LC_ALL: "C.UTF-8", MANWIDTH: "100" };

for (const page of ["man1/seawall.1", "man5/seawall-policy.5"]) {
  const path = join(MAN, page);

  test(`${page}: groff has nothing to complain about`, async () => {
    const done = await run(["/usr/bin/groff", "-man", "-ww", "-z", "-Kutf8", "-Tutf8", path], { env });
    assert.deepEqual([done.code, done.stdout, done.stderr], [0, "", ""]);
  });

  test(`${page}: man shows it without a warning`, async () => {
    const done = await run(["/usr/bin/man", "--warnings", "-P", "/bin/cat", "-l", path], { env });
    assert.deepEqual([done.code, done.stderr], [0, ""]);
    assert.match(done.stdout, /^NAME$/m);
    assert.match(done.stdout, /^SEE ALSO$/m);
  });
}

test("man shows every command under its name", async () => {
  const { stdout } = await run(["/usr/bin/man", "-P", "/bin/cat", "-l", join(MAN, "man1/seawall.1")], {
    env,
  });
  for (const words of GROUPS.flatMap(({ commands }) => commands))
    assert.match(stdout, new RegExp(`^ +seawall ${words}$`, "m"));
});
