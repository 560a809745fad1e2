/**
 * Writing netlink messages: header and attributes of this machine's byte order (little-endian on every
 * machine that Node 24 has a netlink for), values of netfilter in network order. See netlink(7).
 */
export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP = 0x300;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;

/** The header and nfgenmsg (family, version, resource id). */
export const NETFILTER_HEADER_BYTES = 20;

const NLA_F_NESTED = 0x8000;

/** The subsystems of nfnetlink, the high byte of a message type. */
export const SUBSYSTEM = { conntrack: 1, log: 4, nftables: 10 } as const;

export interface NetfilterMessage {
  /** Subsystem and message, or a batch marker. */
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** AF_INET 2, AF_INET6 10, NFPROTO_INET 1, or 0. */
  readonly family: number;
  readonly resource: number;
  readonly attributes: readonly Uint8Array[];
}

export function messageType(subsystem: number, message: number): number {
  return (subsystem << 8) | message;
}

/** Returns the bytes of one message. */
export function netfilterMessage(message: NetfilterMessage): Uint8Array {
  const length = message.attributes.reduce((sum, part) => sum + part.length, NETFILTER_HEADER_BYTES);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  view.setUint16(4, message.type, true);
  view.setUint16(6, message.flags, true);
  view.setUint32(8, message.sequence, true);
  bytes[16] = message.family;
  view.setUint16(18, message.resource, false);
  let at = NETFILTER_HEADER_BYTES;
  for (const part of message.attributes) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Returns one attribute, padded to four bytes. LIMIT: its length field has 16 bits (RangeError beyond). */
export function attribute(type: number, payload: Uint8Array): Uint8Array {
  const length = 4 + payload.length;
  if (length > 0xffff) throw new RangeError(`netlink attribute of ${length} bytes`);
  const bytes = new Uint8Array((length + 3) & ~3);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, length, true);
  view.setUint16(2, type, true);
  bytes.set(payload, 4);
  return bytes;
}

export function nested(type: number, attributes: readonly Uint8Array[]): Uint8Array {
  return attribute(type | NLA_F_NESTED, concat(attributes));
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function u8(value: number): Uint8Array {
  return Uint8Array.of(value);
}

export function u16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 255);
}

export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, false);
  return bytes;
}

export function u64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, false);
  return bytes;
}

/** Text with its final NUL. */
export function text(value: string): Uint8Array {
  return new TextEncoder().encode(`${value}\0`);
}
