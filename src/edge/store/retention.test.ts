import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { flowEvent } from "../../../test/support/event.ts";
import { temporaryDirectory } from "../../../test/support/temporary-directory.ts";
import type { FlowEvent, SeawallEvent } from "../../core/event/event.ts";
import { recordedLines } from "./counts.ts";
import { closeStore, openStore, type Store } from "./database.ts";
import { createEventWriter, type EventWriter } from "./event-store.ts";
import { FIRSTS_PER_PLACE_AND_DAY_MAX } from "./first.ts";
import { listFlows, listLosses } from "./flow-query.ts";
import { LOSSES_MAX, retainStep } from "./retention.ts";

const NOW_MS = Date.UTC(2026, 0, 2, 12, 0, 0);
const BATCH = 2_000;
const LIMITS = { ageDaysMax: 30, sizeMebibytesMax: 2 };
/** LIMIT: steps of one test; each removes something. */
const STEPS_MAX = 200;

function opened(context: TestContext): { store: Store; writer: EventWriter } {
  const store = openStore(temporaryDirectory(context));
  context.after(() => closeStore(store));
  return { store, writer: createEventWriter(store) };
}

function write(writer: EventWriter, count: number, event: (at: number) => SeawallEvent): void {
  for (let from = 0; from < count; from += BATCH) {
    const length = Math.min(BATCH, count - from);
    assert.equal(writer.append(Array.from({ length }, (_, at) => event(from + at))), null);
  }
}

function retain(store: Store): void {
  for (let step = 0; step < STEPS_MAX; step += 1) {
    const done = retainStep(store, NOW_MS, LIMITS);
    assert.notEqual(done.kind, "failed");
    if (done.kind === "done") return;
  }
  assert.fail("retention does not come to an end");
}

const agent = (at: number, change: Partial<FlowEvent> = {}): FlowEvent =>
  flowEvent({ timeMs: NOW_MS - 1_000 + (at % 1_000), refusal: `sw-${at}`, host: `${at}.example`, ...change });
const of = (store: Store, place: string): readonly FlowEvent[] =>
  listFlows(store, {}).filter((flow) => flow.place === place);

/** Each of others has less than an equal part of what is kept. */
const OTHERS: readonly (readonly [name: string, change: Partial<FlowEvent>])[] = [
  ["another agent's", { place: "helper" }],
  ["the strangers'", { place: "world", direction: "inbound", refusal: null, host: null }],
  ["what a zone of the same name sent", { place: "agent", direction: "inbound", refusal: null, host: null }],
];

for (const [name, change] of OTHERS) {
  test(`a wash by one agent removes none of ${name}`, (context) => {
    const { store, writer } = opened(context);
    const kept = 500;
    write(writer, kept, (at) => agent(at, { verdict: "accept", timeMs: NOW_MS - 86_400_000, ...change }));
    write(writer, 40_000, (at) => agent(at));
    retain(store);
    const left = listFlows(store, {});
    assert.ok(left.length < 40_000, "something had to go");
    const { place = "agent", direction = "outbound" } = change;
    const theirs = left.filter((flow) => flow.place === place && flow.direction === direction);
    assert.equal(theirs.length, kept);
  });
}

test("a wash by strangers removes nothing of an agent's", (context) => {
  const { store, writer } = opened(context);
  write(writer, 500, (at) => agent(at, { verdict: "accept" }));
  write(writer, 40_000, (at) =>
    flowEvent({
      timeMs: NOW_MS,
      direction: "inbound",
      place: "world",
      source: `20.0.${(at >> 8) & 255}.${at & 255}`,
    }),
  );
  retain(store);
  assert.equal(of(store, "agent").length, 500);
});

test("the first event of each refusal stays when the mass of them goes", (context) => {
  const { store, writer } = opened(context);
  const mass = 40_000;
  write(writer, mass, (at) => agent(at, { refusal: `sw-${at % 7}`, sourcePort: at }));
  retain(store);
  const left = of(store, "agent");
  assert.ok(left.length < mass);
  for (let refusal = 0; refusal < 7; refusal += 1) {
    const kept = left.filter((flow) => flow.refusal === `sw-${refusal}` && flow.sourcePort === refusal);
    assert.equal(kept.length, 1, "the first that was written is there");
  }
});

test("a wash by names of its own does not push out the firsts from before it, and has a number of firsts itself", (context) => {
  const { store, writer } = opened(context);
  write(writer, 1, () => agent(0, { refusal: "sw-telling", host: "telling.example" }));
  write(writer, 40_000, (at) => agent(at));
  retain(store);
  const left = of(store, "agent");
  assert.equal(left.filter((flow) => flow.refusal === "sw-telling").length, 1);
  const firsts = store.database.prepare("SELECT count(*) AS found FROM flow WHERE first = 1").get();
  assert.equal(firsts?.["found"], FIRSTS_PER_PLACE_AND_DAY_MAX);
});

test("the first of each source that was refused stays, and a /64 is one source", (context) => {
  const { store, writer } = opened(context);
  const inbound = { direction: "inbound", place: "world", refusal: null, host: null } as const;
  write(writer, 300, (at) => agent(0, { ...inbound, source: `2001:db8:1:2::${at.toString(16)}` }));
  write(writer, 3, (at) => agent(0, { ...inbound, source: `2001:db8:2:${at}::1` }));
  const firsts = store.database.prepare("SELECT count(*) AS found FROM flow WHERE first = 1").get();
  assert.equal(firsts?.["found"], 4);
});

test("events that are too old go, also the first of a refusal", (context) => {
  const { store, writer } = opened(context);
  write(writer, 10, (at) => agent(at, { timeMs: NOW_MS - 31 * 86_400_000 }));
  write(writer, 10, (at) => agent(at));
  retain(store);
  assert.equal(of(store, "agent").length, 10);
  const firsts = (): unknown =>
    store.database.prepare("SELECT count(*) AS found FROM first").get()?.["found"];
  assert.equal(firsts(), 0);
  write(writer, 1, (at) => agent(at));
  assert.equal(firsts(), 1, "the next one is the first again");
});

test("where nothing but firsts is left the oldest of them go: the size is kept", (context) => {
  const { store, writer } = opened(context);
  write(writer, 12_000, (at) => agent(at, { place: `scope${at % 6}`, host: "x".repeat(250) }));
  retain(store);
  assert.ok(listFlows(store, {}).length < 12_000);
});

test("losses have a number too", (context) => {
  const { store, writer } = opened(context);
  write(writer, LOSSES_MAX + 100, () => ({ kind: "loss", timeMs: NOW_MS, cause: "queue", count: 1 }));
  retain(store);
  assert.equal(listLosses(store, 0).length, LOSSES_MAX);
});

test("lines of the kernel are counted by the counter that counts them, what a gate decided is not", (context) => {
  const store = openStore(temporaryDirectory(context));
  context.after(() => closeStore(store));
  let epoch = "first";
  const epochs = () => new Map([["count_line/out/agent/refuse", epoch]]);
  const writer = createEventWriter(store, epochs);
  write(writer, 5, (at) => agent(at));
  write(writer, 3, (at) => agent(at, { door: "dns" }));
  write(writer, 2, (at) => agent(at, { place: "nobody" }));
  epoch = "second";
  write(writer, 4, (at) => agent(at));
  const recorded = recordedLines(store);
  assert.equal(recorded("count_line/out/agent/refuse", "first"), 5);
  assert.equal(recorded("count_line/out/agent/refuse", "second"), 4);
  assert.equal(recorded("count_line/out/nobody/refuse", "first"), 0);
});
