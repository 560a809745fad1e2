/** A damaged database is put aside, so that recording goes on in a new one and nothing of the old one is destroyed. */
import { readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

/** LIMIT: damaged databases kept; older ones are removed. */
export const SET_ASIDE_MAX = 3;
/** LIMIT: bytes they may take together. The newest is kept alone if it takes more. */
export const SET_ASIDE_BYTES_MAX = 1024 * 1024 * 1024;

/** What SQLite keeps beside a database. */
const COMPANIONS = ["", "-wal", "-shm"] as const;
const NAME = /^events\.db\.corrupt-(\d{8}T\d{6}(?:\.\d+)?Z)(-wal|-shm)?$/;

/**
 * Renames events.db to events.db.corrupt-TIME (and its log with it) and removes the oldest ones beyond the limits.
 * Returns the new path, or null when there was nothing to rename or it could not be done.
 */
export function setStoreAside(stateDir: string, nowMs: number): string | null {
  const path = join(stateDir, "events.db");
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:]/g, "");
  const aside = `${path}.corrupt-${stamp}`;
  try {
    // INVARIANT: the log first. Alone beside a new database it would be taken for that one's.
    for (const companion of COMPANIONS.toReversed()) renameIfThere(path + companion, aside + companion);
    removeOldest(stateDir);
    return statSync(aside, { throwIfNoEntry: false }) === undefined ? null : aside;
  } catch {
    return null;
  }
}

/** Returns the stamps of what was set aside, the oldest first. */
export function setAsideStamps(stateDir: string): string[] {
  const stamps = readdirSync(stateDir).flatMap((name) => NAME.exec(name)?.[1] ?? []);
  return [...new Set(stamps)].sort();
}

function removeOldest(stateDir: string): void {
  const stamps = setAsideStamps(stateDir);
  let bytes = 0;
  for (const [age, stamp] of stamps.toReversed().entries()) {
    const files = COMPANIONS.map((companion) => join(stateDir, `events.db.corrupt-${stamp}${companion}`));
    for (const file of files) bytes += statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    if (age === 0 || (age < SET_ASIDE_MAX && bytes <= SET_ASIDE_BYTES_MAX)) continue;
    for (const file of files) rmSync(file, { force: true });
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) throw cause;
  }
}
