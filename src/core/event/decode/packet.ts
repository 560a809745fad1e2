import { formatIp4, formatIp6 } from "../../net/ip.ts";

/** The part of a packet that identifies its flow. */
export interface Packet {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly sourcePort: number | null;
  readonly destinationPort: number | null;
  readonly icmpType: number | null;
  readonly tcpFlags: number | null;
  readonly bytes: number;
}

export const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, dccp: 33, icmp6: 58, sctp: 132, udplite: 136 } as const;

/** LIMIT: IPv6 extension headers followed in one packet. */
const EXTENSION_HEADERS_MAX = 8;
const IP4_HEADER_BYTES = 20;
const IP6_HEADER_BYTES = 40;

/**
 * Returns the flow of an IPv4 (RFC 791) or IPv6 (RFC 8200) packet that starts at `from`, or undefined when
 * the bytes do not hold its addresses. The bytes may be cut off: what lies beyond is null.
 */
export function decodePacket(view: DataView, from: number, to: number): Packet | undefined {
  const end = Math.min(to, view.byteLength);
  if (from < 0 || from >= end) return undefined;
  const version = view.getUint8(from) >> 4;
  if (version === 4) return decodeIp4(view, from, end);
  if (version === 6) return decodeIp6(view, from, end);
  return undefined;
}

function decodeIp4(view: DataView, from: number, end: number): Packet | undefined {
  if (from + IP4_HEADER_BYTES > end) return undefined;
  const headerBytes = (view.getUint8(from) & 15) * 4;
  if (headerBytes < IP4_HEADER_BYTES) return undefined;
  const laterFragment = (view.getUint16(from + 6) & 0x1fff) !== 0;
  return {
    source: formatIp4(view.getUint32(from + 12)),
    destination: formatIp4(view.getUint32(from + 16)),
    bytes: view.getUint16(from + 2),
    ...decodeTransport(view, view.getUint8(from + 9), laterFragment ? end : from + headerBytes, end),
  };
}

function decodeIp6(view: DataView, from: number, end: number): Packet | undefined {
  if (from + IP6_HEADER_BYTES > end) return undefined;
  const { protocol, at } = skipExtensions(view, view.getUint8(from + 6), from + IP6_HEADER_BYTES, end);
  return {
    source: formatIp6(readIp6(view, from + 8)),
    destination: formatIp6(readIp6(view, from + 24)),
    bytes: view.getUint16(from + 4) + IP6_HEADER_BYTES,
    ...decodeTransport(view, protocol, at, end),
  };
}

function readIp6(view: DataView, at: number): bigint {
  return (view.getBigUint64(at) << 64n) | view.getBigUint64(at + 8);
}

/**
 * Follows RFC 8200 section 4 headers to the transport header; `at` is `end` when there is none to read
 * (cut off, a later fragment, or too many headers).
 */
function skipExtensions(
  view: DataView,
  first: number,
  start: number,
  end: number,
): { protocol: number; at: number } {
  let protocol = first;
  let at = start;
  for (let count = 0; count < EXTENSION_HEADERS_MAX; count += 1) {
    const isFragment = protocol === 44;
    const isAuthentication = protocol === 51;
    const isOptions = protocol === 0 || protocol === 43 || protocol === 60 || protocol === 135;
    if (!isFragment && !isAuthentication && !isOptions) return { protocol, at };
    if (at + 8 > end) return { protocol, at: end };
    const laterFragment = isFragment && (view.getUint16(at + 2) & 0xfff8) !== 0;
    protocol = view.getUint8(at);
    if (laterFragment) return { protocol, at: end };
    const units = view.getUint8(at + 1);
    at += isFragment ? 8 : isAuthentication ? (units + 2) * 4 : (units + 1) * 8;
  }
  return { protocol, at: end };
}

type Transport = Pick<Packet, "protocol" | "sourcePort" | "destinationPort" | "icmpType" | "tcpFlags">;

function decodeTransport(view: DataView, protocol: number, at: number, end: number): Transport {
  const ports = hasPorts(protocol) && at + 4 <= end;
  const icmp = (protocol === PROTOCOL.icmp || protocol === PROTOCOL.icmp6) && at < end;
  return {
    protocol,
    sourcePort: ports ? view.getUint16(at) : null,
    destinationPort: ports ? view.getUint16(at + 2) : null,
    icmpType: icmp ? view.getUint8(at) : null,
    tcpFlags: protocol === PROTOCOL.tcp && at + 14 <= end ? view.getUint8(at + 13) : null,
  };
}

function hasPorts(protocol: number): boolean {
  return (
    protocol === PROTOCOL.tcp ||
    protocol === PROTOCOL.udp ||
    protocol === PROTOCOL.sctp ||
    protocol === PROTOCOL.dccp ||
    protocol === PROTOCOL.udplite
  );
}
