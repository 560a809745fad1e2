import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { flowEvent } from "../../../test/support/event.ts";
import { temporaryDirectory } from "../../../test/support/temporary-directory.ts";
import { closeStore, openStore, type Store } from "./database.ts";
import { createEventWriter } from "./event-store.ts";
import { listFlows } from "./flow-query.ts";
import { usedBytes } from "./retention.ts";
import { createTidying } from "./tidy.ts";
import { WORDS_KEPT } from "./word-sweep.ts";

const LIMIT = { ageDaysMax: 30, sizeMebibytesMax: 2 };
const EVENTS = 8_000;
/** LIMIT: steps of one tidying here; each is bounded. */
const STEPS_MAX = 2_000;

/** The words of a gate that was taken over: a scope and a rule of their own for each event. */
const scopeOf = (at: number) => `s${at}-${"y".repeat(280)}`;
const ruleOf = (at: number) => `r${at}-${"x".repeat(280)}`;

/** Fills a store as 0.1.0 did from such a gate, and its upgrade after it. */
function fill({ database }: Store, count: number): void {
  const word = database.prepare("INSERT INTO word (text) VALUES (?)");
  const flow =
    database.prepare(`INSERT INTO flow (time_ms, direction, verdict, observed, reason, generation, place,
    rule, protocol, source, destination, bytes) VALUES (?, 1, 1, 0, 1, 3, ?, ?, 6, x'0a000002', x'c6336407', 60)`);
  database.exec("BEGIN");
  for (let at = 0; at < count; at += 1) {
    const [scope, rule] = [scopeOf(at), ruleOf(at)].map((text) => word.run(text).lastInsertRowid);
    flow.run(at, scope ?? 0, rule ?? 0);
  }
  database.exec(
    "INSERT INTO share (direction, place, flows) SELECT direction, place, count(*) FROM flow GROUP BY direction, place; COMMIT",
  );
}

function opened(context: TestContext) {
  const store = openStore(temporaryDirectory(context));
  context.after(() => closeStore(store));
  const writer = createEventWriter(store);
  const tidying = createTidying(store, () => writer.forgetWords());
  return { store, writer, tidying };
}

/** Tidies until nothing is left to do; `each` runs between two steps. */
function tidy(
  { tidying }: Pick<ReturnType<typeof opened>, "tidying">,
  each: () => void = () => undefined,
): number {
  for (let steps = 1; steps <= STEPS_MAX; steps += 1) {
    const { kind } = tidying.step(1_000_000, LIMIT);
    assert.notEqual(kind, "failed");
    if (kind === "done") return steps;
    each();
  }
  throw new Error("it does not end");
}

const wordsIn = ({ database }: Store) =>
  Number(database.prepare("SELECT count(*) AS n FROM word").get()?.["n"]);

test("a store that is full of words nobody uses is within its limit again, and loses no event for them", (context) => {
  const world = opened(context);
  const { store, writer } = world;
  fill(store, EVENTS);
  store.database.exec("DELETE FROM flow; DELETE FROM share");
  writer.append(Array.from({ length: 500 }, (_, at) => flowEvent({ timeMs: at, rule: "a-rule" })));
  assert.ok(usedBytes(store) > 2 * 1_048_576);
  tidy(world);
  assert.ok(usedBytes(store) <= 2 * 1_048_576);
  assert.equal(listFlows(store, { rule: "a-rule" }).length, 500);
  assert.ok(wordsIn(store) <= WORDS_KEPT);
});

test("a store that is full of events with words of their own: the oldest go with their words, the newest stay", (context) => {
  const world = opened(context);
  const { store, writer } = world;
  fill(store, EVENTS);
  writer.append(Array.from({ length: 900 }, () => flowEvent({ timeMs: 999_999, rule: "newest" })));
  tidy(world);
  assert.ok(usedBytes(store) <= 2 * 1_048_576);
  assert.equal(listFlows(store, { rule: "newest" }).length, 900);
});

test("what is written while words are looked through keeps its words", (context) => {
  const world = opened(context);
  const { store, writer } = world;
  fill(store, EVENTS);
  store.database.exec("DELETE FROM flow; DELETE FROM share");
  let written = 0;
  const old = flowEvent({ place: scopeOf(7_000), rule: ruleOf(7_000) });
  tidy(world, () => {
    if (written >= 60) return;
    // A word that is remembered with its number and about to go, and one that is new.
    assert.equal(writer.append([old, flowEvent({ rule: `new-${written}` })]), null);
    written += 1;
  });
  assert.ok(written > 0);
  assert.equal(listFlows(store, {}).length, written * 2);
  assert.equal(listFlows(store, { rule: old.rule ?? "" }).length, written);
  assert.equal(listFlows(store, { rule: "new-0" }).length, 1);
});

test("a store with few words is not looked through", (context) => {
  const world = opened(context);
  world.writer.append([flowEvent()]);
  assert.equal(tidy(world), 1);
});
