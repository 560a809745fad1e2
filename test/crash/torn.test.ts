// What a power cut leaves of the event store: a log that ends anywhere, one with torn or zeroed sectors, a lost -shm, a
// torn page of the database. The recorder goes on with it, what was checkpointed stays, and nothing that never was is
// shown; what cannot be read is set aside and said, once.
import assert from "node:assert/strict";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test, type TestContext } from "node:test";
import { createRecorder } from "../../src/daemon/event-recorder.ts";
import { closeStore, openStore } from "../../src/edge/store/database.ts";
import { createEventWriter } from "../../src/edge/store/event-store.ts";
import { listFlows } from "../../src/edge/store/flow-query.ts";
import { SET_ASIDE_MAX, setAsideStamps, setStoreAside } from "../../src/edge/store/set-aside.ts";
import { flowEvent } from "../support/event.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const SETTLED = 60;
const LOGGED = 90;
const CUTS = 40;
const PAGE_BYTES = 4_096;

const batch = (first: number, count: number) =>
  Array.from({ length: count }, (_, at) => flowEvent({ timeMs: first + at, rule: `rule-${first + at}` }));

/** A store as kill -9 leaves it: SETTLED events in the database, LOGGED more in the log only. */
function killedStore(folder: string): void {
  const live = join(folder, "live");
  mkdirSync(live);
  const store = openStore(live);
  const writer = createEventWriter(store);
  assert.equal(writer.append(batch(0, SETTLED)), null);
  store.database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  for (let at = SETTLED; at < SETTLED + LOGGED; at += 10) assert.equal(writer.append(batch(at, 10)), null);
  cpSync(live, join(folder, "killed"), { recursive: true });
  closeStore(store);
}

let folder: string;
let killed: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "seawall-torn-"));
  killedStore(folder);
  killed = join(folder, "killed");
});
after(() => rmSync(folder, { recursive: true }));

interface Seen {
  readonly times: readonly number[];
  readonly said: readonly string[];
  readonly aside: readonly string[];
  readonly state: string;
}

/** Does to a copy what `tear` does, records one event there as seawalld would, and returns what is in it then. */
function torn(context: TestContext, tear: (path: string) => void): Seen {
  const directory = join(temporaryDirectory(context), "state");
  cpSync(killed, directory, { recursive: true });
  tear(join(directory, "events.db"));
  const said: string[] = [];
  const recorder = createRecorder({
    stateDir: directory,
    now: () => 1_000_000,
    retention: { ageDaysMax: 30, sizeMebibytesMax: 512 },
    say: (text) => said.push(text),
  });
  recorder.add(flowEvent({ timeMs: 999_999 }));
  recorder.tick();
  const { state } = recorder.stats().store;
  recorder.stop();
  const store = openStore(directory);
  const { integrity_check: integrity } = store.database.prepare("PRAGMA integrity_check").get() ?? {};
  const flows = listFlows(store, {});
  closeStore(store);
  assert.equal(integrity, "ok");
  for (const { timeMs, rule } of flows) if (timeMs !== 999_999) assert.equal(rule, `rule-${timeMs}`);
  const aside = readdirSync(directory).filter((name) => name.includes("corrupt"));
  return { times: flows.map(({ timeMs }) => timeMs), said, aside, state };
}

/** Whole batches from the first on, all that were checkpointed among them, and the new event. */
function assertPrefix({ times, said, aside, state }: Seen): number {
  assert.deepEqual({ said, aside, state }, { said: [], aside: [], state: "ok" });
  const old = times.slice(0, -1);
  assert.equal(times.at(-1), 999_999);
  assert.deepEqual(
    old,
    Array.from({ length: old.length }, (_, at) => at),
  );
  assert.ok(old.length >= SETTLED && old.length % 10 === 0, `${old.length} events`);
  return old.length;
}

