// The unit files of a scope are what systemd itself takes.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { describe, it, type TestContext } from "node:test";
import { dropInText, PARENT_SLICE, sliceOfScope, sliceUnitText } from "../../src/core/containment/slice.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const ANALYZE = "/usr/bin/systemd-analyze";

describe("systemd", () => {
  for (const scope of ["agent", "tenant-1", "a_b-c"]) {
    it(`takes the slice and the drop-in of scope ${scope} without a word`, (t) => {
      assert.deepEqual(verify(t, scope, dropInText(scope)), { status: 0, said: "" });
    });
  }

  it("would say so if it did not know a key", (t) => {
    assert.match(verify(t, "agent", dropInText("agent").replace("Slice=", "Slyce=")).said, /Unknown key/);
  });
});

interface Verified {
  readonly status: number | null;
  readonly said: string;
}

function verify(t: TestContext, scope: string, dropIn: string): Verified {
  const folder = temporaryDirectory(t);
  writeFileSync(`${folder}/openclaw.service`, "[Service]\nExecStart=/bin/true\n");
  mkdirSync(`${folder}/openclaw.service.d`);
  writeFileSync(`${folder}/openclaw.service.d/50-seawall.conf`, dropIn);
  writeFileSync(`${folder}/${sliceOfScope(scope)}`, sliceUnitText(scope));
  writeFileSync(`${folder}/${PARENT_SLICE}`, sliceUnitText(null));
  const units = ["./openclaw.service", `./${sliceOfScope(scope)}`, `./${PARENT_SLICE}`];
  const run = spawnSync(ANALYZE, ["verify", "--man=no", ...units], {
    cwd: folder,
    encoding: "utf8",
    env: { SYSTEMD_UNIT_PATH: `${folder}:` },
  });
  return { status: run.status, said: `${run.stdout}${run.stderr}` };
}
