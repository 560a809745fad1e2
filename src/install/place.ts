/** Files on the disk of the machine: each the old one or the new one, never half of one. */
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { TreeFile } from "./tree.ts";

export const FOLDER_MODE = 0o755;
const BESIDE = ".seawall-new";

/** Returns the sha256 of a regular file, or null for anything else. Never follows a link. */
export function sha256OfPath(path: string): string | null {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile()) return null;
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** Returns the permission bits of what is at a path, or null. */
export function modeOfPath(path: string): number | null {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat === undefined ? null : stat.mode & 0o7777;
}

export function isAnythingAt(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Writes a file of the tree, whole or not at all, for root, whatever the umask. */
export function placeFile(to: string, { mode, content }: Pick<TreeFile, "mode" | "content">): void {
  const beside = to + BESIDE;
  rmSync(beside, { force: true });
  if ("from" in content) copyFileSync(content.from, beside);
  else writeFileSync(beside, content.bytes, { flag: "wx" });
  chmodSync(beside, mode);
  chownSync(beside, 0, 0);
  renameSync(beside, to);
}

/** Makes a symbolic link, in place of a link that was there. */
export function placeLink(to: string, target: string): void {
  const beside = to + BESIDE;
  rmSync(beside, { force: true });
  symlinkSync(target, beside);
  renameSync(beside, to);
}

/** Returns where a link leads, or null when there is none. */
export function linkTarget(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

/** Makes the folders of `path` below `root` that are missing. Returns those it made, outermost first, without `root`. */
export function makeFolders(root: string, path: string, mode = FOLDER_MODE): string[] {
  const missing: string[] = [];
  for (let folder = path; folder !== "/" && !existsSync(join(root, folder)); folder = dirname(folder)) {
    missing.unshift(folder);
  }
  for (const folder of missing) {
    mkdirSync(join(root, folder));
    chmodSync(join(root, folder), folder === path ? mode : FOLDER_MODE);
    chownSync(join(root, folder), 0, 0);
  }
  return missing;
}

/** Removes a folder when nothing is in it. */
export function removeEmptyFolder(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Somebody's file is in it, or it is gone.
  }
}
