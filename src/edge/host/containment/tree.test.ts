import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.ts";
import { mayRead, mayReplace, mayWrite } from "./permission.ts";
import { openTree } from "./tree.ts";

const AGENT = { uid: 4242, gids: new Set([4242, 4300]) };

/** A root of its own that everybody may enter. */
function emptyRoot(t: TestContext): string {
  const root = temporaryDirectory(t);
  chmodSync(root, 0o755);
  return root;
}

describe("what a user may do with a path", () => {
  it("is what the kernel says, for any owners and modes of the file and of the folders above it", (t) => {
    const owner = fc.constantFrom(0, 4242, 4243);
    const group = fc.constantFrom(0, 4242, 4300, 4301);
    const mode = fc.integer({ min: 0, max: 0o777 });
    const one = fc.record({ owner, group, mode });
    const root = emptyRoot(t);
    const cases = fc.sample(fc.tuple(one, one, one), { numRuns: 300, seed: 18_900 });
    const paths = cases.map((levels, at) => {
      const [outer, inner, file] = [`/${at}`, `/${at}/in`, `/${at}/in/file`];
      mkdirSync(`${root}${inner}`, { recursive: true });
      writeFileSync(`${root}${file}`, "");
      for (const [index, path] of [outer, inner, file].entries()) {
        const { owner: uid, group: gid, mode: bits } = levels[index] ?? { owner: 0, group: 0, mode: 0 };
        chownSync(`${root}${path}`, uid, gid);
        chmodSync(`${root}${path}`, bits);
      }
      return file;
    });
    const script = 'for path; do r=-; w=-; [ -r "$path" ] && r=r; [ -w "$path" ] && w=w; echo $r$w; done';
    const asAgent = ["--reuid=4242", "--regid=4242", "--groups=4242,4300"];
    const files = paths.map((path) => `${root}${path}`);
    const run = spawnSync("setpriv", [...asAgent, "sh", "-c", script, "sh", ...files], { encoding: "utf8" });
    const kernel = run.stdout.trim().split("\n");
    const tree = openTree(root);
    const ours = paths.map((path, at) => {
      const trail = tree.trail(path);
      // The owner of a file gives itself the right, which access(2) does not foresee.
      const owns = cases[at]?.[2]?.owner === 4242;
      const writes = owns ? (kernel[at]?.[1] ?? "?") : mayWrite(trail, AGENT) ? "w" : "-";
      return `${mayRead(trail, AGENT) ? "r" : "-"}${writes}`;
    });
    assert.deepEqual(ours, kernel);
    assert.ok(new Set(kernel).size === 4, "the cases reach every answer");
  });

  for (const [what, mode, uid, expected] of [
    ["a folder of root's", 0o755, 0, false],
    ["a folder that everybody writes", 0o777, 0, true],
    ["a sticky folder that everybody writes", 0o1777, 0, false],
    ["its own folder", 0o755, 4242, true],
    ["its own folder without any right", 0o000, 4242, true],
  ] as const) {
    it(`a file of root in ${what} is ${expected ? "" : "not "}its to replace`, (t) => {
      const root = emptyRoot(t);
      mkdirSync(`${root}/in`);
      writeFileSync(`${root}/in/file`, "");
      chownSync(`${root}/in`, uid, uid);
      chmodSync(`${root}/in`, mode);
      assert.equal(mayReplace(openTree(root).trail("/in/file"), AGENT), expected);
    });
  }

  it("what is not there yet is its to make where it writes the folder", (t) => {
    const root = emptyRoot(t);
    mkdirSync(`${root}/open`);
    chmodSync(`${root}/open`, 0o1777);
    const tree = openTree(root);
    assert.equal(mayReplace(tree.trail("/open/none/at/all"), AGENT), true);
    assert.equal(mayReplace(tree.trail("/none"), AGENT), false);
  });
});

describe("a link", () => {
  it("of root in root's folder is followed, inside the tree", (t) => {
    const root = emptyRoot(t);
    mkdirSync(`${root}/usr/bin`, { recursive: true });
    writeFileSync(`${root}/usr/bin/sudo`, "here");
    symlinkSync("usr/bin", `${root}/bin`);
    symlinkSync("/usr/bin/sudo", `${root}/usr/bin/sudoedit`);
    const tree = openTree(root);
    assert.equal(tree.trail("/bin/sudo").path, "/usr/bin/sudo");
    assert.equal(tree.text("/bin/sudoedit"), "here");
  });

  it("does not lead out of the tree", (t) => {
    const root = emptyRoot(t);
    symlinkSync("/../../../../../../etc/passwd", `${root}/passwd`);
    assert.equal(openTree(root).text("/passwd"), undefined);
  });

  it("to itself ends", (t) => {
    const root = emptyRoot(t);
    symlinkSync("loop", `${root}/loop`);
    assert.equal(openTree(root).trail("/loop").found, null);
  });

  it("planted by the agent is not followed: root reads no file that it points to", (t) => {
    const root = emptyRoot(t);
    writeFileSync(`${root}/secret`, "secret");
    mkdirSync(`${root}/home/agent`, { recursive: true });
    symlinkSync("/secret", `${root}/home/agent/file`);
    symlinkSync("/", `${root}/home/agent/.ssh`);
    for (const name of ["", "/file", "/.ssh"]) lchownSync(`${root}/home/agent${name}`, 4242, 4242);
    const tree = openTree(root);
    assert.equal(tree.text("/home/agent/file"), undefined);
    assert.equal(tree.text("/home/agent/.ssh/secret"), undefined);
    assert.deepEqual(tree.names("/home/agent/.ssh"), []);
  });

  it("of root in the agent's folder is not followed either: the agent may have moved it there", (t) => {
    const root = emptyRoot(t);
    writeFileSync(`${root}/secret`, "secret");
    mkdirSync(`${root}/agent`);
    symlinkSync("/secret", `${root}/agent/file`);
    chownSync(`${root}/agent`, 4242, 4242);
    assert.equal(openTree(root).text("/agent/file"), undefined);
  });
});

it("a named pipe of the agent's makes nobody wait", (t) => {
  const root = emptyRoot(t);
  spawnSync("mkfifo", [`${root}/pipe`]);
  assert.equal(openTree(root).text("/pipe"), undefined);
});