describe("a log", () => {
  test("that is whole keeps every event", (context) => {
    assert.equal(assertPrefix(torn(context, () => undefined)), SETTLED + LOGGED);
  });

  test("without its -shm keeps every event", (context) => {
    const seen = torn(context, (path) => rmSync(`${path}-shm`));
    assert.equal(assertPrefix(seen), SETTLED + LOGGED);
  });

  test("with a -shm of garbage keeps every event", (context) => {
    const seen = torn(context, (path) => writeFileSync(`${path}-shm`, Buffer.alloc(32_768, 0xa5)));
    assert.equal(assertPrefix(seen), SETTLED + LOGGED);
  });

  test("that is lost leaves what was checkpointed", (context) => {
    const seen = torn(context, (path) => rmSync(`${path}-wal`));
    assert.equal(assertPrefix(seen), SETTLED);
  });

  test(`that ends at any of ${CUTS} places keeps whole batches from the first on`, (context) => {
    const length = readFileSync(join(killed, "events.db-wal")).length;
    const kept = Array.from({ length: CUTS + 1 }, (_, cut) =>
      assertPrefix(torn(context, (path) => truncateSync(`${path}-wal`, Math.floor((length * cut) / CUTS)))),
    );
    assert.deepEqual(
      kept,
      kept.toSorted((left, right) => left - right),
    );
    assert.deepEqual([kept[0], kept.at(-1)], [SETTLED, SETTLED + LOGGED]);
  });

  for (const [what, filler] of [
    ["zeroed", 0],
    ["of garbage", 0xa5],
  ] as const) {
    test(`with a sector ${what} at any of ${CUTS} places keeps whole batches from the first on`, (context) => {
      const random = seededRandom(7);
      for (let cut = 0; cut < CUTS; cut += 1) {
        const seen = torn(context, (path) => {
          const log = readFileSync(`${path}-wal`);
          const at = 512 * random.below(Math.floor(log.length / 512));
          writeFileSync(`${path}-wal`, log.fill(filler, at, at + 512));
        });
        assertPrefix(seen);
      }
    });
  }
});

describe("a database with a torn page", () => {
  for (const [where, page] of [
    ["its first", 0],
    ["its second", 1],
    ["one in the middle", 4],
  ] as const) {
    test(`is set aside with its log and said once, and recording goes on: ${where}`, (context) => {
      const { times, said, aside, state } = torn(context, (path) => {
        // What is in the log would heal the page.
        rmSync(`${path}-wal`);
        writeFileSync(`${path}-wal`, "x");
        const bytes = readFileSync(path);
        writeFileSync(path, bytes.fill(0xa5, page * PAGE_BYTES, (page + 1) * PAGE_BYTES));
      });
      assert.deepEqual({ times, state, said: said.length }, { times: [999_999], state: "ok", said: 1 });
      assert.ok(aside.some((name) => /^events\.db\.corrupt-\d{8}T\d{6}/.test(name)));
    });
  }

  test("is not emptied: what is set aside is what was there", (context) => {
    const directory = temporaryDirectory(context);
    writeFileSync(join(directory, "events.db"), "no database");
    const aside = setStoreAside(directory, 5) ?? "";
    assert.equal(readFileSync(aside, "utf8"), "no database");
    assert.ok(!existsSync(join(directory, "events.db")));
  });

  test(`is set aside ${SET_ASIDE_MAX} times at most: the oldest go`, (context) => {
    const directory = temporaryDirectory(context);
    for (let day = 1; day <= 6; day += 1) {
      writeFileSync(join(directory, "events.db"), `damage ${day}`);
      writeFileSync(join(directory, "events.db-wal"), `log ${day}`);
      assert.ok(setStoreAside(directory, day * 86_400_000) !== null);
    }
    assert.deepEqual(setAsideStamps(directory), [
      "19700105T000000.000Z",
      "19700106T000000.000Z",
      "19700107T000000.000Z",
    ]);
    assert.equal(readdirSync(directory).length, 2 * SET_ASIDE_MAX);
  });
});

test("a database of no bytes, as a power cut after its creation leaves it, is begun anew without a word", (context) => {
  const { times, said } = torn(context, (path) => {
    for (const ending of ["-wal", "-shm"]) rmSync(path + ending);
    truncateSync(path, 0);
  });
  assert.deepEqual({ times, said }, { times: [999_999], said: [] });
});
