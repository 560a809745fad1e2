import { addressText } from "../address.ts";
import { eachAttribute } from "./netlink.ts";

/** One direction of a connection. Ports are 0 for protocols without them. */
export interface Tuple {
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** One entry of the connection table. */
export interface ConntrackEntry {
  /** As the first packet had it. */
  readonly original: Tuple;
  /** As answers have it: behind address translation it is not just the mirror image. */
  readonly reply: Tuple;
  /** Unsigned 32 bit; 0 when the kernel has no marks. */
  readonly mark: number;
  /** IPS_ bits of linux/netfilter/nf_conntrack_common.h. */
  readonly status: number;
  /** The kernel's number of this entry, which a new entry of the same tuple does not have. */
  readonly id: number | null;
  /** TCP_CONNTRACK_ of linux/netfilter/nf_conntrack_tcp.h; null where it is no TCP. */
  readonly tcpState: number | null;
}

/** TCP_CONNTRACK_TIME_WAIT and _CLOSE: both sides know that it is over. */
export function isOver({ tcpState }: ConntrackEntry): boolean {
  return tcpState === 7 || tcpState === 8;
}

/** IPS_DST_NAT of linux/netfilter/nf_conntrack_common.h. */
const STATUS_DST_NAT = 0x20;

/** Whether a connection goes elsewhere than where it was sent to. */
export function isTranslatedTo(status: number): boolean {
  return (status & STATUS_DST_NAT) !== 0;
}

const CTA = { original: 1, reply: 2, status: 3, protocolState: 4, mark: 8, id: 12 } as const;
/** CTA_PROTOINFO_TCP and in it CTA_PROTOINFO_TCP_STATE. */
const CTA_TCP = 1;
const CTA_TCP_STATE = 1;
const CTA_TUPLE = { addresses: 1, protocol: 2 } as const;
/** Source 1 and 3, destination 2 and 4, for IPv4 and IPv6. */
const CTA_IP = { source4: 1, destination4: 2, source6: 3, destination6: 4 } as const;
const CTA_PROTO = { number: 1, sourcePort: 2, destinationPort: 3 } as const;

/** Returns the entry in the attributes [from, to) of a conntrack message, or undefined when a tuple is missing. */
export function decodeConntrack(view: DataView, from: number, to: number): ConntrackEntry | undefined {
  let original: Tuple | undefined;
  let reply: Tuple | undefined;
  let mark = 0;
  let status = 0;
  let id: number | null = null;
  let tcpState: number | null = null;
  eachAttribute(view, from, to, (type, start, end) => {
    if (type === CTA.original) original = decodeTuple(view, start, end);
    else if (type === CTA.reply) reply = decodeTuple(view, start, end);
    else if (type === CTA.protocolState) tcpState = decodeTcpState(view, start, end);
    else if (end - start < 4) return;
    else if (type === CTA.status) status = view.getUint32(start);
    else if (type === CTA.mark) mark = view.getUint32(start);
    else if (type === CTA.id) id = view.getUint32(start);
  });
  if (original === undefined || reply === undefined) return undefined;
  return { original, reply, mark, status, id, tcpState };
}

/** Returns the mark of the entry in the attributes [from, to), without reading the rest; 0 when it has none. */
export function markOfEntry(view: DataView, from: number, to: number): number {
  let mark = 0;
  eachAttribute(view, from, to, (type, start, end) => {
    if (type === CTA.mark && end - start >= 4) mark = view.getUint32(start);
  });
  return mark;
}

function decodeTcpState(view: DataView, from: number, to: number): number | null {
  let state: number | null = null;
  eachAttribute(view, from, to, (protocol, start, end) => {
    if (protocol !== CTA_TCP) return;
    eachAttribute(view, start, end, (type, at, after) => {
      if (type === CTA_TCP_STATE && after > at) state = view.getUint8(at);
    });
  });
  return state;
}

function decodeTuple(view: DataView, from: number, to: number): Tuple | undefined {
  let source: string | undefined;
  let destination: string | undefined;
  const ports = { protocol: -1, sourcePort: 0, destinationPort: 0 };
  eachAttribute(view, from, to, (part, start, end) => {
    if (part === CTA_TUPLE.addresses) {
      eachAttribute(view, start, end, (type, at, after) => {
        const bytes = new Uint8Array(view.buffer, view.byteOffset + at, after - at);
        if (bytes.length !== (type <= CTA_IP.destination4 ? 4 : 16)) return;
        if (type === CTA_IP.source4 || type === CTA_IP.source6) source = addressText(bytes);
        if (type === CTA_IP.destination4 || type === CTA_IP.destination6) destination = addressText(bytes);
      });
    } else if (part === CTA_TUPLE.protocol) {
      eachAttribute(view, start, end, (type, at, after) => {
        if (type === CTA_PROTO.number && after > at) ports.protocol = view.getUint8(at);
        else if (after - at < 2) return;
        else if (type === CTA_PROTO.sourcePort) ports.sourcePort = view.getUint16(at);
        else if (type === CTA_PROTO.destinationPort) ports.destinationPort = view.getUint16(at);
      });
    }
  });
  if (source === undefined || destination === undefined || ports.protocol < 0) return undefined;
  return { ...ports, source, destination };
}

export function sameTuple(a: Tuple, b: Tuple): boolean {
  return (
    a.protocol === b.protocol &&
    a.source === b.source &&
    a.destination === b.destination &&
    a.sourcePort === b.sourcePort &&
    a.destinationPort === b.destinationPort
  );
}

/** Returns the other direction of a connection without address translation. */
export function answersOf({ protocol, source, destination, sourcePort, destinationPort }: Tuple): Tuple {
  return {
    protocol,
    source: destination,
    destination: source,
    sourcePort: destinationPort,
    destinationPort: sourcePort,
  };
}
