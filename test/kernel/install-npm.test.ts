// The npm package as a stranger gets it: installed into an empty folder by a user without rights.
import assert from "node:assert/strict";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { buildTarball } from "../../script/build-tarball.ts";
import { readInstallTree, sha256OfTreeFile } from "../../src/install/tree.ts";
import { describe as say, run, type RunOptions, runOk } from "../support/host/command.ts";

const ROOT = join(import.meta.dirname, "../..");
/** Kept between runs, as the folder of a user who has used npm before. */
const NPM_CACHE = join(ROOT, ".cache/npm-stranger");
const NOBODY = 65_534;
const INSTALL_DEADLINE_MS = 3 * 60_000;

describe("the npm package", () => {
  let folder: string;
  let tarball: string;
  /** Where this machine gets packages from is the machine's business; all else is a new user's. */
  const settings = Object.fromEntries(
    Object.entries(process.env).filter(([name]) =>
      /^(NODE_EXTRA_CA_CERTS|npm_config_registry|https?_proxy)$/i.test(name),
    ),
  ) as Record<string, string>;
  const stranger = (words: readonly string[]): readonly [readonly string[], RunOptions] => [
    ["setpriv", "--reuid", String(NOBODY), "--regid", String(NOBODY), "--clear-groups", ...words],
    {
      cwd: join(folder, "empty"),
      deadlineMs: INSTALL_DEADLINE_MS,
      env: {
        ...settings,
        PATH: process.env["PATH"] ?? "",
        HOME: join(folder, "home"),
        npm_config_cache: join(folder, "cache"),
      },
    },
  ];
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "seawall-test-"));
    chmodSync(folder, 0o755);
    mkdirSync(NPM_CACHE, { recursive: true });
    for (const name of ["empty", "home", "cache"]) {
      mkdirSync(join(folder, name));
      chownSync(join(folder, name), NOBODY, NOBODY);
    }
    await runOk(["cp", "-r", `${NPM_CACHE}/.`, join(folder, "cache")]);
    await runOk(["chown", "-R", `${NOBODY}:${NOBODY}`, join(folder, "cache")]);
    tarball = buildTarball(folder);
    await runOk(
      ...stranger([
        "npm",
        "install",
        "--prefer-offline",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
        tarball,
      ]),
    );
  });
  after(async () => {
    await run(["cp", "-r", `${join(folder, "cache")}/.`, NPM_CACHE]);
    rmSync(folder, { recursive: true, force: true });
  });

  it("holds what runs and what is installed, and nothing else of the checkout", async () => {
    const names = (await runOk(["tar", "-tzf", tarball])).trim().split("\n");
    const tops = new Set(names.map((name) => name.split("/")[1]));
    const wanted = "CHANGELOG.md LICENSE README.md bin dist node_modules package.json schema share";
    assert.equal([...tops].toSorted((a = "", b = "") => (a < b ? -1 : 1)).join(" "), wanted);
    assert.deepEqual(
      names.filter((name) =>
        /\.ts$|\.test\.|\.stamp|compile-cache/.test(name.replace(/^package\/node_modules\/.*/, "")),
      ),
      [],
    );
  });

  it("`npx seawall audit` works for a user without rights", async () => {
    const result = await run(...stranger(["npx", "--offline", "seawall", "audit", "--json"]));
    assert.ok(result.code === 0 || result.code === 1, say(result));
    const { findings } = JSON.parse(result.stdout) as { findings: readonly { id: string; layer: string }[] };
    assert.ok(new Set(findings.map(({ layer }) => layer)).size >= 8, `${findings.length} findings`);
  });

  it("what needs root says so", async () => {
    const result = await run(...stranger(["npx", "--offline", "seawall", "install"]));
    assert.equal(result.code, 5, say(result));
  });

  it("installs the same files as the checkout, byte for byte", () => {
    const root = join(folder, "empty/node_modules/seawall");
    assert.ok(existsSync(root));
    const lines = (from: string): readonly string[] =>
      readInstallTree(from).map((file) => `${file.mode} ${sha256OfTreeFile(file)} ${file.path}`);
    assert.deepEqual(lines(root), lines(ROOT));
  });

  it("brings every package along, so that none of them can be another one tomorrow", async () => {
    const outside = readdirSync(join(folder, "empty/node_modules")).filter((name) => !name.startsWith("."));
    const exact = ["@koromix", `node-linux-${process.arch}`, "seawall"];
    assert.deepEqual(
      outside.toSorted((a, b) => (a < b ? -1 : 1)),
      exact,
    );
    const published = await runOk(["tar", "-xzOf", tarball, "package/package.json"]);
    const { optionalDependencies } = JSON.parse(published) as {
      optionalDependencies: Record<string, string>;
    };
    for (const version of Object.values(optionalDependencies)) assert.match(version, /^\d+\.\d+\.\d+$/);
  });
});
