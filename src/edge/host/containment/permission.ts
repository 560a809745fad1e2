/** What a user may do with a path, by owners and modes (path_resolution(7)). LIMIT: access lists are not seen here. */
import type { Stats } from "node:fs";
import type { Trail } from "./tree.ts";

/** A user and the groups it is in. */
export interface Identity {
  readonly uid: number;
  readonly gids: ReadonlySet<number>;
}

const MODE_STICKY = 0o1000;
const READ = 4;
const WRITE = 2;
const SEARCH = 1;

/** Whether the mode lets a user do something. */
function allows(one: Stats, { uid, gids }: Identity, right: number): boolean {
  if (one.uid === uid) return ((one.mode >> 6) & right) === right;
  return ((gids.has(one.gid) ? one.mode >> 3 : one.mode) & right) === right;
}

function reaches({ folders }: Trail, who: Identity): boolean {
  return folders.every((folder) => allows(folder, who, SEARCH));
}

/** Whether the user can read what a path names. */
export function mayRead(trail: Trail, who: Identity): boolean {
  return trail.found !== null && reaches(trail, who) && allows(trail.found, who, READ);
}

/** Whether the user can write to what a path names, or give itself that right because it owns it. */
export function mayWrite(trail: Trail, who: Identity): boolean {
  if (trail.found === null || !reaches(trail, who)) return false;
  return trail.found.uid === who.uid || allows(trail.found, who, WRITE);
}

/**
 * Whether the user can decide what a path names: write to it, or to a folder above it (where it may also put what
 * is not there yet). In a sticky folder one replaces only what one owns.
 */
export function mayReplace(trail: Trail, who: Identity): boolean {
  if (mayWrite(trail, who)) return true;
  return trail.folders.some((folder, at) => {
    const next = trail.folders[at + 1] ?? trail.found;
    const reached = trail.folders.slice(0, at).every((one) => allows(one, who, SEARCH));
    if (!reached) return false;
    if (folder.uid === who.uid) return true;
    if (!allows(folder, who, WRITE | SEARCH)) return false;
    return (folder.mode & MODE_STICKY) === 0 || next === null || next.uid === who.uid;
  });
}
