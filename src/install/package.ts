/** The npm packages that the built program needs, where npm has put them: beside the source or above it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { SeawallError } from "../core/base/error.ts";

export interface PackageFile {
  /** Below node_modules. */
  readonly name: string;
  readonly from: string;
}

/** What a running program reads of a package, and the terms under which it is passed on. */
const LOADED = /\.(js|cjs|mjs|json|node)$/;
const TERMS = /^(licen[cs]e|notice|copying)(\.(md|txt))?$/i;
/** Our Node is linked with glibc: builds for another C library are never loaded. */
const OTHER_LIBC = /^musl_/;

/** Returns the files of every package that is loaded at run time, sorted. Refuses when one is not there. */
export function packageFiles(root: string): readonly PackageFile[] {
  const found = new Map<string, string>();
  gather(root, true, found);
  return [...found]
    .flatMap(([name, folder]) =>
      walk(folder).map((file) => ({ name: `${name}/${file}`, from: join(folder, file) })),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Returns the Node that comes with the packages, and its terms. Refuses when npm has left it out. */
export function findNode(root: string): { readonly program: string; readonly terms: string } {
  const name = `node-linux-${process.arch}`;
  const folder = findPackage(root, name);
  if (folder === undefined || !existsSync(join(folder, "bin/node"))) throw missing(name);
  return { program: join(folder, "bin/node"), terms: join(folder, "LICENSE") };
}

function gather(folder: string, isRoot: boolean, found: Map<string, string>): void {
  const { dependencies = {}, optionalDependencies = {} } = readPackage(folder);
  // The root's optional packages are the Nodes.
  const optional = isRoot ? [] : Object.keys(optionalDependencies);
  for (const name of [...Object.keys(dependencies), ...optional]) {
    const place = findPackage(folder, name);
    if (place === undefined) {
      if (optional.includes(name)) continue;
      throw missing(name);
    }
    const known = found.get(name);
    if (known === place) continue;
    if (known !== undefined) {
      throw new SeawallError("SEAWALL_INSTALL", `there are two versions of the package \`${name}\``, {
        still: "nothing was changed",
        help: "npm dedupe",
      });
    }
    found.set(name, place);
    gather(place, false, found);
  }
}

/** As Node looks for it: in the node_modules of the folder, then of those above it. */
function findPackage(from: string, name: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const place = join(folder, "node_modules", name);
    if (existsSync(join(place, "package.json"))) return place;
    if (folder === dirname(folder)) return undefined;
  }
}

function readPackage(folder: string): {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
} {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as object;
}

function walk(folder: string, under = ""): string[] {
  return readdirSync(join(folder, under), { withFileTypes: true }).flatMap((entry) => {
    const name = join(under, entry.name);
    if (entry.isDirectory())
      return entry.name === "node_modules" || OTHER_LIBC.test(entry.name) ? [] : walk(folder, name);
    return LOADED.test(entry.name) || TERMS.test(entry.name) ? [name] : [];
  });
}

function missing(name: string): SeawallError {
  return new SeawallError("SEAWALL_INSTALL", `the npm package \`${name}\` is not installed here`, {
    still: "nothing was changed",
    help: "npm install --include=optional",
  });
}
