import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
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
  STORE_RETRY_MS,
} from "./event-recorder.ts";

interface World {
  readonly recorder: Recorder;
  readonly directory: string;
  readonly seen: SeawallEvent[];
  readonly clock: { nowMs: number };
  readonly recorded: () => { flows: number[]; losses: unknown[] };
}

function world(context: TestContext, prepare: (database: string) => void = () => {}): World {
  const directory = temporaryDirectory(context);
  prepare(join(directory, "events.db"));
  const clock = { nowMs: 1_000_000 };
  const seen: SeawallEvent[] = [];
  const recorder = createRecorder({
    stateDir: directory,
    now: () => clock.nowMs,
    onEvent: (event) => seen.push(event),
  });
  const recorded = () => {
    const store = openStore(directory);
    const flows = listFlows(store, {}).map((flow) => flow.sourcePort ?? -1);
    const losses = listLosses(store, 0).map((loss) => [loss.cause, loss.count]);
    closeStore(store);
    return { flows, losses };
  };
  return { recorder, directory, seen, clock, recorded };
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

test("with a damaged store counting goes on, the oldest are dropped and counted, and it says so", (context) => {
  const { recorder, seen } = world(context, (database) => writeFileSync(database, "x".repeat(8_192)));
  add(recorder, 0, EVENT_QUEUE_MAX + 100);
  recorder.tick();
  recorder.tick();
  const { queued, stored, lost, store } = recorder.stats();
  assert.deepEqual({ queued, stored, lost: lost.store }, { queued: EVENT_QUEUE_MAX, stored: 0, lost: 100 });
  assert.ok(store.state === "failed" && store.why.includes("damaged"));
  assert.equal(seen.length, EVENT_QUEUE_MAX + 100);
  recorder.stop();
});

test("a store that comes back gets what waited, and the number of what did not", (context) => {
  const { recorder, clock, directory, recorded } = world(context, (database) =>
    writeFileSync(database, "x".repeat(8_192)),
  );
  add(recorder, 0, EVENT_QUEUE_MAX + 5);
  rmSync(join(directory, "events.db"));
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
