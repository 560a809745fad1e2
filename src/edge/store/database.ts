import { closeSync, existsSync, fdatasync, mkdirSync, openSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SeawallError } from "../../core/base/error.ts";
import { VERSION } from "../../core/base/version.ts";
import { fileError } from "../host/file-error.ts";
import { copyPath, keepCopy } from "./migration/copy.ts";
import { MIGRATIONS, STORE_FORMAT } from "./migration/list.ts";
import { storeError, type StoreProblem, storeProblem } from "./problem.ts";

/** An open events database. */
export interface Store {
  readonly path: string;
  readonly database: DatabaseSync;
}

const FILE_NAME = "events.db";
/** Events are private: who talks to whom. */
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o750;
/** Another writer that holds the lock longer is a problem of kind `busy`. It blocks this thread. */
const BUSY_TIMEOUT_MS = 50;
/** LIMIT: size to which the write-ahead log is cut back. */
const WAL_MAX_BYTES = 16 * 1024 * 1024;

/** LIMIT: a database that was not closed is looked through when it is opened, if it is no larger: 0.1 s. */
const CHECKED_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Opens (and creates, and migrates) `events.db` in a state directory. After kill -9 it holds every batch that
 * `append` acknowledged; after a power cut those may be missing that came after the last `persistStore`, and no
 * others (WAL, synchronous NORMAL). Refuses with SEAWALL_STORE.
 */
export function openStore(stateDir: string): Store {
  const path = join(stateDir, FILE_NAME);
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(stateDir, { recursive: true, mode: DIRECTORY_MODE });
    closeSync(openSync(path, "a", FILE_MODE));
    const wasOpen = sizeOf(`${path}-wal`) > 0;
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    // Before anything is written, be it a setting: what a later version wrote stays as it is.
    checkVersion(versionOf(database), path);
    // Must come before the first table, and lets retention give pages back.
    database.exec(
      "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;",
    );
    database.exec(`PRAGMA journal_size_limit = ${WAL_MAX_BYTES}`);
    if (wasOpen) checkPages(database, path);
    migrate(database);
    return { path, database };
  } catch (error) {
    closeQuietly(database);
    throw error instanceof SeawallError ? error : storeError(path, systemProblem(error, stateDir));
  }
}

/** Opens the database for reading only, or returns undefined when nothing was ever recorded there. Refuses without root. */
export function openStoreReadOnly(stateDir: string): Store | undefined {
  const path = join(stateDir, FILE_NAME);
  if (!isThere(path)) return undefined;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    const version = versionOf(database);
    // Made, and killed before its first table.
    if (version === 0) {
      database.close();
      return undefined;
    }
    checkVersion(version, path);
    if (version < STORE_FORMAT) throw strange("older", olderMessage(version));
    return { path, database };
  } catch (error) {
    closeQuietly(database);
    throw error instanceof SeawallError ? error : storeError(path, systemProblem(error, stateDir));
  }
}

/** Whether the log is there. What cannot be looked at is not known to be missing: that is refused. */
function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOTDIR") return false;
    throw fileError("read", path, cause);
  }
}

/** Takes back what a transaction wrote that failed; nothing when none is open. */
export function rollBack({ database }: Store): void {
  try {
    if (database.isTransaction) database.exec("ROLLBACK");
  } catch {
    // SQLite has rolled back by itself, or the database is unusable and the first problem says so.
  }
}

export function closeStore(store: Store): void {
  store.database.close();
}

/**
 * Writes to the disk what was acknowledged, on a thread of the pool: the caller waits for nothing. `done` gets whether
 * it is there. Only the log is touched: the database itself is synced whenever the log is taken into it.
 */
export function persistStore({ path }: Store, done: (isDone: boolean) => void): void {
  let file: number;
  try {
    // SECURITY: no lock lies on this file, so closing it lets none go (fcntl(2) locks end with any descriptor).
    file = openSync(`${path}-wal`, "r");
  } catch {
    return done(false);
  }
  fdatasync(file, (error) => {
    closeSync(file);
    done(error === null);
  });
}

/** Whether the path still leads to the database that is open; a restore or a person may have put another there. */
export function isInPlace(path: string, inode: number): boolean {
  return statSync(path, { throwIfNoEntry: false })?.ino === inode;
}

/** Returns the number of the file at a path, to tell later whether it is still there. */
export function inodeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? 0;
}

/** Refuses a database in which a page is torn: it would fail at some later moment, or show what never was. */
function checkPages(database: DatabaseSync, path: string): void {
  if (sizeOf(path) + sizeOf(`${path}-wal`) > CHECKED_BYTES_MAX) return;
  const found = database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
  if (found !== "ok") throw Object.assign(new Error(String(found).split("\n")[0]), { errcode: CORRUPT });
}

/** SQLITE_CORRUPT. */
const CORRUPT = 11;

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function migrate(database: DatabaseSync): void {
  const version = versionOf(database);
  const path = database.location() ?? "";
  if (version > 0 && version < STORE_FORMAT) keepCopy(database, path, STORE_FORMAT);
  for (const [index, migration] of MIGRATIONS.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${migration} PRAGMA user_version = ${index + 1}; COMMIT;`);
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
}

/** LIMIT: formats after ours whose copies are looked for. */
const COPIES_LOOKED_AT_MAX = 100;

function checkVersion(version: number, path: string): void {
  if (version <= STORE_FORMAT) return;
  // An upgrade over several formats keeps its copy under the last of them.
  const later = Array.from({ length: Math.min(version - STORE_FORMAT, COPIES_LOOKED_AT_MAX) }, (_, at) =>
    copyPath(path, STORE_FORMAT + 1 + at),
  );
  const copy = later.find((one) => existsSync(one));
  const kept = copy !== undefined ? `; what was recorded before the upgrade is in ${copy}` : "";
  throw strange(
    "newer",
    `a later Seawall wrote it (format ${version}; this one, ${VERSION}, reads up to ${STORE_FORMAT}), so it is left as it is${kept}`,
  );
}

function olderMessage(version: number): string {
  return `it is of format ${version}, from before an upgrade to format ${STORE_FORMAT}, and not brought up to date yet`;
}

function strange(kind: "newer" | "older", message: string): Error {
  return Object.assign(new Error(message), { format: kind });
}

/** Adds the refusals of the file system to those of SQLite. */
function systemProblem(error: unknown, stateDir: string): StoreProblem {
  const problem = storeProblem(error);
  if (!(error instanceof Error)) return problem;
  if ("format" in error && (error.format === "newer" || error.format === "older"))
    return { ...problem, kind: error.format };
  const code = "code" in error ? error.code : undefined;
  if (code === "EACCES" || code === "EROFS" || code === "EPERM") return { ...problem, kind: "read-only" };
  if (code === "ENOSPC" || code === "EDQUOT") return { ...problem, kind: "full" };
  // For its shared memory SQLite says only that it could not be made.
  return problem.kind === "other" && hasNoSpace(stateDir) ? { ...problem, kind: "full" } : problem;
}

function hasNoSpace(folder: string): boolean {
  try {
    return statfsSync(folder).bavail === 0;
  } catch {
    return false;
  }
}

function closeQuietly(database: DatabaseSync | undefined): void {
  try {
    database?.close();
  } catch {
    // The reason why it could not be opened is the one to tell.
  }
}
