/** `seawall policy migrate`: what is written, what is kept, and when nothing is. */
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { run } from "../support/checkout.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const CLI = join(import.meta.dirname, "..", "..", "src", "cli", "main.ts");
const OLD = "# ours\ninbound:\n  - {allow: ssh, from: any, why: administration}\n";
const NEW = OLD.replace("inbound:", "version: 1\ninbound:");
const DROP_IN = "outbound:\n  - {allow: a.example.com, ports: 443, why: needed for work}\n";

function machine(context: TestContext, files: Readonly<Record<string, string>>) {
  const folder = temporaryDirectory(context);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const env = { ...process.env, SEAWALL_CONFIG_DIR: join(folder, "etc") };
  return {
    path: (name: string) => join(folder, name),
    read: (name: string) => readFileSync(join(folder, name), "utf8"),
    migrate: (...args: readonly string[]) =>
      run(process.execPath, [CLI, "policy", "migrate", ...args], { cwd: folder, env, input: "" }),
  };
}

test("an older file is written anew, beside a copy of what it was", async (context) => {
  const { path, read, migrate } = machine(context, { "my.yaml": OLD });
  chmodSync(path("my.yaml"), 0o640);
  const { code, out, err } = await migrate("my.yaml");
  assert.equal(code, 0);
  assert.equal(read("my.yaml"), NEW);
  assert.equal(read("my.yaml.before-v1"), OLD);
  assert.deepEqual(
    ["my.yaml", "my.yaml.before-v1"].map((name) => statSync(path(name)).mode & 0o777),
    [0o640, 0o640],
  );
  assert.match(out, /^\+version: 1$/m);
  assert.match(err, /the file from before is .*my\.yaml\.before-v1\nNext: seawall apply\n$/);
});

test("the policy of the configuration folder is migrated together with its drop-ins", async (context) => {
  const files = { "etc/policy.yaml": OLD, "etc/policy.d/web.yaml": DROP_IN };
  const { read, migrate } = machine(context, files);
  assert.equal((await migrate()).code, 0);
  assert.equal(read("etc/policy.yaml"), NEW);
  assert.equal(read("etc/policy.d/web.yaml"), `version: 1\n${DROP_IN.replace("ports", "port")}`);
  assert.equal(read("etc/policy.d/web.yaml.before-v1"), DROP_IN);
});

test("a dry run shows the change and writes nothing", async (context) => {
  const { path, read, migrate } = machine(context, { "my.yaml": OLD });
  const { code, out, err } = await migrate("my.yaml", "--dry-run");
  assert.equal(code, 0);
  assert.match(out, /^\+version: 1$/m);
  assert.match(err, /dry run: nothing was written/);
  assert.equal(read("my.yaml"), OLD);
  assert.ok(!existsSync(path("my.yaml.before-v1")));
});

test("a file of this version is left alone, and no copy is made", async (context) => {
  const { path, migrate } = machine(context, { "my.yaml": NEW });
  const { code, err } = await migrate("my.yaml");
  assert.deepEqual([code, existsSync(path("my.yaml.before-v1"))], [0, false]);
  assert.match(err, /is of version 1: nothing to do/);
});

test("a link to the policy stays a link", async (context) => {
  const { path, read, migrate } = machine(context, { "real.yaml": OLD });
  symlinkSync("real.yaml", path("my.yaml"));
  assert.equal((await migrate("my.yaml")).code, 0);
  assert.deepEqual([read("real.yaml"), read("my.yaml.before-v1")], [NEW, OLD]);
});

for (const [name, files, words] of [
  [
    "of a later version",
    { "my.yaml": "version: 7\ninbound: []\n" },
    /version `7` was written for a later Seawall/,
  ],
  ["that has other errors", { "my.yaml": OLD.replace("ssh", "shh") }, /shh/],
  [
    "whose copy from before is another text",
    { "my.yaml": OLD, "my.yaml.before-v1": "mine\n" },
    /cannot keep a copy as `.*my\.yaml\.before-v1`/,
  ],
] as const) {
  test(`nothing is written of a file ${name}`, async (context) => {
    const { read, migrate } = machine(context, files);
    const { code, err } = await migrate("my.yaml");
    assert.equal(code, 2);
    assert.match(err, words);
    assert.match(err, /still true: (no file was changed|the policy is as it was)/);
    for (const [file, text] of Object.entries(files)) assert.equal(read(file), text);
  });
}

test("an error in a drop-in leaves the main file as it was too", async (context) => {
  const files = { "etc/policy.yaml": OLD, "etc/policy.d/web.yaml": "version: 9\noutbound: []\n" };
  const { read, migrate } = machine(context, files);
  assert.equal((await migrate()).code, 2);
  for (const [file, text] of Object.entries(files)) assert.equal(read(file), text);
});

test("apply, check and explain say which version they read, and that nothing was changed", async (context) => {
  const { path } = machine(context, { "my.yaml": "version: 2\ninbound: []\n" });
  const { code, err } = await run(
    process.execPath,
    [CLI, "explain", "203.0.113.9", "22", "--policy", path("my.yaml")],
    { cwd: "/", env: process.env, input: "" },
  );
  assert.equal(code, 2);
  assert.match(err, /version `2` was written for a later Seawall; this one, \d+\.\d+\.\d+, reads version 1/);
  assert.match(err, /still true: nothing was changed/);
});
