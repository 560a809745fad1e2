import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { flowEvent } from "../../../test/support/event.ts";
import { temporaryDirectory } from "../../../test/support/temporary-directory.ts";
import { SeawallError } from "../../core/base/error.ts";
import { closeStore, openStore, openStoreReadOnly, type Store } from "./database.ts";
import { createEventWriter } from "./event-store.ts";
import { listFlows, listLosses } from "./flow-query.ts";
import { retainStep, usedBytes } from "./retention.ts";

function opened(context: TestContext): { store: Store; directory: string } {
  const directory = temporaryDirectory(context);
  const store = openStore(directory);
  context.after(() => {
    if (store.database.isOpen) closeStore(store);
  });
  return { store, directory };
}

for (const [name, event] of [
  ["a refused TCP connection", flowEvent()],
  ["an IPv6 destination", flowEvent({ source: "fd00::5", destination: "2001:db8::1" })],
  [
    "an accepted inbound ping without ports",
    flowEvent({
      direction: "inbound",
      verdict: "accept",
      place: "world",
      protocol: 1,
      sourcePort: null,
      destinationPort: null,
      icmpType: 8,
      tcpFlags: null,
      uid: null,
      gid: null,
    }),
  ],
  [
    "a watched drop of a rule",
    flowEvent({
      verdict: "drop",
      observed: true,
      rule: "no-mail",
      reason: "denied",
      interfaceIn: "eth0",
      interfaceOut: null,
    }),
  ],
  ["a uid of 2^32 - 1", flowEvent({ uid: 0xffff_ffff })],
] as const) {
  test(`${name} comes back as it was written`, (context) => {
    const { store } = opened(context);
    assert.equal(createEventWriter(store).append([event]), null);
    assert.deepEqual(listFlows(store, {}), [{ id: 1, ...event }]);
  });
}

test("losses come back with their cause, a count nobody knows as null", (context) => {
  const { store } = opened(context);
  const losses = [
    { kind: "loss", timeMs: 5, cause: "kernel", count: 12 },
    { kind: "loss", timeMs: 6, cause: "socket", count: null },
  ] as const;
  createEventWriter(store).append(losses);
  assert.deepEqual(listLosses(store, 0), losses);
  assert.deepEqual(listLosses(store, 6), losses.slice(1));
});

