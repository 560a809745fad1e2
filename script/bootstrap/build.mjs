import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { Failure } from "./failure.mjs";
import { withLock } from "./lock.mjs";
import { assertWritable } from "./modules.mjs";

/** Files under src that the built program reads beside its JavaScript. */
const ASSET = /\.(sql|sh|nft|json|yaml|html|css|svg|woff2|txt)$/;
const ALSO_DECIDES = [
  "tsconfig.json",
  "tsconfig.build.json",
  "package-lock.json",
  "script/bootstrap/build.mjs",
];
const BUILDS_KEPT = 3;
const BUILD_LIMIT_MS = 5 * 60_000;

/**
 * Builds dist/ when a source file is newer than it.
 * `dist` is a symbolic link to a folder `.dist-*` beside it, because a link can be swapped in one step:
 * a program that starts meanwhile sees the old build or the new one, and one that runs keeps its own.
 */
export async function ensureBuild(root, node) {
  const stamp = join(root, "dist/.stamp");
  if (read(stamp) === fingerprint(root)) return;
  assertWritable(root);
  await withLock(join(root, ".cache/bootstrap.lock"), () => {
    const wanted = fingerprint(root);
    if (read(stamp) !== wanted) build(root, node, wanted);
  });
}

function build(root, node, wanted) {
  const name = `.dist-${Date.now().toString(36)}-${process.pid}`;
  const folder = join(root, name);
  try {
    compile(root, node, folder);
    copyAssets(root, folder);
    writeFileSync(join(folder, ".stamp"), wanted);
    pointTo(root, name);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  removeOldBuilds(root, name);
}

/** Types are the work of `npm run check`; a build only refuses what cannot be JavaScript. */
function compile(root, node, folder) {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const args = [tsc, "-p", join(root, "tsconfig.build.json"), "--outDir", folder, "--noCheck"];
  const result = spawnSync(node, args, { cwd: root, encoding: "utf8", timeout: BUILD_LIMIT_MS });
  if (result.status === 0) return;
  const lines = `${result.stdout}${result.stderr}`.trim().split("\n").slice(0, 20).join("\n");
  throw new Failure(`the build failed\n${lines || result.error}`, "npm run check");
}

function copyAssets(root, folder) {
  const src = join(root, "src");
  for (const file of walk(src).filter((path) => ASSET.test(path))) {
    const target = join(folder, relative(src, file));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(file, target);
  }
}

function pointTo(root, name) {
  const dist = join(root, "dist");
  const link = join(root, `${name}.link`);
  symlinkSync(name, link);
  // A real folder is left from a build by hand; a link cannot replace it.
  if (existsSync(dist) && !lstatSync(dist).isSymbolicLink()) rmSync(dist, { recursive: true });
  renameSync(link, dist);
}

/** Keeps the newest builds: daemons that run from an older one still load files from it. */
function removeOldBuilds(root, current) {
  const builds = readdirSync(root).filter((entry) => entry.startsWith(".dist-") && entry !== current);
  const finished = builds.filter((entry) => existsSync(join(root, entry, ".stamp"))).sort();
  const kept = new Set(finished.slice(-(BUILDS_KEPT - 1)));
  for (const entry of builds)
    if (!kept.has(entry)) rmSync(join(root, entry), { recursive: true, force: true });
}

/** Changes with any source file's name, size or time of change. */
function fingerprint(root) {
  const hash = createHash("sha256");
  const sources = walk(join(root, "src")).filter((path) => !path.endsWith(".test.ts"));
  for (const file of [...sources, ...ALSO_DECIDES.map((name) => join(root, name))]) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${relative(root, file)} ${size} ${mtimeMs}\n`);
  }
  return hash.digest("hex");
}

function walk(folder) {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? walk(path) : [path];
  });
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
