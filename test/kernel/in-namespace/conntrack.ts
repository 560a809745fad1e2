import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConntrackEntry, Tuple } from "../../../src/core/event/decode/conntrack.ts";
import { openConntrack } from "../../../src/edge/kernel/conntrack.ts";
import { linkUp, loadRules } from "./nft.ts";

linkUp("lo");
const table = openConntrack();
const untracked = table.conntrackOf({ ...tcp("127.0.0.1", 1), source: "127.0.0.1" });
// Generation 5 and scope 3 in the top byte, somebody else's bits below.
loadRules(`table inet seawall {
  chain out { type filter hook output priority 0
    ct state new tcp dport 8004 ct mark set 0x53000007
    ct state new tcp dport 8006 ct mark set 0x63000007
    ct state new tcp dport 9000-9999 ct mark set 0x71000000
  }
}`);
const sockets: Socket[] = [];
const v4 = await open("127.0.0.1", 8004);
const v6 = await open("::1", 8006);
const flip = (tuple: Tuple): Tuple => ({
  protocol: tuple.protocol,
  source: tuple.destination,
  destination: tuple.source,
  sourcePort: tuple.destinationPort,
  destinationPort: tuple.sourcePort,
});

const result = {
  untracked,
  v4,
  v6,
  found4: table.conntrackOf(v4),
  found6: table.conntrackOf(v6),
  reply4: table.conntrackOf(flip(v4)),
  reply6: table.conntrackOf(flip(v6)),
  nobody: table.conntrackOf({ ...v4, sourcePort: 1 }),
  generation5: dump(0x5000_0000, 0xf000_0000),
  generation6: dump(0x6000_0000, 0xf000_0000),
  generation8: dump(0x8000_0000, 0xf000_0000),
  scope3: dump(0x0300_0000, 0x0f00_0000),
  wrongId: table.deleteEntry(v4, 1),
  stillThere: table.conntrackOf(v4).kind,
  deleted: table.deleteEntry(v4, null),
  gone: table.conntrackOf(v4).kind,
  deletedTwice: table.deleteEntry(v4, null),
  otherUntouched: table.conntrackOf(v6).kind,
  many: 0,
};
const listener = createServer().listen(9000, "127.0.0.1");
await once(listener, "listening");
for (let at = 0; at < 1_000; at += 1) {
  const socket = connect(9000, "127.0.0.1");
  await once(socket, "connect");
  sockets.push(socket);
}
result.many = dump(0x7100_0000, 0xff00_0000).length;
const startedMs = performance.now();
for (let at = 0; at < 10_000; at += 1) table.conntrackOf(v6);
const lookupMicroseconds = (performance.now() - startedMs) / 10;
table.close();
console.log(JSON.stringify({ ...result, lookupMicroseconds }));
await sleep(0);
process.exit(0);

function dump(value: number, mask: number): ConntrackEntry[] {
  const entries: ConntrackEntry[] = [];
  const done = table.dumpMarks({ value, mask }, (entry) => entries.push(entry));
  if (done.kind !== "done" || done.count !== entries.length) throw new Error(JSON.stringify(done));
  return entries;
}

async function open(host: string, port: number): Promise<Tuple> {
  const server = createServer().listen(port, host);
  await once(server, "listening");
  const socket = connect(port, host);
  await once(socket, "connect");
  sockets.push(socket);
  return { ...tcp(host, port), sourcePort: socket.localPort ?? 0 };
}

function tcp(host: string, port: number): Tuple {
  return { protocol: 6, source: host, destination: host, sourcePort: 0, destinationPort: port };
}
