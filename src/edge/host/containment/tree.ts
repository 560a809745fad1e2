/**
 * The file tree of a machine as it is for one of its users, read by root. SECURITY: folders of the agent hold
 * whatever the agent put there, also links: only links in folders that root alone changes are followed, and a file
 * is opened only after every folder above it was.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  type Stats,
} from "node:fs";

/** A path with every folder above it, or where the way ended. */
export interface Trail {
  /** From the root down, without what the path names. */
  readonly folders: readonly Stats[];
  /** Null: nothing is there. */
  readonly found: Stats | null;
  /** The path after links, inside the tree. */
  readonly path: string;
}

export interface Tree {
  /** What stands before every path: "" for the machine's own tree. */
  readonly root: string;
  /** Returns where a path leads. A link that somebody else than root could have planted is not followed. */
  readonly trail: (path: string) => Trail;
  /** Returns the names in a folder, sorted, at most `max`; none when it is no folder. */
  readonly names: (path: string, max?: number) => readonly string[];
  /** Returns the text of a regular file, at most FILE_BYTES_MAX of it, or undefined. */
  readonly text: (path: string) => string | undefined;
  /** Returns the text of a file of the kernel's own (proc), or undefined. */
  readonly kernelText: (path: string) => string | undefined;
  /** Returns the target of a link of the kernel's own (proc), or undefined. */
  readonly kernelLink: (path: string) => string | undefined;
}

/** LIMIT: links followed on the way of one path (the kernel's own limit). */
const LINKS_MAX = 40;
/** LIMIT: names read of one folder, unless the caller says another. */
const ENTRIES_MAX = 5_000;
/** LIMIT: bytes read of one file. */
const FILE_BYTES_MAX = 256 * 1024;

/** Returns the tree below `root`, which is "" for the machine's own. It remembers what it saw: use it once. */
export function openTree(root: string): Tree {
  const trails = new Map<string, Trail>();
  const trail = (path: string): Trail => trailOf({ root, trails }, `/${parts(path).join("/")}`, LINKS_MAX);
  return {
    root,
    trail,
    names: (path, max = ENTRIES_MAX) => {
      const { found, path: real } = trail(path);
      return found !== null && isFolder(found) ? entries(`${root}${real}`, max) : [];
    },
    text: (path) => {
      const { found, path: real } = trail(path);
      return found === null || !found.isFile() ? undefined : beginning(root, real);
    },
    kernelText: (path) => kernelText(`${root}${path}`),
    kernelLink: (path) => linkOf(`${root}${path}`),
  };
}

interface Walk {
  readonly root: string;
  /** What was seen, by path. */
  readonly trails: Map<string, Trail>;
}

function trailOf(walk: Walk, path: string, linksLeft: number): Trail {
  const known = walk.trails.get(path);
  if (known !== undefined) return known;
  const seen = path === "/" ? topOf(walk) : below(walk, path, linksLeft);
  walk.trails.set(path, seen);
  return seen;
}

function topOf({ root }: Walk): Trail {
  return { folders: [], found: stat(`${root}/`), path: "/" };
}

function below(walk: Walk, path: string, linksLeft: number): Trail {
  const cut = path.lastIndexOf("/");
  const above = trailOf(walk, cut === 0 ? "/" : path.slice(0, cut), linksLeft);
  if (above.found === null || !isFolder(above.found)) return { ...above, found: null };
  const here = `${above.path === "/" ? "" : above.path}${path.slice(cut)}`;
  const folders = [...above.folders, above.found];
  const found = stat(`${walk.root}${here}`);
  if (found === null || !found.isSymbolicLink()) return { folders, found, path: here };
  const target = linkOf(`${walk.root}${here}`);
  const isPlanted = !isRoots(found) || folders.some((folder) => !isRoots(folder));
  if (target === undefined || isPlanted || linksLeft === 0) return { folders, found: null, path: here };
  const next = target.startsWith("/") ? target : `${above.path}/${target}`;
  return trailOf(walk, `/${parts(next).join("/")}`, linksLeft - 1);
}

/** Absolute, shortest form: `..` of a link is resolved by name, which is right where no folder above is a link. */
function parts(path: string): string[] {
  const list: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") list.pop();
    else if (part !== "" && part !== ".") list.push(part);
  }
  return list;
}

/** SECURITY: opened from folder to folder, so that a link that is put there meanwhile is not followed either. */
function beginning(root: string, path: string): string | undefined {
  let folder = -1;
  try {
    folder = openSync(root === "" ? "/" : root, constants.O_RDONLY | constants.O_DIRECTORY);
    const names = parts(path);
    const last = names.pop() ?? "";
    for (const name of names) {
      const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
      const next = openSync(`/proc/self/fd/${folder}/${name}`, flags);
      closeSync(folder);
      folder = next;
    }
    // O_NONBLOCK: a named pipe must not make us wait.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    return content(openSync(`/proc/self/fd/${folder}/${last}`, flags));
  } catch {
    return undefined;
  } finally {
    if (folder !== -1) closeSync(folder);
  }
}

function content(file: number): string | undefined {
  try {
    if (!fstatSync(file).isFile()) return undefined;
    const bytes = Buffer.allocUnsafe(FILE_BYTES_MAX);
    let length = 0;
    for (let got = -1; got !== 0 && length < bytes.length; length += got) {
      got = readSync(file, bytes, length, bytes.length - length, null);
    }
    return bytes.toString("utf8", 0, length);
  } finally {
    closeSync(file);
  }
}

function stat(path: string): Stats | null {
  return lstatSync(path, { throwIfNoEntry: false }) ?? null;
}

function kernelText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function entries(path: string, max: number): readonly string[] {
  try {
    return readdirSync(path).sort().slice(0, max);
  } catch {
    return [];
  }
}

function isFolder(one: Stats): boolean {
  return one.isDirectory();
}

/** Whether nobody but root can have put something there (a sticky folder is open to everybody). */
function isRoots(one: Stats): boolean {
  const open = !one.isSymbolicLink() && (one.mode & (one.gid === 0 ? 0o002 : 0o022)) !== 0;
  return one.uid === 0 && !open;
}