const TEN = Array.from({ length: 10 }, (_, at) =>
  flowEvent({
    timeMs: at * 100,
    verdict: at % 5 === 0 ? "drop" : at % 2 === 0 ? "accept" : "refuse",
    direction: at < 8 ? "outbound" : "inbound",
    rule: at === 4 ? "no-mail" : null,
  }),
);
for (const [name, query, ids] of [
  ["no condition lists everything, newest last", {}, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
  ["a limit keeps the newest", { limit: 3 }, [8, 9, 10]],
  ["since includes its own time", { sinceMs: 700 }, [8, 9, 10]],
  ["a verdict keeps its own", { verdict: "drop" }, [1, 6]],
  ["accepted ones are found without an index of their own", { verdict: "accept" }, [3, 5, 7, 9]],
  ["a direction keeps its own", { direction: "inbound" }, [9, 10]],
  ["a rule keeps its own", { rule: "no-mail" }, [5]],
  ["a rule nobody has keeps nothing", { rule: "' OR 1=1 --" }, []],
  ["conditions are joined", { verdict: "refuse", sinceMs: 300, limit: 2 }, [8, 10]],
] as const) {
  test(`listing: ${name}`, (context) => {
    const { store } = opened(context);
    createEventWriter(store).append(TEN);
    assert.deepEqual(
      listFlows(store, query).map((flow) => flow.id),
      ids,
    );
  });
}

test("the newest refused ones are found by their index, the newest of all by time", (context) => {
  const { store } = opened(context);
  const plan = (sql: string): string =>
    JSON.stringify(store.database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all());
  const denied =
    "SELECT * FROM flow f WHERE f.time_ms >= 0 AND f.verdict > 0 AND f.verdict = 1 ORDER BY f.time_ms DESC, f.id DESC LIMIT 10";
  assert.match(plan(denied), /USING INDEX flow_by_denial/);
  assert.match(
    plan("SELECT * FROM flow f WHERE f.time_ms >= 0 ORDER BY f.time_ms DESC, f.id DESC LIMIT 10"),
    /flow_by_time/,
  );
});

test("events are private to their owner", (context) => {
  const { store } = opened(context);
  assert.equal(statSync(store.path).mode & 0o077, 0);
});

test("a batch with an unusable event leaves nothing behind, and the writer goes on", (context) => {
  const { store } = opened(context);
  const writer = createEventWriter(store);
  const unusable = flowEvent({ rule: "new-word", bytes: 0.5 });
  assert.equal(writer.append([flowEvent({ rule: "other-word" }), unusable])?.kind, "other");
  assert.equal(writer.append([flowEvent({ rule: "other-word" })]), null);
  assert.deepEqual(
    listFlows(store, {}).map((flow) => flow.rule),
    ["other-word"],
  );
});

test("another writer's lock is a problem that passes", (context) => {
  const { store } = opened(context);
  const other = new DatabaseSync(store.path);
  context.after(() => other.close());
  const writer = createEventWriter(store);
  other.exec("BEGIN IMMEDIATE");
  assert.equal(writer.append([flowEvent()])?.kind, "busy");
  other.exec("ROLLBACK");
  assert.equal(writer.append([flowEvent()]), null);
});

test("a database that may only be read says so", (context) => {
  const { store, directory } = opened(context);
  closeStore(store);
  const reading = openStoreReadOnly(directory);
  assert.ok(reading !== undefined);
  context.after(() => closeStore(reading));
  assert.equal(createEventWriter(reading).append([flowEvent()])?.kind, "read-only");
});

test("where nothing was recorded there is nothing to read", (context) => {
  assert.equal(openStoreReadOnly(temporaryDirectory(context)), undefined);
});

for (const [name, prepare, kind] of [
  ["a file that is no database", (path: string) => writeFileSync(path, "x".repeat(8_192)), "damaged"],
  [
    "a database of a newer version",
    (path: string) => new DatabaseSync(path).exec("PRAGMA user_version = 999"),
    "newer",
  ],
] as const) {
  test(`${name} is refused with what helps, for writing and for reading`, (context) => {
    const directory = temporaryDirectory(context);
    prepare(join(directory, "events.db"));
    for (const open of [openStore, openStoreReadOnly]) {
      assert.throws(
        () => open(directory),
        (error) => {
          assert.ok(error instanceof SeawallError && error.code === "SEAWALL_STORE" && error.help !== null);
          return error.message.includes(`(${kind})`);
        },
      );
    }
  });
}

test("a state directory that cannot be made is refused", (context) => {
  const file = join(temporaryDirectory(context), "file");
  writeFileSync(file, "");
  assert.throws(() => openStore(join(file, "state")), SeawallError);
});

test("retention removes what is older than the age and nothing else", (context) => {
  const { store } = opened(context);
  const day = 86_400_000;
  createEventWriter(store).append([0, 1, 2, 3].map((at) => flowEvent({ timeMs: at * day })));
  createEventWriter(store).append([{ kind: "loss", timeMs: 0, cause: "kernel", count: 1 }]);
  const step = retainStep(store, 3 * day, { ageDaysMax: 2, sizeMebibytesMax: 100 });
  assert.deepEqual(step, { kind: "more", removed: 2 });
  assert.deepEqual(
    listFlows(store, {}).map((flow) => flow.timeMs / day),
    [1, 2, 3],
  );
  assert.deepEqual(listLosses(store, 0), []);
});

test("retention removes the oldest, step by step, until the size is kept, and gives the space back", (context) => {
  const { store } = opened(context);
  const writer = createEventWriter(store);
  for (let batch = 0; batch < 30; batch += 1) {
    writer.append(Array.from({ length: 1_000 }, (_, at) => flowEvent({ timeMs: batch * 1_000 + at })));
  }
  const retention = { ageDaysMax: 30, sizeMebibytesMax: 1 };
  assert.ok(usedBytes(store) > 1_048_576);
  let steps = 0;
  while (retainStep(store, 30_000, retention).kind === "more") steps += 1;
  assert.ok(steps > 1 && steps < 100, `${steps} steps`);
  assert.ok(usedBytes(store) <= 1_048_576);
  const [first, ...left] = listFlows(store, {});
  assert.equal(first?.timeMs, 0, "the first of its refusal is kept apart");
  assert.equal(left.at(-1)?.timeMs, 29_999);
  assert.equal(left.length, 29_999 - (left[0]?.timeMs ?? 0) + 1);
  store.database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  assert.ok(statSync(store.path).size <= 1_048_576);
});
