import assert from "node:assert/strict";
import { test } from "node:test";
import type { FromGate } from "../../core/gate/message.ts";
import {
  createDoorKeeper,
  LINKS_AT_ONCE_MAX,
  LINKS_PER_SECOND_MAX,
  TURNED_AWAY_PER_SECOND_MAX,
} from "./door-keeper.ts";
import { costOf, createConversation } from "./heard.ts";

const HELLO: FromGate = { kind: "hello", pid: 1, version: "0.1.0" };
const PONG: FromGate = { kind: "pong" };
const READY: FromGate = { kind: "ready", id: 1, trouble: [] };
const pin = (count: number): FromGate => ({
  kind: "pin",
  id: 1,
  scope: "agent",
  host: "a.example.com",
  addresses: Array.from({ length: count }, () => "192.0.2.1"),
  seconds: 90,
});

for (const [what, before, message, isDue] of [
  ["it greets first", [], HELLO, true],
  ["it greets once", [HELLO], HELLO, false],
  ["it asks for nothing before it greets", [], pin(1), false],
  ["it asks for pins as often as it likes", [HELLO, pin(1), pin(1)], pin(1), true],
  ["it answers no ping that was not sent", [HELLO], PONG, false],
  ["it answers a ping", [HELLO, "ping"], PONG, true],
  ["it answers a ping once", [HELLO, "ping", PONG], PONG, false],
  ["it answers no setup that was not sent", [HELLO, "ping"], READY, false],
  ["it answers each setup", [HELLO, "setup", "setup", READY], READY, true],
  ["it answers a setup once", [HELLO, "setup", READY], READY, false],
] as const) {
  test(what, () => {
    const conversation = createConversation();
    for (const one of before) {
      if (typeof one === "string") conversation.asked(one);
      else assert.ok(conversation.isDue(one));
    }
    assert.equal(conversation.isDue(message), isDue);
  });
}

test("a pin costs more the more addresses it has", () => {
  assert.ok(costOf(pin(100)) > 50 * costOf(PONG));
});

test("links are let in at once up to a limit, and then some a second, however long nobody came", () => {
  const keeper = createDoorKeeper();
  const admitted = (nowMs: number): number =>
    Array.from({ length: 100 }, () => keeper.admits(nowMs)).filter(Boolean).length;
  assert.equal(admitted(1_000_000), LINKS_AT_ONCE_MAX);
  assert.equal(admitted(1_001_000), LINKS_PER_SECOND_MAX);
  assert.equal(admitted(9_000_000), LINKS_AT_ONCE_MAX);
});

test("who knocks without end shuts the door, who knocks now and then does not", () => {
  const keeper = createDoorKeeper();
  const knocks = Array.from({ length: TURNED_AWAY_PER_SECOND_MAX }, () => keeper.turnedAway(5_000));
  assert.deepEqual(
    [knocks.indexOf(true), knocks.length],
    [TURNED_AWAY_PER_SECOND_MAX - 1, TURNED_AWAY_PER_SECOND_MAX],
  );
  const now = createDoorKeeper();
  for (let at = 0; at < TURNED_AWAY_PER_SECOND_MAX * 3; at += 1) assert.equal(now.turnedAway(at * 10), false);
});
