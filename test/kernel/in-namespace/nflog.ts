import { createSocket, type Socket } from "node:dgram";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createNflogDecoder } from "../../../src/core/event/decode/nflog.ts";
import { createSequenceCheck } from "../../../src/core/event/decode/sequence.ts";
import type { FlowEvent } from "../../../src/core/event/event.ts";
import { formatLogPrefix, NFLOG_GROUP } from "../../../src/core/event/log-prefix.ts";
import { createInterfaceNames } from "../../../src/edge/kernel/netlink/interface-name.ts";
import { openNflog } from "../../../src/edge/kernel/nflog.ts";
import { linkUp, loadRules } from "./nft.ts";

const COUNT = 20_000;
const out = { direction: "outbound", verdict: "refuse", generation: 3, place: "agent" } as const;
const refused = formatLogPrefix({ ...out, observed: false, reason: "default", rule: null });
const watched = formatLogPrefix({ ...out, observed: true, reason: "denied", rule: "no-mail" });
const inbound = formatLogPrefix({
  direction: "inbound",
  verdict: "drop",
  observed: true,
  generation: 15,
  place: "world",
  reason: "default",
  rule: null,
});
linkUp("lo");
loadRules(`table inet seawall {
  chain out { type filter hook output priority 0
    tcp flags syn tcp dport 25 log prefix "${watched}" group ${NFLOG_GROUP} reject with tcp reset
    udp dport 9 log prefix "${refused}" group ${NFLOG_GROUP}
    udp dport 11 log prefix "not ours" group ${NFLOG_GROUP}
  }
  chain pre { type filter hook prerouting priority -150
    udp dport 10 log prefix "${inbound}" group ${NFLOG_GROUP}
  }
}`);

const events: FlowEvent[] = [];
const counts = { foreign: 0, malformed: 0, missing: 0, overruns: 0, flows: 0, datagrams: 0 };
const decode = createNflogDecoder(createInterfaceNames(Date.now));
const sequences = createSequenceCheck();
const onDatagram = (bytes: Uint8Array, length: number): void => {
  counts.datagrams += 1;
  decode(bytes, length, 1_000, (record) => {
    if (record.kind === "overrun") return;
    counts.missing += record.sequence === null ? 1_000_000 : sequences.next(record.sequence);
    if (record.kind === "flow") {
      counts.flows += 1;
      if (events.length < 100) events.push(record.event);
    } else counts[record.kind] += 1;
  });
};
const onFailure = (error: Error): void => {
  throw error;
};
const onOverrun = (): void => void (counts.overruns += 1);
const reader = { onDatagram, onFailure, onOverrun };

const first = openNflog({ group: NFLOG_GROUP, ...reader });
let second = "no error";
try {
  openNflog({ group: NFLOG_GROUP, ...reader });
} catch (error) {
  second = String(error);
}
const four = createSocket("udp4");
const six = createSocket("udp6");
await say(four, 9, "127.0.0.1");
await say(six, 9, "::1");
await say(four, 10, "127.0.0.1");
await say(six, 10, "::1");
await say(four, 11, "127.0.0.1");
for (const host of ["127.0.0.1", "::1"]) {
  const { promise, resolve } = Promise.withResolvers<void>();
  connect(25, host).once("error", () => resolve());
  await promise;
}
await until(() => counts.flows + counts.foreign === 7);
const kinds = [...events];
const few = { ...counts };

const cpuBefore = process.cpuUsage();
for (let sent = 0; sent < COUNT; sent += 1) {
  if (sent % 200 === 199) await say(four, 9, "127.0.0.1");
  else four.send("x", 9, "127.0.0.1");
}
await until(() => counts.flows >= few.flows + COUNT);
const cpu = process.cpuUsage(cpuBefore);
const many = { ...counts };
await first.close();

// The group is free again; a reader with little memory that is held up must lose some, and must know it.
const stalled = openNflog({ group: NFLOG_GROUP, ...reader, receiveBufferBytes: 40_000 });
for (let sent = 0; sent < 2_000; sent += 1) four.send("x", 9, "127.0.0.1");
await say(four, 9, "127.0.0.1");
const busyUntil = performance.now() + 400;
// Blocks this thread on purpose: the one read under way is all that gets through.
while (performance.now() < busyUntil);
await until(() => counts.overruns > 0);
await sleep(300);
for (let sent = 0; sent < 70; sent += 1) await say(four, 9, "127.0.0.1");
await until(() => counts.missing > 0);
await sleep(300);
await stalled.close();
four.close();
six.close();

console.log(
  JSON.stringify({
    kinds,
    few,
    second,
    many: { flows: many.flows - few.flows, missing: many.missing, overruns: many.overruns },
    datagrams: many.datagrams - few.datagrams,
    cpuMicrosecondsPerEvent: (cpu.user + cpu.system) / COUNT,
    stalled: {
      flows: counts.flows - many.flows,
      missing: counts.missing - many.missing,
      overruns: counts.overruns - many.overruns,
    },
  }),
);

function say(socket: Socket, port: number, host: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.send("x", port, host, (error) => (error === null ? resolve() : reject(error)));
  return promise;
}

/** LIMIT: gives up after 10 s, so that the test shows what is missing. */
async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !condition(); tries += 1) await sleep(20);
}
