import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { flowEvent } from "../../../../test/support/event.ts";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.ts";
import { SeawallError } from "../../../core/base/error.ts";
import { closeStore, openStore, openStoreReadOnly } from "../database.ts";
import { createEventWriter } from "../event-store.ts";
import { listFlows } from "../flow-query.ts";
import { COPIES_MAX } from "./copy.ts";
import { EVENTS_0001 } from "./0001-events.ts";
import { MIGRATIONS, STORE_FORMAT } from "./list.ts";

/** A migration that was released is never edited: a database would not be what its number says. */
const RELEASED = ["4dfa82d4", "3bf0bca6", "9f09dc85"];

test("no migration is other than it was released", () => {
  const found = MIGRATIONS.map((sql) => createHash("sha256").update(sql).digest("hex").slice(0, 8));
  assert.deepEqual(found, RELEASED);
});

/** A database as the first version left it: one refused connection, not closed well. */
function storeOfFormat1(context: TestContext): string {
  const directory = temporaryDirectory(context);
  const database = new DatabaseSync(join(directory, "events.db"));
  database.exec(`PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; ${EVENTS_0001}
    INSERT INTO word (id, text) VALUES (1, 'agent'), (2, 'no-mail');
    INSERT INTO flow (time_ms, direction, verdict, observed, reason, generation, place, rule, protocol,
      source, destination, source_port, destination_port, bytes)
    VALUES (1793520000000, 1, 1, 0, 0, 3, 1, 2, 6, x'0a000002', x'c6336407', 40000, 25, 60);
    PRAGMA user_version = 1;`);
  database.close();
  return directory;
}

test("a database of the first format is brought up to date, with what it held", (context) => {
  const store = openStore(storeOfFormat1(context));
  context.after(() => closeStore(store));
  const [flow] = listFlows(store, {});
  assert.deepEqual(
    [flow?.destination, flow?.destinationPort, flow?.rule, flow?.host],
    ["198.51.100.7", 25, "no-mail", null],
  );
  assert.equal(createEventWriter(store).append([flowEvent()]), null);
  assert.equal(listFlows(store, {}).length, 2);
});

test("a copy of what it was stays beside it, as private as it, and the older version reads it", (context) => {
  const directory = storeOfFormat1(context);
  closeStore(openStore(directory));
  const copy = join(directory, `events.db.before-v${STORE_FORMAT}`);
  assert.equal(statSync(copy).mode & 0o777, 0o600);
  const database = new DatabaseSync(copy, { readOnly: true });
  context.after(() => database.close());
  assert.equal(database.prepare("PRAGMA user_version").get()?.["user_version"], 1);
  assert.equal(database.prepare("SELECT count(*) AS n FROM flow").get()?.["n"], 1);
  assert.equal(database.prepare("PRAGMA integrity_check").get()?.["integrity_check"], "ok");
});

test("a new database and one that is up to date leave no copy", (context) => {
  const directory = temporaryDirectory(context);
  closeStore(openStore(directory));
  closeStore(openStore(directory));
  assert.deepEqual(copiesIn(directory), []);
});

test("no more copies are kept than the limit, the newest ones", (context) => {
  const directory = storeOfFormat1(context);
  for (const old of ["before-v0", "before-v1", "before-v-mine"])
    writeFileSync(join(directory, `events.db.${old}`), "");
  closeStore(openStore(directory));
  assert.deepEqual(copiesIn(directory), ["before-v-mine", "before-v1", `before-v${STORE_FORMAT}`].toSorted());
  assert.equal(COPIES_MAX, 2);
});

test("where no copy can be kept nothing is migrated, and the next try works", (context) => {
  const directory = storeOfFormat1(context);
  const inTheWay = join(directory, `events.db.before-v${STORE_FORMAT}`);
  mkdirSync(join(inTheWay, "full"), { recursive: true });
  assert.throws(() => openStore(directory), SeawallError);
  const database = new DatabaseSync(join(directory, "events.db"), { readOnly: true });
  assert.equal(database.prepare("PRAGMA user_version").get()?.["user_version"], 1);
  database.close();
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.endsWith(".part")),
    [],
  );
});

test("a database of a later version says so, is left alone, and names the copy from before", (context) => {
  const directory = temporaryDirectory(context);
  closeStore(openStore(directory));
  const path = join(directory, "events.db");
  const later = new DatabaseSync(path);
  later.exec(`PRAGMA user_version = ${STORE_FORMAT + 1}`);
  later.close();
  writeFileSync(join(directory, `events.db.before-v${STORE_FORMAT + 1}`), "");
  const before = readFileSync(path);
  for (const open of [openStore, openStoreReadOnly]) {
    assert.throws(
      () => open(directory),
      (error) => {
        assert.ok(error instanceof SeawallError);
        assert.match(
          error.message,
          /a later Seawall wrote it \(format 4; this one, \d+\.\d+\.\d+, reads up to 3\)/,
        );
        assert.match(error.message, /what was recorded before the upgrade is in .*events\.db\.before-v4$/);
        assert.match(error.help ?? "", /install the later Seawall again; or set its log aside/);
        assert.equal(error.still, "rules in the kernel are in force");
        return true;
      },
    );
  }
  assert.ok(readFileSync(path).equals(before), "not a byte of it was changed");
});

test("a reader of a database from before an upgrade is told who brings it up to date", (context) => {
  const directory = storeOfFormat1(context);
  assert.throws(
    () => openStoreReadOnly(directory),
    (error) =>
      error instanceof SeawallError &&
      error.message.includes("(older): it is of format 1, from before an upgrade to format 3") &&
      (error.help ?? "").startsWith("seawall daemon"),
  );
});

test("a database that was made and never written is nothing to read", (context) => {
  const directory = temporaryDirectory(context);
  new DatabaseSync(join(directory, "events.db")).close();
  chmodSync(join(directory, "events.db"), 0o600);
  assert.equal(openStoreReadOnly(directory), undefined);
});

function copiesIn(directory: string): string[] {
  return readdirSync(directory)
    .flatMap((name) => (name.startsWith("events.db.before") ? [name.slice("events.db.".length)] : []))
    .toSorted();
}
