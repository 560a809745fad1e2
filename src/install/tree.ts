/** The files of an installation, read from a checkout or an unpacked npm package. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { SeawallError } from "../core/base/error.ts";
import { findNode, packageFiles } from "./package.ts";
import { type Item, LIBRARY, NODE_TERMS, PAYLOAD } from "./payload.ts";

export interface TreeFile {
  /** From the root of the file system of the machine. */
  readonly path: string;
  /** INVARIANT: nobody but root may write any of them. */
  readonly mode: 0o644 | 0o755;
  readonly content: { readonly from: string } | { readonly bytes: Uint8Array };
}

/** Left out of every folder: what a build or a run leaves beside the program. */
const NOT_SHIPPED = /^\.(stamp|compile-cache)(\/|$)/;

/** Returns the folder that this program runs from: a checkout, or an unpacked npm package. */
export function sourceRoot(): string {
  return fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
}

/** Returns every file of an installation, sorted by path. Refuses a source in which something is missing. */
export function readInstallTree(root: string): readonly TreeFile[] {
  if (root === LIBRARY) {
    throw new SeawallError(
      "SEAWALL_INSTALL",
      "this is the installed Seawall itself; it cannot install itself",
      {
        still: "nothing was changed",
        help: "from a checkout or an unpacked npm package: sudo ./seawall install",
      },
    );
  }
  const files = PAYLOAD.flatMap((item) => filesOf(root, item));
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Returns the sha256 of a file's content, in hexadecimal. */
export function sha256OfTreeFile({ content }: TreeFile): string {
  const bytes = "from" in content ? readFileSync(content.from) : content.bytes;
  return createHash("sha256").update(bytes).digest("hex");
}

function filesOf(root: string, item: Item): TreeFile[] {
  switch (item.kind) {
    case "node":
      return nodeFiles(root, item.to);
    case "package":
      return [{ path: item.to, mode: 0o644, content: { bytes: packageJson(root) } }];
    case "packages":
      return packageFiles(root).map(({ name, from }) => ({
        path: `${item.to}/${name}`,
        mode: 0o644,
        content: { from },
      }));
    case "copy":
      return copied(root, item);
  }
}

function nodeFiles(root: string, to: string): TreeFile[] {
  const { program, terms } = findNode(root);
  return [
    { path: to, mode: 0o755, content: { from: program } },
    { path: NODE_TERMS, mode: 0o644, content: { bytes: gzipped(readFileSync(terms)) } },
  ];
}

function copied(root: string, { from, to, needs = [], gzip }: Extract<Item, { kind: "copy" }>): TreeFile[] {
  const start = join(root, from);
  const missing = existsSync(start) ? needs.find((name) => !existsSync(join(start, name))) : "";
  if (missing !== undefined) throw incomplete(root, join(from, missing));
  const names = statSync(start).isFile() ? [""] : walk(start);
  return names.map((name) => {
    const file = join(start, name);
    const bytes = readFileSync(file);
    // Programs are told by their first line, not by their mode: npm and umask change modes.
    const mode = bytes.subarray(0, 2).toString() === "#!" && !gzip ? 0o755 : 0o644;
    const path = join(to, name) + (gzip ? ".gz" : "");
    return { path, mode, content: gzip ? { bytes: gzipped(bytes) } : { from: file } };
  });
}

/** The same bytes every time: Node writes no name and no time into the head. */
function gzipped(bytes: Uint8Array): Uint8Array {
  const packed = gzipSync(bytes, { level: 9 });
  // RFC 1952: byte 9 is the system that packed it; 3 is Unix, as `gzip -9n` writes.
  packed[9] = 3;
  return packed;
}

function walk(folder: string, under = ""): string[] {
  return readdirSync(join(folder, under), { withFileTypes: true })
    .map((entry) => ({ entry, name: join(under, entry.name) }))
    .filter(({ name }) => !NOT_SHIPPED.test(name))
    .flatMap(({ entry, name }) => (entry.isDirectory() ? walk(folder, name) : [name]));
}

function packageJson(root: string): Uint8Array {
  const { name, version, license, type } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  ) as Record<string, unknown>;
  return Buffer.from(`${JSON.stringify({ name, version, license, type, private: true }, null, 2)}\n`);
}

function incomplete(root: string, what: string): SeawallError {
  const isCheckout = existsSync(join(root, "bootstrap.mjs"));
  return new SeawallError("SEAWALL_INSTALL", `\`${what}\` is missing in \`${dirname(join(root, "x"))}\``, {
    still: "nothing was changed",
    help: isCheckout ? "npm run build, git status" : "npm install seawall",
  });
}
