/** The database as it was before a migration, for the way back to the version that wrote it. */
import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";

/** LIMIT: copies kept; the oldest go. Each is no larger than the database, which retention bounds. */
export const COPIES_MAX = 2;
/** Events are private, in a copy too. */
const FILE_MODE = 0o600;

/** The path of the copy that is kept before a database becomes of format `next`. */
export function copyPath(path: string, next: number): string {
  return `${path}.before-v${next}`;
}

/** Keeps a whole, synced copy under copyPath. Throws what SQLite or the file system says; nothing is then there. */
export function keepCopy(database: DatabaseSync, path: string, next: number): void {
  const copy = copyPath(path, next);
  const part = `${copy}.part`;
  try {
    rmSync(part, { force: true });
    const file = openSync(part, "wx", FILE_MODE);
    try {
      database.prepare("VACUUM INTO ?").run(part);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(part, copy);
  } catch (cause) {
    rmSync(part, { force: true, recursive: true });
    throw cause;
  }
  removeOldest(path);
}

function removeOldest(path: string): void {
  const beginning = `${basename(path)}.before-v`;
  const formats = readdirSync(dirname(path))
    .flatMap((name) => (name.startsWith(beginning) ? [name.slice(beginning.length)] : []))
    .filter((format) => /^[0-9]+$/.test(format))
    .map(Number)
    .sort((left, right) => right - left);
  for (const format of formats.slice(COPIES_MAX))
    rmSync(join(dirname(path), `${beginning}${format}`), { force: true });
}
