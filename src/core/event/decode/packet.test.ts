import assert from "node:assert/strict";
import { test } from "node:test";
import { decodePacket } from "./packet.ts";

const ADDRESSES4 = "c0000201 c6336407";
const ADDRESSES6 = "20010db8000000000000000000000001 20010db8000000000000000000000002";
/** Ports 40000 and 443, sequence numbers, then data offset and the flags SYN and ACK. */
const TCP = "9c40 01bb 00000000 00000000 5012";
const UDP = "9c40 0035 0008 0000";

const rows: readonly [name: string, hex: string, wanted: object | undefined][] = [
  [
    "TCP over IPv4",
    `4500 0028 0000 0000 4006 0000 ${ADDRESSES4} ${TCP}`,
    {
      source: "192.0.2.1",
      destination: "198.51.100.7",
      protocol: 6,
      sourcePort: 40000,
      destinationPort: 443,
      tcpFlags: 0x12,
      bytes: 40,
    },
  ],
  [
    "UDP behind IPv4 options",
    `4600 0020 0000 0000 4011 0000 ${ADDRESSES4} 01010101 ${UDP}`,
    { protocol: 17, destinationPort: 53, tcpFlags: null },
  ],
  [
    "a later fragment, which has no ports",
    `4500 0020 0000 00b9 4011 0000 ${ADDRESSES4} ${UDP}`,
    { protocol: 17, sourcePort: null, destinationPort: null },
  ],
  [
    "a ping",
    `4500 001c 0000 0000 4001 0000 ${ADDRESSES4} 0800 0000`,
    { protocol: 1, icmpType: 8, destinationPort: null },
  ],
  [
    "TCP cut off behind the ports",
    `4500 0028 0000 0000 4006 0000 ${ADDRESSES4} 9c4001bb`,
    { destinationPort: 443, tcpFlags: null },
  ],
  [
    "UDP over IPv6",
    `60000000 0008 11 40 ${ADDRESSES6} ${UDP}`,
    { source: "2001:db8::1", destination: "2001:db8::2", protocol: 17, destinationPort: 53, bytes: 48 },
  ],
  [
    "TCP behind hop-by-hop and destination options",
    `60000000 0024 00 40 ${ADDRESSES6} 3c00000000000000 0601000000000000 0000000000000000 ${TCP}`,
    { protocol: 6, destinationPort: 443 },
  ],
  [
    "TCP behind an authentication header",
    `60000000 0024 33 40 ${ADDRESSES6} 0601000000000000 00000000 ${TCP}`,
    { protocol: 6, destinationPort: 443 },
  ],
  [
    "the first IPv6 fragment",
    `60000000 0010 2c 40 ${ADDRESSES6} 1100000100000000 ${UDP}`,
    { protocol: 17, destinationPort: 53 },
  ],
  [
    "a later IPv6 fragment",
    `60000000 0010 2c 40 ${ADDRESSES6} 1100000900000000 ${UDP}`,
    { protocol: 17, destinationPort: null },
  ],
  [
    "more extension headers than are followed",
    `60000000 0048 3c 40 ${ADDRESSES6} ${"3c00000000000000".repeat(9)} ${UDP}`,
    { protocol: 60, destinationPort: null },
  ],
  [
    "an IPv4 header that claims to be shorter than it is",
    `4400 0028 0000 0000 4006 0000 ${ADDRESSES4} ${TCP}`,
    undefined,
  ],
  ["an IPv4 header cut off in the addresses", "4500 0028 0000 0000 4006 0000 c0000201 c633", undefined],
  ["no IP version we know", `9500 0028 0000 0000 4006 0000 ${ADDRESSES4} ${TCP}`, undefined],
  ["nothing", "", undefined],
];

for (const [name, hex, wanted] of rows) {
  test(`${name} decodes to ${wanted === undefined ? "nothing" : "its flow"}`, () => {
    const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
    const packet = decodePacket(new DataView(bytes.buffer), 0, bytes.length);
    if (wanted === undefined) assert.equal(packet, undefined);
    else assert.deepEqual({ ...packet, ...wanted }, packet);
  });
}
