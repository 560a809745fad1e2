import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { FlowEvent } from "../../src/core/event/event.ts";
import { jsonFromNamespace } from "../support/namespace-json.ts";

interface Seen {
  kinds: FlowEvent[];
  few: Record<"flows" | "foreign" | "malformed" | "missing" | "overruns", number>;
  second: string;
  many: Record<"flows" | "missing" | "overruns", number>;
  datagrams: number;
  cpuMicrosecondsPerEvent: number;
  stalled: Record<"flows" | "missing" | "overruns", number>;
}

let seen: Seen;
before(async () => {
  seen = (await jsonFromNamespace(new URL("./in-namespace/nflog.ts", import.meta.url))) as Seen;
});

for (const [at, name, wanted] of [
  [0, "a refused UDP packet over IPv4", { source: "127.0.0.1", protocol: 17, destinationPort: 9, bytes: 29 }],
  [1, "a refused UDP packet over IPv6", { source: "::1", protocol: 17, destinationPort: 9, bytes: 49 }],
  [
    2,
    "a watched inbound packet over IPv4",
    { direction: "inbound", verdict: "drop", place: "world", observed: true },
  ],
  [3, "a watched inbound packet over IPv6", { direction: "inbound", destination: "::1", interfaceIn: "lo" }],
  [
    4,
    "a refused TCP connection over IPv4",
    { rule: "no-mail", protocol: 6, destinationPort: 25, tcpFlags: 2 },
  ],
  [5, "a refused TCP connection over IPv6", { rule: "no-mail", source: "::1", protocol: 6, tcpFlags: 2 }],
] as const) {
  test(`${name} is one event with what its rule said`, () => {
    const event = seen.kinds[at];
    assert.ok(event !== undefined);
    assert.deepEqual({ ...event, ...wanted }, event);
  });
}

test("a packet that left a local socket has its uid, gid and interface", () => {
  const { uid, gid, interfaceOut, interfaceIn } = seen.kinds[0] ?? {};
  assert.deepEqual(
    { uid, gid, interfaceOut, interfaceIn },
    { uid: 0, gid: 0, interfaceOut: "lo", interfaceIn: null },
  );
});

test("a packet that came in has an interface and no uid", () => {
  const { uid, gid, interfaceOut, interfaceIn } = seen.kinds[2] ?? {};
  assert.deepEqual(
    { uid, gid, interfaceOut, interfaceIn },
    { uid: null, gid: null, interfaceOut: null, interfaceIn: "lo" },
  );
});

test("a rule of somebody else in our group is counted as foreign and is no event", () => {
  assert.equal(seen.few.foreign, 1);
  assert.equal(seen.few.flows, 6);
  assert.equal(seen.few.malformed, 0);
});

test("a second reader of the group is refused and told who has it", () => {
  assert.match(seen.second, /NFLOG group 18900 is already read by netlink port \d+/);
});

test("20,000 events in a row arrive without loss, many in each datagram", (context) => {
  assert.deepEqual(seen.many, { flows: 20_000, missing: 0, overruns: 0 });
  assert.ok(seen.datagrams < 20_000 / 30, `${seen.datagrams} datagrams`);
  context.diagnostic(`${seen.cpuMicrosecondsPerEvent.toFixed(1)} us CPU per event, sending it included`);
});

test("a reader that is held up is told of the overrun, and events read and missing add up to those sent", () => {
  assert.ok(seen.stalled.overruns >= 1);
  assert.ok(seen.stalled.missing > 0);
  assert.equal(seen.stalled.flows + seen.stalled.missing, 2_071);
});
