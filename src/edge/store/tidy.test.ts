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
/** LIMIT: steps of one tidying here; each is bounded. */
const STEPS_MAX = 2_000;

/** As 0.1.0 wrote what a gate that was taken over told: two words of its own for each event. */
function hostile(from: number, count: number) {
  return Array.from({ length: count }, (_, at) =>
    flowEvent({
      timeMs: at,
      place: `s${from + at}-${"y".repeat(280)}`,
      rule: `r${from + at}-${"x".repeat(280)}`,
    }),
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
  for (let batch = 0; batch < 8; batch += 1) writer.append(hostile(batch * 1_000, 1_000));
  store.database.exec("DELETE FROM flow");
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
  for (let batch = 0; batch < 8; batch += 1) writer.append(hostile(batch * 1_000, 1_000));
  writer.append(Array.from({ length: 900 }, () => flowEvent({ timeMs: 999_999, rule: "newest" })));
  tidy(world);
  assert.ok(usedBytes(store) <= 2 * 1_048_576);
  assert.equal(listFlows(store, { rule: "newest" }).length, 900);
});

test("what is written while words are looked through keeps its words", (context) => {
  const world = opened(context);
  const { store, writer } = world;
  for (let batch = 0; batch < 8; batch += 1) writer.append(hostile(batch * 1_000, 1_000));
  store.database.exec("DELETE FROM flow");
  let written = 0;
  const [old] = hostile(7_000, 1);
  tidy(world, () => {
    if (written >= 60) return;
    // A word that is remembered with its number and about to go, and one that is new.
    assert.equal(writer.append([flowEvent({ ...old }), flowEvent({ rule: `new-${written}` })]), null);
    written += 1;
  });
  assert.ok(written > 0);
  assert.equal(listFlows(store, {}).length, written * 2);
  assert.equal(listFlows(store, { rule: old?.rule ?? "" }).length, written);
  assert.equal(listFlows(store, { rule: "new-0" }).length, 1);
});

test("a store with few words is not looked through", (context) => {
  const world = opened(context);
  world.writer.append([flowEvent()]);
  assert.equal(tidy(world), 1);
});
