// A policy or a set that is no ordinary file is refused at once: nothing waits, nothing is read without end.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));
const DEADLINE_MS = 20_000;
const HUGE_BYTES = 64 * 1024 * 1024;

describe("a file that is none", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "unusable-"));
    const at = (name: string) => join(folder, name);
    execFileSync("mkfifo", [at("fifo")]);
    mkdirSync(at("directory"));
    symlinkSync("loop", at("loop"));
    symlinkSync("nowhere", at("dangling"));
    symlinkSync("/dev/zero", at("device"));
    writeFileSync(at("sparse"), "");
    truncateSync(at("sparse"), HUGE_BYTES);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const check = (name: string) =>
    spawnSync(process.execPath, [MAIN, "policy", "check", join(folder, name)], {
      encoding: "utf8",
      timeout: DEADLINE_MS,
    });

  for (const name of ["fifo", "directory", "loop", "dangling", "device"]) {
    it(`as a policy is refused: ${name}`, () => {
      const { status, stderr, signal } = check(name);
      assert.equal(signal, null, "it did not end by itself");
      assert.equal(status, 3, stderr);
      assert.match(stderr, /SEAWALL_NOT_FOUND/);
    });
  }

  it("as a policy is refused: a sparse file of 64 MiB", () => {
    const { status, stdout, stderr } = check("sparse");
    assert.equal(status, 2, stderr);
    assert.ok((stdout + stderr).length < 20_000, "the file is not printed");
  });

  for (const name of ["fifo", "directory", "loop", "dangling", "device", "sparse"]) {
    it(`as a set is refused: ${name}`, () => {
      const rule = "  - {deny: any, from: bad, why: a rule of this test}";
      writeFileSync(join(folder, "policy"), `version: 1\nsets: {bad: {file: ${name}}}\ninbound:\n${rule}\n`);
      const { status, stdout, stderr, signal } = check("policy");
      assert.equal(signal, null, "it did not end by itself");
      assert.equal(status, 2, stderr);
      assert.match(stdout + stderr, /policy\/set-file/);
    });
  }
});
