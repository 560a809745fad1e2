/**
 * Connections from before the first apply that nobody tracked from their first packet on. INVARIANT: who began one
 * is told by its sockets. The connection table would take whoever sends next for the one who did: the answers of a
 * download that the host began would be judged as if the world had come in, and what the world began would not be.
 */
import { MARK_MASK } from "../core/compile/nftables/mark.ts";
import { answersOf, type Tuple } from "../core/event/decode/conntrack.ts";
import { attempted } from "./attempt.ts";
import { ephemeralPorts } from "../edge/host/ephemeral-port.ts";
import { type Conntrack, openConntrack } from "../edge/kernel/conntrack.ts";
import { type OpenSocket, openSocketTable } from "../edge/kernel/socket-table.ts";

/** How long a silent one is remembered: longer than tcp(7) keepalive waits by default (two hours). */
const REMEMBERED_SECONDS = { tcp: 9_000, udp: 120 } as const;
const PROTOCOLS = { tcp: 6, udp: 17 } as const;
/** LIMIT: sockets that are looked at. */
const SOCKETS_MAX = 500_000;
/** LIMIT: how often a connection is turned round; a packet may come in between and turn it back. */
const TURNS_MAX = 5;
/** IPS_SRC_NAT and IPS_DST_NAT: translated from the first packet on, so it was tracked from there. */
const STATUS_NAT = 0x30;

/**
 * Makes what this host has open known to the connection table, from the side that began it. Returns why that could not
 * be done, or null.
 */
export function knowOpenConnections(): string | null {
  return attempted("who began the connections that are open now is guessed", makeKnown);
}

function makeKnown(): void {
  const { connected, services } = readSockets();
  const [seen, changed] = [openConntrack(), openConntrack()];
  const [first, last] = ephemeralPorts();
  const isEphemeral = (port: number): boolean => first <= port && port <= last;
  try {
    for (const socket of connected) {
      const isServed = services.has(`${socket.protocol} ${socket.port}`);
      // A service that has stopped to listen, perhaps: in doubt the kernel says who began.
      if (!isServed && !isEphemeral(socket.port)) continue;
      if (!know(changed, tupleOf(socket, isServed), REMEMBERED_SECONDS[socket.protocol])) return;
    }
    // A UDP socket without a peer does not say who began, but nobody asks from port 53 or 443.
    seen.dumpWanted(isUnstamped, ({ original }) => {
      const { protocol, sourcePort, destinationPort } = original;
      if (protocol !== PROTOCOLS.udp || isEphemeral(sourcePort) || !isEphemeral(destinationPort)) return;
      if (services.has(`udp ${destinationPort}`)) know(changed, answersOf(original), REMEMBERED_SECONDS.udp);
    });
  } finally {
    seen.close();
    changed.close();
  }
}

function isUnstamped(mark: number): boolean {
  return (mark & MARK_MASK) === 0;
}

function readSockets(): { connected: readonly OpenSocket[]; services: ReadonlySet<string> } {
  const connected: OpenSocket[] = [];
  const services = new Set<string>();
  const sockets = openSocketTable();
  try {
    sockets.eachSocket((socket) => {
      const { protocol, port, peerPort, isListening, isConnected } = socket;
      const isService = isListening || (protocol === "udp" && peerPort === 0);
      if (isService && services.size < SOCKETS_MAX) services.add(`${protocol} ${port}`);
      if (isConnected && peerPort !== 0 && connected.length < SOCKETS_MAX) connected.push(socket);
    });
  } finally {
    sockets.close();
  }
  return { connected, services };
}

/** What a service here has accepted began at the peer; everything else began here. */
function tupleOf({ protocol, address, port, peer, peerPort }: OpenSocket, isServed: boolean): Tuple {
  const number = PROTOCOLS[protocol];
  return isServed
    ? { protocol: number, source: peer, sourcePort: peerPort, destination: address, destinationPort: port }
    : { protocol: number, source: address, sourcePort: port, destination: peer, destinationPort: peerPort };
}

/** Returns whether there is a connection table at all. */
function know(conntrack: Conntrack, tuple: Tuple, seconds: number): boolean {
  let mark = 0;
  for (let turn = 0; turn < TURNS_MAX; turn += 1) {
    const added = conntrack.addEstablished(tuple, { seconds, mark });
    if (added.kind !== "known") return added.kind === "added";
    const found = conntrack.conntrackOf(tuple);
    if (found.kind !== "entry") continue;
    const { mark: now, status } = found.entry;
    if (found.direction === "original" || (status & STATUS_NAT) !== 0 || !isUnstamped(now)) return true;
    mark = now;
    conntrack.deleteEntry(tuple, found.entry.id);
  }
  return true;
}
