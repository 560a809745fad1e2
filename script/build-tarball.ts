// Builds the npm package: `npm run tarball [FOLDER]`. It is laid out in a folder of its own, because `dist` is a link
// in a checkout, which npm leaves out; so the checkout itself stays private and cannot be published by mistake.
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { VERSION } from "../src/core/base/version.ts";

const ROOT = join(import.meta.dirname, "..");
const SHIPPED = ["schema", "share", "LICENSE", "README.md", "CHANGELOG.md"];
/** What only Debian's or npm's own packaging needs is not in the other's. */
const NOT_SHIPPED = /^(\.stamp|\.compile-cache|debian|npm)$/;
const KEPT = [
  "name",
  "version",
  "description",
  "license",
  "type",
  "engines",
  "dependencies",
  "optionalDependencies",
];
const PACK_LIMIT_MS = 2 * 60_000;

interface Lock {
  readonly packages: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

if (import.meta.main) console.log(buildTarball(resolve(process.argv[2] ?? ROOT)));

/** Builds the package into `folder` and returns its path. */
export function buildTarball(folder: string): string {
  const stage = mkdtempSync(join(tmpdir(), "seawall-npm-"));
  try {
    copy(join(ROOT, "dist"), join(stage, "dist"));
    for (const name of SHIPPED) copy(join(ROOT, name), join(stage, name));
    mkdirSync(join(stage, "bin"));
    cpSync(join(ROOT, "share/npm/seawall"), join(stage, "bin/seawall"));
    chmodSync(join(stage, "bin/seawall"), 0o755);
    const published = publishedPackage();
    writeFileSync(join(stage, "package.json"), `${JSON.stringify(published, null, 2)}\n`);
    writeFileSync(
      join(stage, "npm-shrinkwrap.json"),
      `${JSON.stringify(publishedLock(published), null, 2)}\n`,
    );
    mkdirSync(folder, { recursive: true });
    pack(stage, folder);
    return join(folder, `seawall-${VERSION}.tgz`);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

function copy(from: string, to: string): void {
  cpSync(from, to, {
    recursive: true,
    dereference: true,
    filter: (path) => !NOT_SHIPPED.test(basename(path)),
  });
}

function publishedPackage(): Record<string, unknown> {
  const own = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Record<string, unknown>;
  return {
    ...Object.fromEntries(KEPT.map((key) => [key, own[key]])),
    os: ["linux"],
    bin: { seawall: "bin/seawall" },
    files: ["bin", "dist", "npm-shrinkwrap.json", ...SHIPPED],
  };
}

/** The versions that were tested are the versions that a stranger gets. */
function publishedLock(published: Readonly<Record<string, unknown>>): unknown {
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as Lock;
  const kept = Object.entries(lock.packages).filter(([path, entry]) => path !== "" && entry["dev"] !== true);
  return { ...lock, packages: { "": published, ...Object.fromEntries(kept) } };
}

function pack(stage: string, folder: string): void {
  const { status, stderr, error } = spawnSync(
    "npm",
    ["pack", "--ignore-scripts", "--loglevel=error", "--pack-destination", folder],
    { cwd: stage, encoding: "utf8", timeout: PACK_LIMIT_MS },
  );
  if (status !== 0) throw new Error(`npm pack: ${stderr ?? ""}${error?.message ?? ""}`);
}
