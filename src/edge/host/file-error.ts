/** Why a file could not be read or written, told apart as the kernel does: not there, not ours, no folder. */
import { lstatSync, statSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { SeawallError } from "../../core/base/error.ts";

/**
 * Returns the error for a file that the kernel refused: SEAWALL_NOT_ROOT where only root may (what helps is the same
 * line behind sudo), SEAWALL_NOT_FOUND where nothing is there, SEAWALL_STATE for the rest.
 */
export function fileError(verb: "read" | "write", path: string, cause: unknown): SeawallError {
  const still = verb === "write" ? { still: "the file is as it was" } : {};
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error";
  switch (code) {
    case "ENOENT":
      return new SeawallError("SEAWALL_NOT_FOUND", missing(path), { ...still, cause });
    case "ELOOP":
      return new SeawallError("SEAWALL_NOT_FOUND", `the links of \`${path}\` lead in a circle`, {
        ...still,
        cause,
      });
    case "ENOTDIR":
      return new SeawallError("SEAWALL_NOT_FOUND", notFolder(path), { ...still, cause });
    case "EACCES":
    case "EPERM":
      if (process.geteuid?.() !== 0)
        return new SeawallError("SEAWALL_NOT_ROOT", `only root may ${verb} \`${path}\``, { ...still, cause });
      return other(`even root may not ${verb} \`${path}\` here (${code})`, path, still, cause);
    case "EROFS":
      return other(`\`${path}\` is on a file system that is mounted read-only`, path, still, cause);
    case "ENOSPC":
    case "EDQUOT":
      return other(`no space is left for \`${path}\``, dirname(path), still, cause, "df -h");
    default:
      return other(`cannot ${verb} \`${path}\` (${code})`, path, still, cause);
  }
}

function other(message: string, path: string, still: object, cause: unknown, look = "ls -ld"): SeawallError {
  return new SeawallError("SEAWALL_STATE", message, { ...still, help: `${look} ${path}`, cause });
}

function missing(path: string): string {
  try {
    if (lstatSync(path).isSymbolicLink()) return `\`${path}\` is a link that leads nowhere`;
  } catch {
    // Nothing stands there at all.
  }
  return `there is no file \`${path}\``;
}

function notFolder(path: string): string {
  let folder = dirname(path);
  for (; folder !== dirname(folder); folder = dirname(folder)) {
    try {
      if (!statSync(folder).isDirectory()) break;
    } catch {
      // Above it is what is no folder.
    }
  }
  return `\`${folder}\` is not a folder, so there is no \`${path}\``;
}
