import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chownSync, chmodSync, linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { temporaryDirectory } from "../../../test/support/temporary-directory.ts";
import { ownerOf, readOwnedFile } from "./owned-file.ts";

const AGENT = 4242;
const OTHER = 4243;
const BYTES_MAX = 1024;

function home(context: TestContext): string {
  const folder = temporaryDirectory(context);
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, "state"));
  chownSync(join(folder, "state"), AGENT, AGENT);
  return join(folder, "state");
}

function put(path: string, text: string, uid = AGENT, mode = 0o600): string {
  writeFileSync(path, text);
  chownSync(path, uid, uid);
  chmodSync(path, mode);
  return path;
}

function problemOf(path: string): string {
  const read = readOwnedFile({ path, uid: AGENT, bytesMax: BYTES_MAX });
  assert.ok(!read.ok, "it was read");
  return read.problem;
}

describe("a file of the agent is read", () => {
  test("when it is the agent's own", (context) => {
    const path = put(join(home(context), "a.json"), "{}");
    assert.deepEqual(readOwnedFile({ path, uid: AGENT, bytesMax: BYTES_MAX }), { ok: true, text: "{}" });
  });

  test("when it is root's and for everybody", (context) => {
    const path = put(join(home(context), "a.json"), "{}", 0, 0o644);
    assert.equal(readOwnedFile({ path, uid: AGENT, bytesMax: BYTES_MAX }).ok, true);
  });

  test("below a link that root made", (context) => {
    const state = home(context);
    put(join(state, "a.json"), "{}");
    symlinkSync(state, `${state}-link`);
    assert.equal(readOwnedFile({ path: `${state}-link/a.json`, uid: AGENT, bytesMax: BYTES_MAX }).ok, true);
  });
});

describe("root does not read", () => {
  test("a secret of root that the agent points at", (context) => {
    const state = home(context);
    const secret = put(join(state, "..", "secret"), "root's", 0, 0o600);
    symlinkSync(secret, join(state, "a.json"));
    execFileSync("chown", ["-h", `${AGENT}`, join(state, "a.json")]);
    assert.equal(problemOf(join(state, "a.json")), "is reached by a link and was not read");
    assert.match(problemOf(secret), /^belongs to uid 0/);
  });

  test("a secret of root by a hard link", (context) => {
    const state = home(context);
    const secret = put(join(state, "..", "secret"), "root's", 0, 0o600);
    linkSync(secret, join(state, "a.json"));
    assert.match(problemOf(join(state, "a.json")), /^belongs to uid 0/);
  });

  test("a file of somebody else", (context) => {
    const path = put(join(home(context), "a.json"), "theirs", OTHER, 0o644);
    assert.match(problemOf(path), /^belongs to uid 4243/);
  });

  test("through a folder that is a link of the agent", (context) => {
    const state = home(context);
    mkdirSync(join(state, "real"));
    put(join(state, "real", "a.json"), "{}");
    symlinkSync(join(state, "real"), join(state, "linked"));
    execFileSync("chown", ["-h", `${AGENT}`, join(state, "linked")]);
    assert.equal(problemOf(join(state, "linked", "a.json")), "is reached by a link and was not read");
  });

  test("a link that leads to itself", (context) => {
    const state = home(context);
    symlinkSync(join(state, "loop"), join(state, "loop"));
    assert.match(problemOf(join(state, "loop")), /link|ELOOP/);
  });

  test("a pipe, which would make it wait for ever", (context) => {
    const path = join(home(context), "a.json");
    execFileSync("mkfifo", [path]);
    chownSync(path, AGENT, AGENT);
    assert.equal(problemOf(path), "is not a regular file and was not read");
  });

  test("a file of one gigabyte", (context) => {
    const path = put(join(home(context), "a.json"), "{}");
    truncateSync(path, 1024 ** 3);
    assert.equal(problemOf(path), "has more than 1024 bytes and was not read");
  });

  test("a file of one byte too many", (context) => {
    const state = home(context);
    assert.match(problemOf(put(join(state, "a.json"), "x".repeat(BYTES_MAX + 1))), /more than 1024 bytes/);
    const path = put(join(state, "b.json"), "x".repeat(BYTES_MAX));
    assert.equal(readOwnedFile({ path, uid: AGENT, bytesMax: BYTES_MAX }).ok, true);
  });

  test("a path that climbs, is relative or holds a NUL", (context) => {
    const state = home(context);
    for (const path of [`${state}/../x`, "a.json", `${state}/a\0b`]) {
      assert.equal(problemOf(path), "is no plain absolute path and was not read");
    }
  });

  test("an absolute link of a container, which would lead to this host", (context) => {
    const root = temporaryDirectory(context);
    mkdirSync(join(root, "home"));
    symlinkSync("/etc", join(root, "home", "state"));
    const read = readOwnedFile({ path: "/home/state/passwd", uid: AGENT, bytesMax: 1_000_000, root });
    assert.deepEqual(read, { ok: false, problem: "is reached by a link and was not read" });
  });
});

test("the owner of what is reached by a link of the agent is not known", (context) => {
  const state = home(context);
  assert.deepEqual(ownerOf(state), { uid: AGENT, isFolder: true });
  symlinkSync("/root", join(state, "up"));
  execFileSync("chown", ["-h", `${AGENT}`, join(state, "up")]);
  assert.equal(ownerOf(join(state, "up")), null);
});
