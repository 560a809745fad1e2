/** Reading files that anybody may have put there: no waiting, no following, no more than a limit. */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  statSync,
} from "node:fs";
import type { FileState } from "../../core/audit/fact/file.ts";

/** LIMIT: bytes that are read of one file unless the caller says otherwise. */
export const FILE_BYTES_MAX = 4 * 1024 * 1024;

export type FileText =
  | {
      readonly kind: "text";
      readonly text: string;
      readonly state: FileState;
      readonly links: number;
      readonly cut: boolean;
    }
  | { readonly kind: "missing" }
  | { readonly kind: "refused"; readonly why: string };

/**
 * Returns the text of a regular file, at most `limit` bytes of it.
 * SECURITY: O_NONBLOCK, so that a FIFO or device does not hold us; what is no regular file is refused; with
 * `follow` false a symbolic link at the end of the path is refused too.
 */
export function readText(
  path: string,
  options: { readonly limit?: number; readonly follow?: boolean } = {},
): FileText {
  const limit = options.limit ?? FILE_BYTES_MAX;
  let file: number;
  try {
    const link = options.follow === true ? 0 : constants.O_NOFOLLOW;
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | link);
  } catch (cause) {
    return refusal(path, cause);
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return { kind: "refused", why: `${path} is no regular file` };
    const { bytes, more } = readBytes(file, limit, stat.size);
    const text = bytes.toString("utf8");
    return {
      kind: "text",
      text,
      state: stateOf(path, stat),
      links: stat.nlink,
      cut: more,
    };
  } catch (cause) {
    return refusal(path, cause);
  } finally {
    closeSync(file);
  }
}

/** Files of /proc and /sys say that they are empty: they are read piece by piece. */
const PIECE_BYTES = 16 * 1024;

/** `more`: the file goes on after the limit. */
function readBytes(
  file: number,
  limit: number,
  size: number,
): { readonly bytes: Buffer; readonly more: boolean } {
  const pieces: Buffer[] = [];
  let length = 0;
  while (length < limit) {
    const piece = Buffer.allocUnsafe(Math.min(limit - length, Math.max(PIECE_BYTES, size - length)));
    const count = readSync(file, piece, 0, piece.length, null);
    if (count === 0) return { bytes: Buffer.concat(pieces), more: false };
    pieces.push(piece.subarray(0, count));
    length += count;
  }
  return { bytes: Buffer.concat(pieces), more: size > length };
}

function refusal(path: string, cause: unknown): FileText {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === "ENOENT" || code === "ENOTDIR") return { kind: "missing" };
  return { kind: "refused", why: `${path}: ${REASONS[code ?? ""] ?? code ?? "cannot be read"}` };
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "only its owner or root may read it",
  EPERM: "only root may read it",
  ELOOP: "a symbolic link, which is not followed here",
  EISDIR: "a folder, not a file",
};

/** Returns the text of a system file, or "" when it is not there or cannot be read. Symbolic links are followed. */
export function textOf(path: string): string {
  const read = readText(path, { follow: true });
  return read.kind === "text" ? read.text : "";
}

/** Returns stat(2) of what the path leads to, or undefined. */
export function stateAt(path: string): FileState | undefined {
  try {
    return stateOf(path, statSync(path));
  } catch {
    return undefined;
  }
}

/** Returns lstat(2), or undefined: of a symbolic link itself. */
export function ownStateAt(
  path: string,
): (FileState & { readonly kind: "file" | "folder" | "link" | "other"; readonly size: number }) | undefined {
  try {
    const stat = lstatSync(path);
    const kind = stat.isFile()
      ? "file"
      : stat.isDirectory()
        ? "folder"
        : stat.isSymbolicLink()
          ? "link"
          : "other";
    return { ...stateOf(path, stat), kind, size: stat.size };
  } catch {
    return undefined;
  }
}

function stateOf(
  path: string,
  stat: { readonly mode: number; readonly uid: number; readonly gid: number; readonly mtimeMs: number },
): FileState {
  return { path, mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, mtimeMs: stat.mtimeMs };
}

/** Returns the names in a folder, sorted; none when it cannot be read. LIMIT: FOLDER_ENTRIES_MAX names. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort().slice(0, FOLDER_ENTRIES_MAX);
  } catch {
    return [];
  }
}

const FOLDER_ENTRIES_MAX = 20_000;

export function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
