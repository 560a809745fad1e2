/**
 * The resolver behind what is measured, on UDP port 53 of every address. The name of an index has that index's address,
 * every other name the origin's; A only, other types are empty. Over its channel it tells how many questions it has
 * answered. It trusts who asks: it runs in a namespace with nobody else.
 */
import { createSocket } from "node:dgram";
import { parseIp4Value } from "../../../src/core/net/ip.ts";
import { INDEX_MAX, ORIGIN_ADDRESS, ZONE, zoneAddress } from "../peer/zone.ts";

const HEADER_BYTES = 12;
/** Type and class behind the name. */
const QUESTION_TAIL_BYTES = 4;
/** A pointer to the question's name, type, class, TTL, length and address (RFC 1035 3.2.1, 4.1.4). */
const ANSWER_BYTES = 16;
const TYPE_A = 1;
const TTL_SECONDS = 60;
const PORT = 53;
/** Bursts wait here while this process does not run. */
const BUFFER_BYTES = 4 * 1024 * 1024;

const origin = parseIp4Value(ORIGIN_ADDRESS);
let answered = 0;
const socket = createSocket({ type: "udp4", recvBufferSize: BUFFER_BYTES, sendBufferSize: BUFFER_BYTES });
socket.on("message", (query, from) => {
  socket.send(replyTo(query), from.port, from.address);
  answered += 1;
});
socket.bind(PORT, () => process.send?.(answered));
process.on("message", () => process.send?.(answered));

/** The question byte for byte and one answer; what came behind the question (EDNS) is left out. */
function replyTo(query: Buffer): Buffer {
  let end = HEADER_BYTES;
  const labels: string[] = [];
  for (let length = query[end] ?? 0; length > 0; length = query[end] ?? 0) {
    labels.push(query.toString("latin1", end + 1, end + 1 + length).toLowerCase());
    end += 1 + length;
  }
  const type = query.readUInt16BE(end + 1);
  end += 1 + QUESTION_TAIL_BYTES;
  const answers = type === TYPE_A ? 1 : 0;
  const reply = Buffer.alloc(end + answers * ANSWER_BYTES);
  query.copy(reply, 0, 0, end);
  const recursionDesired = (query[2] ?? 0) & 1;
  // A response, authoritative; recursion is available, no error.
  reply[2] = 0x84 | recursionDesired;
  reply[3] = 0x80;
  reply.writeUInt16BE(answers, 6);
  reply.fill(0, 8, HEADER_BYTES);
  if (answers === 0) return reply;
  reply.writeUInt16BE(0xc000 | HEADER_BYTES, end);
  reply.writeUInt16BE(TYPE_A, end + 2);
  reply.writeUInt16BE(1, end + 4);
  reply.writeUInt32BE(TTL_SECONDS, end + 6);
  reply.writeUInt16BE(4, end + 10);
  reply.writeUInt32BE(addressOf(labels), end + 12);
  return reply;
}

function addressOf(labels: readonly string[]): number {
  const [, label = "", ...rest] = labels;
  const index = Number(/^a(\d+)$/.exec(label)?.[1]);
  return index <= INDEX_MAX && rest.join(".") === ZONE ? zoneAddress(index) : origin;
}
