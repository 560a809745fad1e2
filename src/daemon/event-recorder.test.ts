import assert from "node:assert/strict";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { flowEvent } from "../../test/support/event.ts";
import { temporaryDirectory } from "../../test/support/temporary-directory.ts";
import type { SeawallEvent } from "../core/event/event.ts";
import { closeStore, openStore } from "../edge/store/database.ts";
import { listFlows, listLosses } from "../edge/store/flow-query.ts";
import {
  createRecorder,
  EVENT_BATCH_MAX,
  EVENT_QUEUE_MAX,
  FLUSH_INTERVAL_MS,
  type Recorder,
} from "./event-recorder.ts";
import { STORE_RETRY_MS } from "./store-access.ts";

interface World {
  readonly recorder: Recorder;
  readonly directory: string;
  readonly seen: SeawallEvent[];
  readonly said: string[];
  readonly clock: { nowMs: number };
  readonly recorded: () => { flows: number[]; losses: unknown[] };
}

function world(context: TestContext, prepare: (database: string) => void = () => {}): World {
  const directory = temporaryDirectory(context);
  prepare(join(directory, "events.db"));
  const clock = { nowMs: 1_000_000 };
  const seen: SeawallEvent[] = [];
  const said: string[] = [];
  const recorder = createRecorder({
    stateDir: directory,
    now: () => clock.nowMs,
    onEvent: (event) => seen.push(event),
    say: (text) => said.push(text),
  });
  const recorded = () => {
    const store = openStore(directory);
    const flows = listFlows(store, {}).map((flow) => flow.sourcePort ?? -1);
    const losses = listLosses(store, 0).map((loss) => [loss.cause, loss.count]);
    closeStore(store);
    return { flows, losses };
  };
  return { recorder, directory, seen, said, clock, recorded };
}

function add(recorder: Recorder, from: number, count: number): void {
  for (let at = 0; at < count; at += 1)
    recorder.add(flowEvent({ timeMs: 1_000_000, sourcePort: (from + at) % 65_536 }));
}

test("events wait for the tick and are then stored in order", (context) => {
  const { recorder, recorded } = world(context);
  add(recorder, 1, 3);
  assert.equal(recorder.stats().stored, 0);
  recorder.tick();
  assert.deepEqual(recorder.stats(), {
    queued: 0,
    stored: 3,
    lost: { kernel: 0, socket: 0, queue: 0, store: 0 },
    store: { state: "ok" },
  });
  recorder.stop();
  assert.deepEqual(recorded().flows, [1, 2, 3]);
});

test("a full batch does not wait", (context) => {
  const { recorder } = world(context);
  add(recorder, 0, EVENT_BATCH_MAX);
  assert.equal(recorder.stats().stored, EVENT_BATCH_MAX);
  recorder.stop();
});

test("stop writes what is left", (context) => {
  const { recorder, recorded } = world(context);
  add(recorder, 7, 1);
  recorder.stop();
  assert.deepEqual(recorded().flows, [7]);
});

test("losses of one cause become one event a tick, and an unknown number stays unknown", (context) => {
  const { recorder, recorded, seen } = world(context);
  recorder.lose("kernel", 3);
  recorder.lose("kernel", 4);
  recorder.lose("socket", null);
  recorder.lose("socket", null);
  recorder.tick();
  recorder.tick();
  recorder.stop();
  assert.deepEqual(recorded().losses, [
    ["kernel", 7],
    ["socket", null],
  ]);
  assert.equal(seen.length, 2);
  assert.deepEqual(recorder.stats().lost, { kernel: 7, socket: 2, queue: 0, store: 0 });
});

test("without a store counting goes on, the oldest are dropped and counted, and it says so", (context) => {
  const { recorder, seen } = world(context, (database) => mkdirSync(database));
  add(recorder, 0, EVENT_QUEUE_MAX + 100);
  recorder.tick();
  recorder.tick();
  const { queued, stored, lost, store } = recorder.stats();
  assert.deepEqual({ queued, stored, lost: lost.store }, { queued: EVENT_QUEUE_MAX, stored: 0, lost: 100 });
  assert.ok(store.state === "failed" && store.why.includes("EISDIR"));
  assert.equal(seen.length, EVENT_QUEUE_MAX + 100);
  recorder.stop();
});

