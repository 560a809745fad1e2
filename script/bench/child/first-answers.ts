/**
 * Asks a resolver for new names of the zone, one at a time, and prints the microseconds until each answer as JSON.
 *   node first-answers.ts SERVER FIRST-NUMBER COUNT
 * An answer without the name's own address, or none, is an error: its time would mean nothing.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { zoneAddress, zoneName } from "../peer/zone.ts";

const ANSWER_LIMIT_MS = 5_000;
const PORT = 53;
const HEADER_BYTES = 12;
const TYPE_A = 1;
const ADDRESS_BYTES = 4;

const [server = "", first = "0", count = "1"] = process.argv.slice(2);
const socket = createSocket("udp4");
socket.connect(PORT, server);
await once(socket, "connect");
const times: number[] = [];
for (let at = 0; at < Number(count); at += 1) times.push(await ask(Number(first) + at));
socket.close();
process.stdout.write(JSON.stringify(times));

/** The number of a name is its index too: neither the name nor the address was seen before. */
async function ask(index: number): Promise<number> {
  const name = zoneName(index, index);
  const id = index & 0xffff;
  const query = question(id, name);
  const startMs = performance.now();
  const answer = once(socket, "message", { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
  socket.send(query);
  const [reply] = (await answer) as [Buffer];
  const us = (performance.now() - startMs) * 1_000;
  const address = Buffer.alloc(ADDRESS_BYTES);
  address.writeUInt32BE(zoneAddress(index));
  const ours = reply.readUInt16BE(0) === id && reply.subarray(query.length).includes(address);
  if (!ours) throw new Error(`${server} answered ${name} without its address: ${reply.toString("hex")}`);
  return us;
}

/** One question for an address with recursion desired (RFC 1035 4.1). */
function question(id: number, name: string): Buffer {
  const labels = name.split(".").map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(id, 0);
  header[2] = 1;
  header[5] = 1;
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, TYPE_A, 0, 1])]);
}
