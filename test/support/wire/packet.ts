/** First packets of connections as bytes: IPv4 or IPv6, then TCP SYN, UDP, ICMP echo or something else. */
import type { Ip } from "../../../src/core/net/ip.ts";

/** `sctp` has ports where TCP has them; `plain` (253, RFC 3692) has nothing any tracker knows. */
export type WireProtocol = "tcp" | "udp" | "icmp" | "sctp" | "plain";

export interface Packet {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly protocol: WireProtocol;
  /** TCP, UDP, SCTP: source port. ICMP: identifier. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** IPv4: header options; IPv6: a destination options header. Ports are then not where they mostly are. */
  readonly withOptions?: boolean;
}

export const TCP = 6;
export const UDP = 17;
export const ICMP4 = 1;
export const ICMP6 = 58;
const SCTP = 132;
const PLAIN = 253;
const HOP_LIMIT = 64;
const HEADER4_BYTES = 20;
const HEADER6_BYTES = 40;
const OPTIONS4_BYTES = 4;
const OPTIONS6_BYTES = 8;
const DESTINATION_OPTIONS = 60;

/** Network order bytes, 4 or 16. */
export function ipBytes(ip: Ip): Uint8Array {
  if (ip.family === 4) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(ip.value);
    return bytes;
  }
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64BE(ip.value >> 64n, 0);
  bytes.writeBigUInt64BE(ip.value & 0xffff_ffff_ffff_ffffn, 8);
  return bytes;
}

/** Returns the whole IP packet, with right checksums. */
export function encodePacket(packet: Packet): Buffer {
  const isV4 = packet.source.length === 4;
  const optionBytes = packet.withOptions !== true ? 0 : isV4 ? OPTIONS4_BYTES : OPTIONS6_BYTES;
  const headerBytes = (isV4 ? HEADER4_BYTES : HEADER6_BYTES) + optionBytes;
  const layer4Bytes = LAYER4_BYTES[packet.protocol];
  const bytes = Buffer.alloc(headerBytes + layer4Bytes);
  const number = protocolNumber(packet.protocol, isV4);
  if (isV4) writeHeader4(bytes, packet, number, headerBytes);
  else writeHeader6(bytes, packet, number, bytes.length - HEADER6_BYTES);
  writeLayer4(bytes, headerBytes, packet, isV4);
  // RFC 793 and 768 sums take in a pseudo header; ICMP's does so in IPv6 only. SCTP's own sum is no business
  // of ours: a wrong one makes the packet `invalid` for conntrack, which is to be judged as new.
  if (packet.protocol !== "sctp") {
    const at = headerBytes + CHECKSUM_OFFSET[packet.protocol];
    const withPseudo = !isV4 || packet.protocol === "tcp" || packet.protocol === "udp";
    const pseudo = withPseudo ? pseudoSum(packet, number, layer4Bytes) : 0;
    const sum = checksum(bytes, headerBytes, bytes.length, pseudo);
    bytes.writeUInt16BE(sum === 0 ? 0xffff : sum, at);
  }
  return bytes;
}

const LAYER4_BYTES = { tcp: 20, udp: 12, icmp: 12, sctp: 32, plain: 12 } as const;
const CHECKSUM_OFFSET = { tcp: 16, udp: 6, icmp: 2, plain: 0 } as const;

function protocolNumber(protocol: WireProtocol, isV4: boolean): number {
  const numbers = { tcp: TCP, udp: UDP, icmp: isV4 ? ICMP4 : ICMP6, sctp: SCTP, plain: PLAIN };
  return numbers[protocol];
}

function writeHeader4(bytes: Buffer, packet: Packet, number: number, headerBytes: number): void {
  bytes[0] = 0x40 | (headerBytes / 4);
  bytes.writeUInt16BE(bytes.length, 2);
  bytes[6] = 0x40; // don't fragment
  bytes[8] = HOP_LIMIT;
  bytes[9] = number;
  bytes.set(packet.source, 12);
  bytes.set(packet.destination, 16);
  bytes.fill(1, HEADER4_BYTES, headerBytes); // no operation
  bytes.writeUInt16BE(checksum(bytes, 0, headerBytes, 0), 10);
}

function writeHeader6(bytes: Buffer, packet: Packet, number: number, payloadBytes: number): void {
  bytes[0] = 0x60;
  bytes.writeUInt16BE(payloadBytes, 4);
  if (packet.withOptions === true) {
    bytes[6] = DESTINATION_OPTIONS;
    bytes.set([number, 0, 1, 4], HEADER6_BYTES); // eight bytes: next header, length, PadN of four
  } else {
    bytes[6] = number;
  }
  bytes[7] = HOP_LIMIT;
  bytes.set(packet.source, 8);
  bytes.set(packet.destination, 24);
}

function writeLayer4(bytes: Buffer, at: number, packet: Packet, isV4: boolean): void {
  if (packet.protocol === "plain") return;
  if (packet.protocol === "icmp") {
    bytes[at] = isV4 ? 8 : 128; // echo request
    bytes.writeUInt16BE(packet.sourcePort, at + 4);
    return;
  }
  bytes.writeUInt16BE(packet.sourcePort, at);
  bytes.writeUInt16BE(packet.destinationPort, at + 2);
  if (packet.protocol === "tcp") {
    bytes.writeUInt32BE(packet.sourcePort * 65_536, at + 4);
    bytes[at + 12] = 5 << 4;
    bytes[at + 13] = 2; // SYN
    bytes.writeUInt16BE(64_240, at + 14);
  } else if (packet.protocol === "udp") {
    bytes.writeUInt16BE(LAYER4_BYTES.udp, at + 4);
  } else {
    bytes[at + 12] = 1; // INIT chunk
    bytes.writeUInt16BE(20, at + 14);
    bytes.writeUInt32BE(packet.sourcePort, at + 16);
  }
}

function pseudoSum(packet: Packet, number: number, layer4Bytes: number): number {
  return words(packet.source) + words(packet.destination) + number + layer4Bytes;
}

function words(address: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < address.length; at += 2) sum += ((address[at] ?? 0) << 8) | (address[at + 1] ?? 0);
  return sum;
}

/** RFC 1071 over an even number of bytes. */
function checksum(bytes: Buffer, from: number, to: number, start: number): number {
  let sum = start;
  for (let at = from; at < to; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
