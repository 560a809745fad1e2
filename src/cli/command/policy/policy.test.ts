import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Command } from "../../command.ts";
import { type CheckReport, command as check } from "./check.ts";
import { command as fmt } from "./fmt.ts";
import { command as schema } from "./schema.ts";

const GOOD = "version: 1\ninbound:\n  - allow: ssh\n    from: any\n    why: administration\n";
const BAD = "version: 1\ninbound:\n  - allow: shh\n    from: 192.0.2.7/24\n    wy: x\n";

let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "seawall-policy-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

async function run(command: Command, name: string, text: string, flags: Record<string, boolean> = {}) {
  const path = join(folder, name);
  writeFileSync(path, text);
  const seen = { out: "", err: "", path, code: 0 };
  seen.code = await command.run({
    positionals: [name],
    flags,
    out: (words) => void (seen.out += words),
    err: (words) => void (seen.err += words),
    env: {},
    cwd: folder,
    nowMs: () => Date.UTC(2026, 10, 1),
    signal: new AbortController().signal,
    color: false,
  });
  return seen;
}

test("policy check of a good file says nothing on stdout and returns 0", async () => {
  const { out, err, code } = await run(check, "good.yaml", GOOD);
  assert.deepEqual([out, code], ["", 0]);
  assert.match(err, /good\.yaml: no problems found\n$/);
});

test("policy check --json of a good file is ok", async () => {
  const { out, code } = await run(check, "good.yaml", GOOD, { json: true });
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(out), { schema: "seawall/v1", ok: true, diagnostics: [] });
});

test("policy check --json gives every problem with its place and returns 2", async () => {
  const { out, code } = await run(check, "bad.yaml", BAD, { json: true });
  assert.equal(code, 2);
  const report = JSON.parse(out) as CheckReport;
  assert.equal(report.ok, false);
  assert.deepEqual(
    report.diagnostics.map(
      ({ code: id, severity, span }) => `${severity} ${id} ${span.line}:${span.column}:${span.length}`,
    ),
    [
      "error policy/missing-key 3:5:5",
      "error policy/service 3:12:3",
      "warning policy/host-bits 4:11:12",
      "error policy/unknown-key 5:5:2",
    ],
  );
  for (const diagnostic of report.diagnostics) {
    assert.deepEqual(Object.keys(diagnostic), ["code", "severity", "message", "help", "span"]);
  }
});

test("policy check shows lines and carets to people", async () => {
  const { out, err } = await run(check, "bad.yaml", BAD);
  assert.match(
    out,
    /bad\.yaml:3:12: error: `shh` is not a service \[policy\/service\]\n {2}3 \| {3}- allow: shh\n {4}\| {12}\^\^\^\n {2}help: did you mean `ssh`\?/,
  );
  assert.match(err, /3 errors, 1 warning\n$/);
});

test("policy fmt writes the file and keeps its mode", async () => {
  const path = join(folder, "mode.yaml");
  writeFileSync(path, "");
  chmodSync(path, 0o640);
  const { code } = await run(
    fmt,
    "mode.yaml",
    "version: 1\noutbound:\n- allow: *.example.com # x\n  why: needed for work\n",
  );
  assert.equal(code, 0);
  assert.equal(
    readFileSync(path, "utf8"),
    'version: 1\noutbound:\n  - allow: "*.example.com" # x\n    why: needed for work\n',
  );
  assert.equal(statSync(path).mode & 0o777, 0o640);
});

test("policy fmt --check changes nothing and returns 1", async () => {
  const { code, path } = await run(fmt, "check.yaml", "version:   1   \n", { check: true });
  assert.equal(code, 1);
  assert.equal(readFileSync(path, "utf8"), "version:   1   \n");
  assert.equal((await run(fmt, "check.yaml", GOOD, { check: true })).code, 0);
});

test("policy fmt --stdout prints and changes nothing", async () => {
  const { out, path } = await run(fmt, "stdout.yaml", "version: 1\r\n", { stdout: true });
  assert.equal(out, "version: 1\n");
  assert.equal(readFileSync(path, "utf8"), "version: 1\r\n");
});

test("policy fmt refuses broken YAML", async () => {
  await assert.rejects(run(fmt, "broken.yaml", "a: [1\n"), /not readable as YAML/);
  assert.equal(readFileSync(join(folder, "broken.yaml"), "utf8"), "a: [1\n");
});

test("policy schema prints a JSON Schema", async () => {
  const { out } = await run(schema, "unused.yaml", "");
  assert.equal(
    (JSON.parse(out) as Record<string, unknown>)["$schema"],
    "http://json-schema.org/draft-07/schema#",
  );
});
