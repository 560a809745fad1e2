import assert from "node:assert/strict";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/support/temporary-directory.ts";
import { fileError } from "./file-error.ts";

test("a file that cannot be read says why: not there, a dead link, a circle, no folder", (context) => {
  const folder = temporaryDirectory(context);
  writeFileSync(join(folder, "file"), "");
  mkdirSync(join(folder, "deep"));
  symlinkSync("nowhere", join(folder, "dead"));
  symlinkSync("circle", join(folder, "circle"));
  const rows = [
    ["none", `there is no file \`${folder}/none\``],
    ["deep/er/none", `there is no file \`${folder}/deep/er/none\``],
    ["dead", `\`${folder}/dead\` is a link that leads nowhere`],
    ["circle", `the links of \`${folder}/circle\` lead in a circle`],
    ["file/policy.yaml", `\`${folder}/file\` is not a folder, so there is no \`${folder}/file/policy.yaml\``],
    ["file/a/b", `\`${folder}/file\` is not a folder, so there is no \`${folder}/file/a/b\``],
  ] as const;
  for (const [name, said] of rows) {
    const path = join(folder, name);
    let cause: unknown;
    try {
      readFileSync(path);
    } catch (error) {
      cause = error;
    }
    const error = fileError("read", path, cause);
    assert.deepEqual([error.code, error.message], ["SEAWALL_NOT_FOUND", said]);
  }
});
