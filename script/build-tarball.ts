// Builds the npm package: `npm run tarball [FOLDER]`. It is laid out in a folder of its own, because `dist` is a link
// in a checkout, which npm leaves out; so the checkout itself stays private and cannot be published by mistake.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { VERSION } from "../src/core/base/version.ts";
import { packageFiles } from "../src/install/package.ts";

const ROOT = join(import.meta.dirname, "..");
const SHIPPED = ["schema", "share", "LICENSE", "README.md", "CHANGELOG.md"];
/** What only Debian's or npm's own packaging needs is not in the other's. */
const NOT_SHIPPED = /^(\.stamp|\.compile-cache|debian|npm)$/;
const KEPT = ["name", "version", "description", "license", "type", "engines", "dependencies"];
const PACK_LIMIT_MS = 2 * 60_000;

/**
 * Built for one processor each, so npm fetches the one that fits: this name in node_modules and package-lock.json. The
 * versions of all others come in the tarball.
 */
const PREBUILT = /^@koromix\/koffi-linux-(x64|arm64)$/;

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string }>>;
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
    copyPackages(join(stage, "node_modules"));
    writeFileSync(join(stage, "package.json"), `${JSON.stringify(publishedPackage(), null, 2)}\n`);
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

/**
 * INVARIANT: a stranger gets the versions that were tested. npm does not read a lockfile out of a tarball, and a range
 * in a package of others (`tldts-core: ^7`) would bring whatever is newest on the day: so they travel along.
 */
function copyPackages(to: string): void {
  for (const { name, from } of packageFiles(ROOT)) {
    if (PREBUILT.test(name.split("/").slice(0, 2).join("/"))) continue;
    mkdirSync(dirname(join(to, name)), { recursive: true });
    copyFileSync(from, join(to, name));
  }
}

function publishedPackage(): Record<string, unknown> {
  const own = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
    readonly optionalDependencies: Readonly<Record<string, string>>;
  } & Readonly<Record<string, unknown>>;
  return {
    ...Object.fromEntries(KEPT.map((key) => [key, own[key]])),
    bundleDependencies: Object.keys(own.dependencies),
    optionalDependencies: { ...own.optionalDependencies, ...prebuiltVersions() },
    os: ["linux"],
    bin: { seawall: "bin/seawall" },
    files: ["bin", "dist", ...SHIPPED],
  };
}

function prebuiltVersions(): Record<string, string> {
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as Lock;
  const named = Object.entries(lock.packages).map(
    ([path, { version = "" }]) => [path.replace(/^node_modules\//, ""), version] as const,
  );
  return Object.fromEntries(named.filter(([name]) => PREBUILT.test(name)));
}

function pack(stage: string, folder: string): void {
  const { status, stderr, error } = spawnSync(
    "npm",
    ["pack", "--ignore-scripts", "--loglevel=error", "--pack-destination", folder],
    { cwd: stage, encoding: "utf8", timeout: PACK_LIMIT_MS },
  );
  if (status !== 0) throw new Error(`npm pack: ${stderr ?? ""}${error?.message ?? ""}`);
}
