/** Sends one packet and says what became of it, by looking at the wire only. */
import { type Answer, readAnswer } from "./answer.ts";
import {
  AF_INET,
  AF_INET6,
  IPPROTO_RAW,
  SOCK_NONBLOCK,
  SOCK_RAW,
  readFd,
  sendTo,
  socketAs,
  throwErrno,
} from "./libc.ts";
import { encodePacket, ICMP4, TCP, type WireProtocol } from "./packet.ts";
import type { Tun } from "./tun.ts";

export type Seen = "accept" | "refuse" | "drop";

export interface InboundProbe {
  readonly interface: string;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly protocol: WireProtocol;
  readonly port: number;
  /** Instead of a port that was not used before. */
  readonly sourcePort?: number;
  readonly withOptions?: boolean;
}

export interface OutboundProbe {
  readonly uid: number;
  readonly destination: Uint8Array;
  readonly protocol: WireProtocol;
  readonly port: number;
  readonly withOptions?: boolean;
}

export interface Prober {
  inbound(probe: InboundProbe): Seen;
  outbound(probe: OutboundProbe): Seen;
  /** What came out and answered no probe (0 in a sound run). */
  strays(): number;
}

const SOURCE_PORT_FIRST = 20_000;
const SOURCE_PORT_LAST = 60_000;

/** `tuns` is a world (see world.ts); the ruleset under test may change between probes. */
export function makeProber(ends: readonly Tun[]): Prober {
  let strayCount = 0;
  const tickets = makeTickets();
  const sockets = makeSockets();
  const tuns: readonly Pick<Tun, "read">[] = [...ends, ...loopbackEars()];
  /** Everything that the packet caused is already there: see Tun. */
  const verdict = (sourcePort: number, protocol: WireProtocol): Seen => {
    const wanted = protocol === "plain" ? 0 : sourcePort;
    for (const tun of tuns) {
      for (let bytes = tun.read(); bytes !== undefined; bytes = tun.read()) {
        const answer = readAnswer(bytes);
        if (answer.kind === "noise") continue;
        if (answer.sourcePort === wanted) return seenOf(answer);
        strayCount += 1;
      }
    }
    return "drop";
  };
  return {
    inbound: (probe) => {
      const tun = ends.find((entry) => entry.name === probe.interface);
      if (tun === undefined) throw new Error(`no interface ${probe.interface}`);
      const sourcePort = probe.sourcePort ?? tickets.next().sourcePort;
      const { source, destination, protocol, port, withOptions = false } = probe;
      tun.write(
        encodePacket({ source, destination, protocol, sourcePort, destinationPort: port, withOptions }),
      );
      return verdict(sourcePort, protocol);
    },
    outbound: (probe) => {
      const { destination, protocol, port, withOptions = false } = probe;
      const ticket = tickets.next();
      const isV4 = destination.length === 4;
      const source = isV4 ? (destination[0] === 127 ? ticket.loopback4 : ticket.source4) : ticket.source6;
      const bytes = encodePacket({
        source,
        destination,
        protocol,
        sourcePort: ticket.sourcePort,
        destinationPort: port,
        withOptions,
      });
      const address = isV4 ? sockaddr4(destination) : sockaddr6(destination);
      const fd = sockets(probe.uid, isV4);
      // EPERM is how a dropped or rejected packet of our own looks; the wire says which of the two.
      const sent = sendTo(fd, bytes, bytes.length, 0, address, address.length);
      if (sent >= 0 && sent !== bytes.length) throwErrno("sendto");
      return verdict(ticket.sourcePort, protocol);
    },
    strays: () => strayCount,
  };
}

function seenOf(answer: Exclude<Answer, { kind: "noise" }>): Seen {
  return answer.kind === "refused" ? "refuse" : "accept";
}

interface Ticket {
  readonly sourcePort: number;
  readonly source4: Uint8Array;
  readonly source6: Uint8Array;
  /** Nothing from 127.0.0.0/8 may leave the host, so what goes there comes from there. */
  readonly loopback4: Uint8Array;
}

/** Answers to `loopback4` do not leave by an interface of ours; a raw socket gets copies of them. */
function loopbackEars(): Pick<Tun, "read">[] {
  return [ICMP4, TCP].map((protocol) => {
    const fd = socketAs(0, AF_INET, SOCK_RAW | SOCK_NONBLOCK, protocol);
    const buffer = Buffer.alloc(2048);
    return {
      read: () => {
        const size = readFd(fd, buffer, buffer.length);
        return size > 0 ? buffer.subarray(0, size) : undefined;
      },
    };
  });
}

/**
 * Sources of our own packets: addresses that are not the host's, so that a refusal is routed out to where
 * we read, and never the same one and port twice, so that every packet is the first of a new connection.
 */
function makeTickets(): { next(): Ticket } {
  let count = 0;
  const source4 = Buffer.from([198, 19, 0, 1]);
  const source6 = Buffer.from("20010db8001900000000000000000001", "hex");
  const loopback4 = Buffer.from([127, 77, 0, 1]);
  const span = SOURCE_PORT_LAST - SOURCE_PORT_FIRST;
  return {
    next: () => {
      const round = Math.floor(count / span);
      const sourcePort = SOURCE_PORT_FIRST + (count % span);
      // One address a probe: protocols without ports are told apart by addresses alone.
      source4.writeUInt16BE(count & 0xffff, 2);
      loopback4.writeUInt16BE(count & 0xffff, 2);
      source6.writeUInt16BE(round & 0xffff, 12);
      source6.writeUInt16BE(count & 0xffff, 14);
      count += 1;
      return { sourcePort, source4, source6, loopback4 };
    },
  };
}

function makeSockets(): (uid: number, isV4: boolean) => number {
  const open = new Map<string, number>();
  return (uid, isV4) => {
    const key = `${uid} ${isV4}`;
    const known = open.get(key);
    if (known !== undefined) return known;
    const fd = socketAs(uid, isV4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_RAW);
    open.set(key, fd);
    return fd;
  };
}

/** struct sockaddr_in; the family is in the machine's byte order (little endian on what we support). */
function sockaddr4(address: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AF_INET, 0);
  bytes.set(address, 4);
  return bytes;
}

function sockaddr6(address: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(28);
  bytes.writeUInt16LE(AF_INET6, 0);
  bytes.set(address, 8);
  return bytes;
}
