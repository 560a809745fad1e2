/** Packets that no well-behaved host sends, byte by byte: RFC 791, 8200, 9293, 768, 4443. */
import { parseIp } from "../../../../src/core/net/ip.ts";
import { ipBytes } from "../../../support/wire/packet.ts";

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;
export const URG = 32;

export interface Layer4 {
  readonly protocol: number;
  readonly bytes: Buffer;
  /** Where the checksum over pseudo header and bytes goes; null when there is none. */
  readonly checksumAt: number | null;
}

export interface Segment {
  readonly from: number;
  readonly to: number;
  readonly flags: number;
  readonly sequence?: number;
  readonly acknowledged?: number;
  readonly text?: string;
}

export function tcp({ from, to, flags, sequence = 1000, acknowledged = 0, text = "" }: Segment): Layer4 {
  const bytes = Buffer.alloc(20 + text.length);
  bytes.writeUInt16BE(from, 0);
  bytes.writeUInt16BE(to, 2);
  bytes.writeUInt32BE(sequence >>> 0, 4);
  bytes.writeUInt32BE(acknowledged >>> 0, 8);
  bytes[12] = 5 << 4;
  bytes[13] = flags;
  bytes.writeUInt16BE(64_240, 14);
  bytes.write(text, 20, "latin1");
  return { protocol: 6, bytes, checksumAt: 16 };
}

export function udp(from: number, to: number, text = "12345678"): Layer4 {
  const bytes = Buffer.alloc(8 + text.length);
  bytes.writeUInt16BE(from, 0);
  bytes.writeUInt16BE(to, 2);
  bytes.writeUInt16BE(bytes.length, 4);
  bytes.write(text, 8, "latin1");
  return { protocol: 17, bytes, checksumAt: 6 };
}

/** A protocol that has no checksum we care about (GRE, ESP, SCTP ...). */
export function plain(protocol: number, bytes: Buffer): Layer4 {
  return { protocol, bytes, checksumAt: null };
}

export function icmp(protocol: 1 | 58, type: number, code: number, rest: Buffer): Layer4 {
  const bytes = Buffer.concat([Buffer.from([type, code, 0, 0]), rest]);
  return { protocol, bytes, checksumAt: 2 };
}

export interface Ends {
  readonly from: string;
  readonly to: string;
}

/** The packet, IPv4 or IPv6 by its addresses, with right checksums. */
export function packet(ends: Ends, layer4: Layer4): Buffer {
  const sealed = seal(ends, layer4);
  return isV4(ends) ? header4(ends, layer4.protocol, sealed, 0x4000) : header6(ends, layer4.protocol, sealed);
}

/** As `packet`, cut at the given offsets (multiples of eight) into fragments. */
export function fragments(ends: Ends, layer4: Layer4, cuts: readonly number[], id = 77): Buffer[] {
  const sealed = seal(ends, layer4);
  const starts = [0, ...cuts];
  return starts.map((start, index) => {
    const end = starts[index + 1] ?? sealed.length;
    return fragment(ends, layer4.protocol, sealed.subarray(start, end), start, end < sealed.length, id);
  });
}

/** One fragment at `offset` bytes, whatever it overlaps. */
export function fragment(
  ends: Ends,
  protocol: number,
  part: Buffer,
  offset: number,
  more: boolean,
  id: number,
): Buffer {
  if (isV4(ends)) return header4(ends, protocol, part, (more ? 0x2000 : 0) | (offset >> 3), id);
  const extension = Buffer.alloc(8);
  extension[0] = protocol;
  extension.writeUInt16BE(offset | (more ? 1 : 0), 2);
  extension.writeUInt32BE(id, 4);
  return header6(ends, 44, Buffer.concat([extension, part]));
}

/** IPv6 with extension headers before the upper layer: each is its number and its body without the first two bytes. */
export function extended(
  ends: Ends,
  extensions: readonly (readonly [number, Buffer])[],
  layer4: Layer4,
): Buffer {
  const numbers = [...extensions.map(([number]) => number), layer4.protocol];
  const parts = extensions.map(([, body], index) =>
    Buffer.concat([Buffer.from([numbers[index + 1] ?? 59, (body.length + 2) / 8 - 1]), body]),
  );
  return header6(ends, numbers[0] ?? 59, Buffer.concat([...parts, seal(ends, layer4)]));
}

/** IPv4 with options (padded to four bytes). */
export function withOptions(ends: Ends, options: Buffer, layer4: Layer4): Buffer {
  return header4(ends, layer4.protocol, seal(ends, layer4), 0x4000, 0, options);
}

export function address(text: string): Buffer {
  const ip = parseIp(text);
  if (ip === undefined) throw new Error(`not an address: ${text}`);
  return Buffer.from(ipBytes(ip));
}

function isV4({ to }: Ends): boolean {
  return !to.includes(":");
}

function seal(ends: Ends, { protocol, bytes, checksumAt }: Layer4): Buffer {
  const sealed = Buffer.from(bytes);
  if (checksumAt === null) return sealed;
  const sum = checksum(sealed, protocol === 1 ? 0 : pseudo(ends, protocol, sealed.length));
  sealed.writeUInt16BE(sum === 0 ? 0xffff : sum, checksumAt);
  return sealed;
}

function header4(
  ends: Ends,
  protocol: number,
  body: Buffer,
  fragmentField: number,
  id = 0,
  options: Buffer = Buffer.alloc(0),
): Buffer {
  const header = Buffer.alloc(20 + options.length);
  header[0] = 0x40 | (header.length / 4);
  header.writeUInt16BE(header.length + body.length, 2);
  header.writeUInt16BE(id, 4);
  header.writeUInt16BE(fragmentField, 6);
  header[8] = 64;
  header[9] = protocol;
  header.set(address(ends.from), 12);
  header.set(address(ends.to), 16);
  header.set(options, 20);
  header.writeUInt16BE(checksum(header, 0), 10);
  return Buffer.concat([header, body]);
}

function header6(ends: Ends, next: number, body: Buffer): Buffer {
  const header = Buffer.alloc(40);
  header[0] = 0x60;
  header.writeUInt16BE(body.length, 4);
  header[6] = next;
  header[7] = 64;
  header.set(address(ends.from), 8);
  header.set(address(ends.to), 24);
  return Buffer.concat([header, body]);
}

function pseudo(ends: Ends, protocol: number, length: number): number {
  return words(address(ends.from)) + words(address(ends.to)) + protocol + length;
}

function words(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  return sum;
}

/** RFC 1071. */
function checksum(bytes: Buffer, start: number): number {
  let sum = start + words(bytes);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