test("a store that comes back gets what waited, and the number of what did not", (context) => {
  const { recorder, clock, directory, recorded } = world(context, (database) => mkdirSync(database));
  add(recorder, 0, EVENT_QUEUE_MAX + 5);
  rmdirSync(join(directory, "events.db"));
  recorder.tick();
  assert.equal(recorder.stats().stored, 0, "not before the time to try again");
  clock.nowMs += STORE_RETRY_MS;
  recorder.tick();
  recorder.tick();
  assert.deepEqual(recorder.stats().store, { state: "ok" });
  recorder.stop();
  const { flows, losses } = recorded();
  assert.equal(flows.length, EVENT_QUEUE_MAX);
  assert.equal(flows[0], 5);
  assert.deepEqual(losses, [["store", 5]]);
});

test("while another process holds the store events wait, and none is lost", (context) => {
  const { recorder, clock, directory, recorded } = world(context);
  const other = new DatabaseSync(join(directory, "events.db"));
  other.exec("BEGIN IMMEDIATE");
  add(recorder, 1, 2);
  recorder.tick();
  assert.equal(recorder.stats().store.state, "failed");
  assert.equal(recorder.stats().queued, 2);
  other.exec("ROLLBACK");
  other.close();
  clock.nowMs += FLUSH_INTERVAL_MS;
  recorder.tick();
  assert.equal(recorder.stats().store.state, "ok");
  recorder.stop();
  assert.deepEqual(recorded().flows, [1, 2]);
});

const corrupt = (directory: string): string[] =>
  readdirSync(directory).filter((name) => name.includes("corrupt"));

test("a damaged store is set aside, said once, and recording goes on in a new one", (context) => {
  const { recorder, said, directory, recorded } = world(context, (database) =>
    writeFileSync(database, "x".repeat(8_192)),
  );
  add(recorder, 1, 2);
  recorder.tick();
  recorder.tick();
  assert.deepEqual(recorder.stats().store, { state: "ok" });
  recorder.stop();
  assert.deepEqual(recorded().flows, [1, 2]);
  assert.equal(said.length, 1);
  assert.match(said[0] ?? "", /damaged .* set aside as .*corrupt-.*a new one is begun/);
  assert.equal(corrupt(directory).length, 1);
});

test("a database that is damaged while it is open is set aside, and the events of that moment are not lost", (context) => {
  const { recorder, said, directory, recorded } = world(context);
  add(recorder, 1, 3);
  recorder.tick();
  const { store: acknowledged } = recorder.stats();
  assert.deepEqual(acknowledged, { state: "ok" });
  // Another connection writes, so that the open one believes nothing that it remembers; then pages are torn.
  const other = new DatabaseSync(join(directory, "events.db"));
  other.exec("INSERT INTO word (text) VALUES ('torn'); PRAGMA wal_checkpoint(TRUNCATE)");
  other.close();
  const file = openSync(join(directory, "events.db"), "r+");
  for (let page = 2; page < 12; page += 1) writeSync(file, Buffer.alloc(4_096, 0xa5), 0, 4_096, page * 4_096);
  closeSync(file);
  add(recorder, 4, 2);
  recorder.tick();
  recorder.stop();
  assert.equal(said.length, 1, said.join());
  assert.deepEqual(recorded().flows, [4, 5]);
  assert.equal(corrupt(directory).filter((name) => name.endsWith("Z")).length, 1);
});

test("a store that is removed or replaced while it is open is noticed: what comes later is in the one that is there", (context) => {
  const { recorder, directory, recorded } = world(context);
  add(recorder, 1, 2);
  recorder.tick();
  const elsewhere = mkdtempSync(join(directory, "elsewhere-"));
  for (const ending of ["", "-wal", "-shm"])
    renameSync(join(directory, `events.db${ending}`), join(elsewhere, `events.db${ending}`));
  add(recorder, 3, 2);
  recorder.tick();
  recorder.stop();
  assert.deepEqual(recorded().flows, [3, 4]);
  const kept = openStore(elsewhere);
  context.after(() => closeStore(kept));
  assert.deepEqual(
    listFlows(kept, {}).map((flow) => flow.sourcePort),
    [1, 2],
  );
});

test("a database without its tables is no reason to end", (context) => {
  const { recorder } = world(context, (database) => {
    const emptied = new DatabaseSync(database);
    emptied.exec("PRAGMA user_version = 2");
    emptied.close();
  });
  add(recorder, 1, 1);
  recorder.tick();
  assert.equal(recorder.stats().store.state, "failed");
  recorder.stop();
});
