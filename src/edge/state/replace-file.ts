import { SeawallError } from "../../core/base/error.ts";

const { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } =
  process.getBuiltinModule("node:fs");

/**
 * Replaces a file by writing beside it, fsync, rename, fsync of the folder: it is the old one or the new one, never
 * half of one, and after this returned it is the new one, also after a power cut. Refuses with SEAWALL_STATE; the
 * file is then the old one.
 */
export function replaceFile(path: string, text: string | Uint8Array): void {
  const beside = `${path}.new`;
  try {
    writeDurably(beside, text);
    renameSync(beside, path);
    syncFolder(path.slice(0, path.lastIndexOf("/")) || "/");
  } catch (cause) {
    dropFile(beside);
    throw new SeawallError("SEAWALL_STATE", `cannot write \`${path}\`${whyOf(cause)}`, {
      still: "the kernel keeps the rules it has",
      help: `df ${path}`,
      cause,
    });
  }
}

/** Makes names in a folder survive a power cut: files that were made, renamed or removed there. */
export function syncFolder(folder: string): void {
  const opened = openSync(folder, "r");
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}

/** Removes a file if that is possible; on a read-only file system it stays. */
export function dropFile(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It stays: what could not be written there is said already.
  }
}

function writeDurably(path: string, text: string | Uint8Array): void {
  const file = openSync(path, "w", 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: "no space is left on the disk",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
};

function whyOf(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return code === "" ? "" : `: ${WORDS[code] ?? code}`;
}
