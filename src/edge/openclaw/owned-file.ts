/**
 * Files that the agent's user can write, read by root: the path is walked one folder at a time, links are not
 * followed, and only what that user could read as well is read.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import type { FileRead } from "../../core/openclaw/assemble.ts";

/** open(2) O_PATH of Linux (x86-64 and arm64): a place, not its content. Node does not name it. */
const O_PATH = 0o10000000;
const PLACE = O_PATH | constants.O_NOFOLLOW;
/** LIMIT: folders of one path. */
const FOLDERS_MAX = 64;

export interface OwnedFileQuery {
  /** Absolute; `/proc/PID/root` is in `root`. */
  readonly path: string;
  /** Whose file it must be. A file of root counts if everybody may read it, or one of `gids` may. */
  readonly uid: number;
  readonly gids?: ReadonlySet<number>;
  readonly bytesMax: number;
  /** Where the path begins: "/" of this host, or `/proc/PID/root` of a container. */
  readonly root?: string;
}

/** Returns the text of the file (UTF-8), or why it is not read. Never waits for a writer, never runs anything. */
export function readOwnedFile(query: OwnedFileQuery): FileRead {
  return withPlace(query.path, query.root, (place) => readPlace(place, query));
}

/** Returns who owns what is at a path reached without links, and whether it is a folder; null when it is not. */
export function ownerOf(
  path: string,
  root?: string,
): { readonly uid: number; readonly isFolder: boolean } | null {
  let found: { uid: number; isFolder: boolean } | null = null;
  withPlace(path, root, (place) => {
    const stats = fstatSync(place);
    found = { uid: stats.uid, isFolder: stats.isDirectory() };
    return { ok: true, text: "" };
  });
  return found;
}

function withPlace(path: string, root: string | undefined, use: (place: number) => FileRead): FileRead {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  if (!path.startsWith("/") || names.includes("..") || names.length > FOLDERS_MAX || path.includes("\0")) {
    return { ok: false, problem: "is no plain absolute path and was not read" };
  }
  let place = -1;
  try {
    place = openSync(root ?? "/", O_PATH | constants.O_DIRECTORY);
    for (const name of names) {
      const next = enter(place, name, root === undefined);
      closeSync(place);
      place = next;
    }
    return use(place);
  } catch (cause) {
    return problemOf(cause);
  } finally {
    if (place >= 0) closeSync(place);
  }
}

class LinkError extends Error {}

/**
 * SECURITY: a link is followed only where root made it (a distribution's /home -> /usr/home) and never inside a
 * container, whose absolute links would lead to this host. What is read in the end is judged by its owner.
 */
function enter(folder: number, name: string, followRootLinks: boolean): number {
  const path = `/proc/self/fd/${folder}/${name}`;
  const place = openSync(path, PLACE);
  const stats = fstatSync(place);
  if (!stats.isSymbolicLink()) return place;
  closeSync(place);
  if (stats.uid !== 0 || !followRootLinks) throw new LinkError(name);
  return openSync(path, O_PATH);
}

function readPlace(place: number, { uid, gids, bytesMax }: OwnedFileQuery): FileRead {
  const stats = fstatSync(place);
  const problem = fileProblem(stats, uid, gids ?? NO_GROUPS, bytesMax);
  if (problem !== null) return { ok: false, problem };
  // The very file that was judged, whatever stands at its path by now.
  const file = openSync(
    `/proc/self/fd/${place}`,
    constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY,
  );
  try {
    const bytes = Buffer.alloc(bytesMax + 1);
    let length = 0;
    for (let got = -1; got !== 0 && length < bytes.length; length += got) {
      got = readSync(file, bytes, length, bytes.length - length, null);
    }
    if (length > bytesMax) return { ok: false, problem: tooLong(bytesMax) };
    return { ok: true, text: bytes.toString("utf8", 0, length) };
  } finally {
    closeSync(file);
  }
}

const NO_GROUPS: ReadonlySet<number> = new Set();

function fileProblem(stats: Stats, uid: number, gids: ReadonlySet<number>, bytesMax: number): string | null {
  if (!stats.isFile()) return "is not a regular file and was not read";
  const readers = gids.has(stats.gid) ? 0o044 : 0o004;
  const isForAgent = stats.uid === 0 && (stats.mode & readers) !== 0;
  if (stats.uid !== uid && !isForAgent)
    return `belongs to uid ${stats.uid}, not to the agent's ${uid}, and was not read`;
  return stats.size > bytesMax ? tooLong(bytesMax) : null;
}

function tooLong(bytesMax: number): string {
  return `has more than ${bytesMax} bytes and was not read`;
}

function problemOf(cause: unknown): FileRead {
  if (cause instanceof LinkError) return { ok: false, problem: "is reached by a link and was not read" };
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "error";
  if (code === "ENOENT" || code === "ENOTDIR")
    return { ok: false, problem: "does not exist", isMissing: true };
  return { ok: false, problem: `cannot be read (${code})` };
}
