/** A copy of the event store that is consistent while seawalld writes, and the look at one that comes from outside. */
import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { closeStore, openStoreReadOnly } from "./database.ts";
import { MIGRATIONS } from "./migration/list.ts";
import { storeError, storeProblem } from "./problem.ts";

/** Writes a copy to a new file that only root reads. Returns whether there was a store. Refuses with SEAWALL_STORE. */
export function snapshotStore(stateDir: string, target: string): boolean {
  const store = openStoreReadOnly(stateDir);
  if (store === undefined) return false;
  try {
    // It accepts an empty file, so nobody else ever sees what is in it.
    closeSync(openSync(target, "wx", 0o600));
    store.database.prepare("VACUUM INTO ?").run(target);
    return true;
  } catch (error) {
    throw storeError(store.path, storeProblem(error));
  } finally {
    closeStore(store);
  }
}

/** Returns why a database is not one of ours, whole, and of a version we know; or null. */
export function problemOfSnapshot(path: string): string | null {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
    if (version > MIGRATIONS.length)
      return `its events have format ${version}, this version knows ${MIGRATIONS.length}`;
    // SECURITY: a trigger or view in it would run as root with the next event.
    if (schemaOf(database) !== expectedSchema(version)) return "its events are not a database of Seawall";
    const found = database.prepare("PRAGMA integrity_check(1)").get()?.["integrity_check"];
    return found === "ok" ? null : "its events are damaged";
  } catch (error) {
    return `its events cannot be read: ${storeProblem(error).message}`;
  } finally {
    database?.close();
  }
}

function expectedSchema(version: number): string {
  const fresh = new DatabaseSync(":memory:");
  try {
    for (const migration of MIGRATIONS.slice(0, version)) fresh.exec(migration);
    return schemaOf(fresh);
  } finally {
    fresh.close();
  }
}

function schemaOf(database: DatabaseSync): string {
  const rows = database
    .prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name")
    .all();
  return JSON.stringify(rows);
}
