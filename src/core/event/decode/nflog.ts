import type { FlowEvent } from "../event.ts";
import { type LogPrefix, parseLogPrefix } from "../log-prefix.ts";
import { eachAttribute, eachMessage, NLMSG_OVERRUN } from "./netlink.ts";
import { decodePacket } from "./packet.ts";

/** One logged packet. `sequence` is the kernel's number for it, null when the kernel gave none. */
export type NflogRecord =
  | { readonly kind: "flow"; readonly sequence: number | null; readonly event: FlowEvent }
  /** Logged to our group by a rule that is not ours. */
  | { readonly kind: "foreign"; readonly sequence: number | null }
  /** Ours, but without a packet that can be read. */
  | { readonly kind: "malformed"; readonly sequence: number | null }
  /** The kernel says that it dropped messages for us. */
  | { readonly kind: "overrun" };

export interface NflogDecoder {
  /** Decodes the first `length` bytes of a datagram and hands on each record in order. Never throws. */
  (bytes: Uint8Array, length: number, timeMs: number, onRecord: (record: NflogRecord) => void): void;
}

/** LIMIT: parsed prefixes remembered. A policy has a few per rule. */
export const PREFIX_CACHE_MAX = 4096;

const NFULNL_MSG_PACKET = 0x0400;
const NFGENMSG_BYTES = 4;
/** Attributes of linux/netfilter/nfnetlink_log.h. */
const NFULA = {
  interfaceIn: 4,
  interfaceOut: 5,
  payload: 9,
  prefix: 10,
  uid: 11,
  sequence: 12,
  gid: 14,
} as const;

/** Returns a decoder of nfnetlink_log datagrams. `interfaceName` gives the name of an interface index. */
export function createNflogDecoder(interfaceName: (index: number) => string | null): NflogDecoder {
  const prefixes = new Map<string, LogPrefix | null>();
  const prefixOf = (text: string): LogPrefix | null => {
    const known = prefixes.get(text);
    if (known !== undefined) return known;
    const parsed = parseLogPrefix(text) ?? null;
    if (prefixes.size >= PREFIX_CACHE_MAX) prefixes.clear();
    prefixes.set(text, parsed);
    return parsed;
  };
  return (bytes, length, timeMs, onRecord) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    eachMessage(view, length, (type, from, to) => {
      if (type === NLMSG_OVERRUN) onRecord({ kind: "overrun" });
      if (type !== NFULNL_MSG_PACKET) return;
      onRecord(recordOf(view, readFields(view, from + NFGENMSG_BYTES, to), timeMs, prefixOf, interfaceName));
    });
  };
}

/** Where the payload and prefix lie, and the small values; -1 stands for absent. */
interface Fields {
  interfaceIn: number;
  interfaceOut: number;
  uid: number;
  gid: number;
  sequence: number;
  prefix: string;
  packetFrom: number;
  packetTo: number;
}

function readFields(view: DataView, from: number, to: number): Fields {
  const fields: Fields = {
    interfaceIn: -1,
    interfaceOut: -1,
    uid: -1,
    gid: -1,
    sequence: -1,
    prefix: "",
    packetFrom: -1,
    packetTo: -1,
  };
  eachAttribute(view, from, to, (type, start, end) => {
    if (type === NFULA.payload) {
      fields.packetFrom = start;
      fields.packetTo = end;
    } else if (type === NFULA.prefix) fields.prefix = readText(view, start, end);
    else if (end - start < 4) return;
    else if (type === NFULA.interfaceIn) fields.interfaceIn = view.getUint32(start);
    else if (type === NFULA.interfaceOut) fields.interfaceOut = view.getUint32(start);
    else if (type === NFULA.uid) fields.uid = view.getUint32(start);
    else if (type === NFULA.gid) fields.gid = view.getUint32(start);
    else if (type === NFULA.sequence) fields.sequence = view.getUint32(start);
  });
  return fields;
}

const latin1 = new TextDecoder("latin1");

/** Text up to its NUL. */
function readText(view: DataView, from: number, to: number): string {
  const end = to > from && view.getUint8(to - 1) === 0 ? to - 1 : to;
  return latin1.decode(new Uint8Array(view.buffer, view.byteOffset + from, end - from));
}

function recordOf(
  view: DataView,
  fields: Fields,
  timeMs: number,
  prefixOf: (text: string) => LogPrefix | null,
  interfaceName: (index: number) => string | null,
): NflogRecord {
  const sequence = orNull(fields.sequence);
  const prefix = prefixOf(fields.prefix);
  if (prefix === null) return { kind: "foreign", sequence };
  const packet = decodePacket(view, fields.packetFrom, fields.packetTo);
  if (packet === undefined) return { kind: "malformed", sequence };
  const event: FlowEvent = {
    kind: "flow",
    timeMs,
    direction: prefix.direction,
    verdict: prefix.verdict,
    observed: prefix.observed,
    rule: prefix.rule,
    reason: prefix.reason,
    generation: prefix.generation,
    place: prefix.place,
    protocol: packet.protocol,
    source: packet.source,
    destination: packet.destination,
    sourcePort: packet.sourcePort,
    destinationPort: packet.destinationPort,
    icmpType: packet.icmpType,
    tcpFlags: packet.tcpFlags,
    bytes: packet.bytes,
    interfaceIn: fields.interfaceIn < 0 ? null : interfaceName(fields.interfaceIn),
    interfaceOut: fields.interfaceOut < 0 ? null : interfaceName(fields.interfaceOut),
    uid: orNull(fields.uid),
    gid: orNull(fields.gid),
    host: null,
    door: null,
    refusal: null,
  };
  return { kind: "flow", sequence, event };
}

function orNull(value: number): number | null {
  return value < 0 ? null : value;
}
