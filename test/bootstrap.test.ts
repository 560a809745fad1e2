import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type Checkout, copyCheckout, type Outcome, realModules, run } from "./support/checkout.ts";

const QUIET: Outcome = { code: 0, out: "", err: "" };
const IS_ROOT = process.geteuid?.() === 0;

function bootstrap(
  checkout: Checkout,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Outcome> {
  const options = { cwd: checkout.root, env: { ...process.env, ...env } };
  return run(process.execPath, ["bootstrap.mjs", ...args], options);
}

describe("a build", () => {
  test("happens once, says nothing, and a second time does nothing", async () => {
    using checkout = copyCheckout();
    assert.deepEqual(await bootstrap(checkout, ["build"]), QUIET);
    const first = readlinkSync(join(checkout.root, "dist"));
    assert.deepEqual(await bootstrap(checkout, ["build"]), QUIET);
    assert.equal(readlinkSync(join(checkout.root, "dist")), first);
  });

  test("happens again when a source changed, and older builds stay for what runs from them, but not for ever", async () => {
    using checkout = copyCheckout();
    for (const version of ["1", "22", "333", "4444", "55555"]) {
      checkout.write("src/cli/main.ts", `console.log("${version}");`);
      assert.equal((await bootstrap(checkout, ["cli"])).out, `${version}\n`);
    }
    assert.equal(readdirSync(checkout.root).filter((name) => name.startsWith(".dist-")).length, 3);
  });

  test("that fails says why and leaves the last one in place", async () => {
    using checkout = copyCheckout();
    await bootstrap(checkout, ["build"]);
    checkout.write("src/cli/broken.ts", "export const = ;");
    const { code, out, err } = await bootstrap(checkout, ["build"]);
    assert.deepEqual({ code, out }, { code: 2, out: "" });
    assert.match(err, /the build failed\nsrc\/cli\/broken\.ts\(1,/);
    assert.equal((await run(join(checkout.root, "seawall"), ["--version"])).out, "0.0.1\n");
    assert.equal(readdirSync(checkout.root).filter((name) => name.startsWith(".dist-")).length, 1);
  });

  test("copies what a program reads beside its code, and no test", async () => {
    using checkout = copyCheckout();
    checkout.write("src/edge/store/migration/0001-init.sql", "CREATE TABLE flow (id INTEGER);");
    checkout.write("src/edge/store/store.test.ts", "throw new Error();");
    await bootstrap(checkout, ["build"]);
    const store = join(checkout.root, "dist/edge/store");
    assert.deepEqual(readdirSync(store), ["migration"]);
    assert.deepEqual(readdirSync(join(store, "migration")), ["0001-init.sql"]);
  });

  test("by hand into a real dist folder is replaced", async () => {
    using checkout = copyCheckout();
    checkout.write("dist/cli/main.js", "console.log('old');");
    assert.deepEqual(await bootstrap(checkout, ["cli", "--version"]), { ...QUIET, out: "0.0.1\n" });
  });
});

describe("./seawall", () => {
  const rows: readonly { title: string; start: (checkout: Checkout) => Promise<Outcome> }[] = [
    {
      title: "with an empty environment",
      start: ({ root }) => run(join(root, "seawall"), ["--version"], { env: {} }),
    },
    {
      title: "from another folder",
      start: ({ root }) => run(join(root, "seawall"), ["--version"], { cwd: "/" }),
    },
    { title: "as ./seawall", start: ({ root }) => run("./seawall", ["--version"], { cwd: root }) },
    { title: "as sh seawall", start: ({ root }) => run("/bin/sh", ["seawall", "--version"], { cwd: root }) },
    {
      title: "through an absolute symbolic link",
      start: ({ root }) => {
        symlinkSync(join(root, "seawall"), join(root, "src/link"));
        return run(join(root, "src/link"), ["--version"], { cwd: "/", env: {} });
      },
    },
    {
      title: "through a relative link to a link",
      start: ({ root }) => {
        symlinkSync("../seawall", join(root, "src/link"));
        symlinkSync("src/link", join(root, "again"));
        return run("./again", ["--version"], { cwd: root, env: {} });
      },
    },
    {
      title: "in an empty network namespace with a home that does not exist",
      start: ({ root }) => {
        const flags = IS_ROOT ? ["-n"] : ["-r", "-n"];
        const command = ["env", "-i", "HOME=/nonexistent", join(root, "seawall"), "--version"];
        return run("/usr/bin/unshare", [...flags, ...command], { cwd: "/" });
      },
    },
  ];
  for (const { title, start } of rows) {
    test(`starts ${title}, built and not yet built`, async () => {
      using checkout = copyCheckout();
      assert.deepEqual(await start(checkout), { ...QUIET, out: "0.0.1\n" });
      rmSync(join(checkout.root, "again"), { force: true });
      rmSync(join(checkout.root, "src/link"), { force: true });
      assert.ok(existsSync(join(checkout.root, "dist/.stamp")));
      assert.deepEqual(await start(checkout), { ...QUIET, out: "0.0.1\n" });
    });
  }

  test("passes arguments, standard input and the exit code as they are", async () => {
    using checkout = copyCheckout();
    const seawall = join(checkout.root, "seawall");
    assert.equal((await run(seawall, ["arguments", "a b", "", "*", "$x"])).out, '["a b","","*","$x"]\n');
    assert.equal((await run(seawall, ["input"], { input: "{}" })).out, "{}\n");
    assert.equal((await run(seawall, ["exit", "6"])).code, 6);
  });

  test("says what to do when the build fails, and prints nothing on standard output", async () => {
    using checkout = copyCheckout();
    checkout.write("src/cli/main.ts", "export const = ;");
    const { code, out, err } = await run(join(checkout.root, "seawall"), ["--version"]);
    assert.deepEqual({ code, out }, { code: 2, out: "" });
    assert.match(err, /the build failed/);
  });
});

describe("a task", () => {
  test("passes its exit code on", async () => {
    using checkout = copyCheckout();
    assert.equal((await bootstrap(checkout, ["cli", "exit", "7"])).code, 7);
    assert.equal((await bootstrap(checkout, ["cli", "die"])).code, 128 + 9);
  });

  test("gets the signal that bootstrap gets", async () => {
    using checkout = copyCheckout();
    const child = spawn(process.execPath, ["bootstrap.mjs", "cli", "wait"], { cwd: checkout.root });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill("SIGTERM");
    assert.equal(await new Promise((resolve) => child.once("exit", resolve)), 5);
  });

  test("runs with Node 24 first in PATH", async () => {
    using checkout = copyCheckout();
    checkout.write("src/cli/main.ts", 'console.log(process.env["PATH"]?.split(":")[0], process.execPath);');
    const { out } = await bootstrap(checkout, ["cli"]);
    const [first = "", node = ""] = out.trim().split(" ");
    assert.equal(realpathSync(join(first, "node")), node);
  });

  test("that nobody knows is refused with the ones there are", async () => {
    using checkout = copyCheckout();
    const { code, err } = await bootstrap(checkout, ["biuld"]);
    assert.equal(code, 2);
    assert.match(err, /unknown task `biuld`\n.*Next: node bootstrap\.mjs build\|cli\|lab/);
  });
});

describe("an installation", () => {
  const fakeNpm = (checkout: Checkout, script: string): NodeJS.ProcessEnv => {
    checkout.write("fake/npm", `#!/bin/sh\n${script}\n`, 0o755);
    return { PATH: `${join(checkout.root, "fake")}:/usr/bin:/bin` };
  };
  const failures: readonly [npm: string, message: RegExp, next: RegExp][] = [
    ["npm error code EAI_AGAIN", /registry cannot be reached \(no network/, /npm ping/],
    ["npm error code ECONNREFUSED", /registry cannot be reached/, /npm ping/],
    ["npm ERR! code E403", /registry refused a package: code E403/, /npm config get registry/],
    ["npm error code ENOSPC", /the disk is full/, /df -h/],
    ["npm error code EROFS", /npm may not write here/, /ls -ld/],
    ["npm error code EWHAT", /`npm ci` failed: code EWHAT/, /npm ci --ignore-scripts/],
  ];
  for (const [words, message, next] of failures) {
    test(`that ends with \`${words}\` says so in one message with one command`, async () => {
      using checkout = copyCheckout({ modules: false });
      const { code, out, err } = await bootstrap(
        checkout,
        ["build"],
        fakeNpm(checkout, `echo '${words}' >&2; exit 1`),
      );
      const [size = "", what = "", then = "", ...rest] = err.split("\n");
      assert.deepEqual({ code, out, rest }, { code: 2, out: "", rest: [""] });
      assert.match(size, /about 400 MB, of which Node 24 is 189 MB/);
      assert.match(what, message);
      assert.match(then, next);
    });
  }

  test("has a complete lockfile: npm ci refuses one that leaves out the packages of other systems", () => {
    const packages = lockfile();
    const asked = Object.values(packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}));
    assert.deepEqual(
      asked.filter((name) => packages[`node_modules/${name}`] === undefined),
      [],
    );
  });

  test("without npm says which package brings it", async () => {
    using checkout = copyCheckout({ modules: false });
    const { code, err } = await bootstrap(checkout, ["build"], { PATH: "/nonexistent" });
    assert.equal(code, 2);
    assert.match(err, /npm is not installed.*\n.*Next: apt-get install npm/);
  });

  test("happens once when four copies start at the same time", async () => {
    using checkout = copyCheckout({ modules: false });
    const env = fakeNpm(checkout, `echo "$*" >> installed; sleep 0.3; ln -s '${realModules()}' node_modules`);
    const outcomes = await Promise.all(
      [1, 2, 3, 4].map(() => bootstrap(checkout, ["cli", "--version"], env)),
    );
    assert.deepEqual(
      outcomes.map(({ code, out }) => `${code} ${out}`),
      Array(4).fill("0 0.0.1\n"),
    );
    assert.match(readFileSync(join(checkout.root, "installed"), "utf8"), /^ci --ignore-scripts [^\n]*\n$/);
    assert.deepEqual(readdirSync(join(checkout.root, ".cache")), []);
  });

  test("takes over the lock of a process that died", async () => {
    using checkout = copyCheckout();
    checkout.write(".cache/bootstrap.lock", `${process.pid} 1`);
    assert.deepEqual(await bootstrap(checkout, ["build"]), QUIET);
    assert.deepEqual(readdirSync(join(checkout.root, ".cache")), []);
  });

  test("into a folder that cannot be written is refused before anything is done", async () => {
    using checkout = copyCheckout({ modules: false });
    const mount = 'mount --bind "$PWD" "$PWD" && mount -o remount,ro,bind "$PWD" && cd "$PWD"';
    const lock = IS_ROOT ? mount : 'chmod 555 "$PWD"';
    const script = `${lock} && "$0" bootstrap.mjs build; code=$?; ${IS_ROOT ? ":" : 'chmod 755 "$PWD"'}; exit $code`;
    const shell = ["/bin/sh", "-c", script, process.execPath];
    const command = IS_ROOT ? ["/usr/bin/unshare", "-m", ...shell] : shell;
    const { code, err } = await run(command[0] ?? "", command.slice(1), { cwd: checkout.root });
    assert.equal(code, 2);
    assert.match(
      err,
      /is (on a read-only file system|not writable for this user) and is not prepared yet\n.*cp -r/,
    );
  });
});

function lockfile(): Record<string, { optionalDependencies?: Record<string, string> }> {
  const text = readFileSync(join(import.meta.dirname, "../package-lock.json"), "utf8");
  return (JSON.parse(text) as { packages: ReturnType<typeof lockfile> }).packages;
}
