import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SeawallError } from "../../core/base/error.ts";
import { VERSION } from "../../core/base/version.ts";
import { copyPath, keepCopy } from "./migration/copy.ts";
import { MIGRATIONS, STORE_FORMAT } from "./migration/list.ts";
import { storeError, storeProblem } from "./problem.ts";

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

/**
 * Opens (and creates, and migrates) `events.db` in a state directory. After kill -9 it holds every batch that
 * appendEvents acknowledged; after a power cut the last of them may be missing (WAL, synchronous NORMAL).
 * Refuses with SEAWALL_STORE.
 */
export function openStore(stateDir: string): Store {
  const path = join(stateDir, FILE_NAME);
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(stateDir, { recursive: true, mode: DIRECTORY_MODE });
    closeSync(openSync(path, "a", FILE_MODE));
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    // Before anything is written, be it a setting: what a later version wrote stays as it is.
    checkVersion(versionOf(database), path);
    // Must come before the first table, and lets retention give pages back.
    database.exec(
      "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;",
    );
    database.exec(`PRAGMA journal_size_limit = ${WAL_MAX_BYTES}`);
    migrate(database);
    return { path, database };
  } catch (error) {
    closeQuietly(database);
    throw error instanceof SeawallError ? error : storeError(path, systemProblem(error));
  }
}

/** Opens the database for reading only, or returns undefined when nothing was ever recorded there. */
export function openStoreReadOnly(stateDir: string): Store | undefined {
  const path = join(stateDir, FILE_NAME);
  if (!existsSync(path)) return undefined;
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
    throw error instanceof SeawallError ? error : storeError(path, systemProblem(error));
  }
}

export function closeStore(store: Store): void {
  store.database.close();
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
function systemProblem(error: unknown): ReturnType<typeof storeProblem> {
  const problem = storeProblem(error);
  if (!(error instanceof Error)) return problem;
  if ("format" in error && (error.format === "newer" || error.format === "older"))
    return { ...problem, kind: error.format };
  const code = "code" in error ? error.code : undefined;
  if (code === "EACCES" || code === "EROFS" || code === "EPERM") return { ...problem, kind: "read-only" };
  return code === "ENOSPC" ? { ...problem, kind: "full" } : problem;
}

function closeQuietly(database: DatabaseSync | undefined): void {
  try {
    database?.close();
  } catch {
    // The reason why it could not be opened is the one to tell.
  }
}
