/**
 * Ends the connections that the policy in force forbids, once it is settled which one that is. The kernel refuses
 * what the side that began a connection sends next by itself; here its answers are stopped too, also those that
 * nobody has asked for, and the programs at both ends of a TCP connection are told.
 */
import { SeawallError } from "../core/base/error.ts";
import { MARK_MASK } from "../core/compile/nftables/mark.ts";
import { interfaceSetName } from "../core/compile/nftables/outbound.ts";
import type { Around } from "../core/cut/around.ts";
import { createStandingJudge, mayBeForbidden, type Standing } from "../core/cut/standing.ts";
import { type ConntrackEntry, isOver, type Tuple } from "../core/event/decode/conntrack.ts";
import { protocolName } from "../core/event/event.ts";
import { formatIp } from "../core/net/ip.ts";
import type { ResolvedPolicy } from "../core/policy/resolved.ts";
import { linksByAddress } from "../edge/host/own-address.ts";
import { networkInterfaces, uplinkInterfaces } from "../edge/host/route.ts";
import { type Conntrack, openConntrack } from "../edge/kernel/conntrack.ts";
import { readAddressSet, readInterfaceSet } from "../edge/kernel/live.ts";
import { openRouteTable } from "../edge/kernel/route-table.ts";
import { openSocketTable, type SocketTable } from "../edge/kernel/socket-table.ts";
import type { HistoryEntry } from "../edge/state/history-entry.ts";
import { readResolvedPolicy } from "../edge/state/resolved-policy.ts";
import { operatorSessions, scopeUids } from "./operator.ts";
import { stampedScopes } from "./stamped-scope.ts";
import { createOwners } from "./socket-owner.ts";

export interface EndedConnections {
  /** Connections that were open and are ended. */
  readonly ended: number;
  /** The first few of them, `tcp 203.0.113.9:4711 -> 198.51.100.1:443`. */
  readonly endedConnections: readonly string[];
}

export interface Cut extends EndedConnections {
  /** Why connections may go on until their next packet, or null. */
  readonly trouble: string | null;
}

/**
 * LIMIT: looks at the connection table. The first one may miss what was admitted while it began; each further one is
 * there only because the one before it found something.
 */
const LOOKS_MAX = 4;
const LOOKS_MIN = 2;
const TCP = 6;
/** LIMIT: connections that are told one by one. */
const ENDED_SHOWN_MAX = 5;
/** Nothing was ended. */
export const NONE_ENDED: EndedConnections = { ended: 0, endedConnections: [] };
const LATER = "connections that the policy forbids end with the next packet of the side that began them";

/** The policy that is in force alone, as the history has it; undefined when it does not. */
export type InForce = Pick<HistoryEntry, "id" | "generation"> | undefined;

/** Ends what the policy in force forbids. What cannot be done is said: the change itself is made already. */
export function cutForbidden(state: string, inForce: InForce, nowMs: number): Cut {
  try {
    const policy = inForce === undefined ? null : readResolvedPolicy(state, inForce.id);
    if (inForce === undefined || policy === null) {
      return { ...NONE_ENDED, trouble: `what the policy in force means is not written down; ${LATER}` };
    }
    return cutBy(state, policy, inForce, nowMs);
  } catch (cause) {
    if (!(cause instanceof SeawallError)) throw cause;
    return { ...NONE_ENDED, trouble: `${cause.message}; ${LATER}` };
  }
}

function cutBy(state: string, policy: ResolvedPolicy, inForce: NonNullable<InForce>, nowMs: number): Cut {
  const { generation } = inForce;
  // Two: what one of them is still handing on, the other changes.
  const [seen, changed] = [openConntrack(), openConntrack()];
  const [routes, sockets] = [openRouteTable(), openSocketTable()];
  try {
    const around = {
      policy,
      generation,
      interfaces: interfacesInForce(policy, generation),
      ...hostAround(policy, sockets),
      whereIs: (address: string) => routes.whereIs(address),
      scopeOfStamp: stampedScopes(state, policy, inForce),
      nowMs,
    };
    const judge = createStandingJudge(around);
    const isOperator = createOperators(policy);
    let ended = 0;
    const endedConnections: string[] = [];
    for (let look = 1; look <= LOOKS_MAX; look += 1) {
      let found = 0;
      const dumped = seen.dumpWanted(
        (mark) => mayBeForbidden(mark, generation),
        (entry) => {
          const standing = judge(entry);
          if (standing.kind === "left" || isOperator(entry.original)) return;
          if (!carryOut(changed, entry, standing)) return;
          found += 1;
          if (standing.kind === "forgotten" || isOver(entry)) return;
          ended += 1;
          if (ended <= ENDED_SHOWN_MAX) endedConnections.push(connectionText(entry.original));
          tellProcess(sockets, entry, around.isOwn);
        },
      );
      if (dumped.kind === "unavailable")
        return { ended, endedConnections, trouble: `${dumped.why}; ${LATER}` };
      if (found === 0 && look >= LOOKS_MIN) break;
    }
    return { ended, endedConnections, trouble: null };
  } finally {
    for (const one of [seen, changed, routes, sockets]) one.close();
  }
}

function connectionText({ protocol, source, sourcePort, destination, destinationPort }: Tuple): string {
  const end = (address: string, port: number): string =>
    address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  return `${protocolName(protocol)} ${end(source, sourcePort)} -> ${end(destination, destinationPort)}`;
}

/** As the kernel was given them: what is behind the name of a network may have changed since. */
function interfacesInForce({ scopes, outbound }: ResolvedPolicy, generation: number): Around["interfaces"] {
  const behind = scopes.filter(({ target }) => target.kind === "docker" || target.kind === "netns");
  if (outbound === null) return new Map();
  return new Map(behind.map(({ name }) => [name, readInterfaceSet(interfaceSetName(generation, name))]));
}

/** What is asked of the host only where it is needed, and once. */
function hostAround(
  policy: ResolvedPolicy,
  sockets: SocketTable,
): Pick<Around, "isOwn" | "linkOf" | "leadsToNetworks" | "ownerOf" | "isPinned"> {
  const links = linksByAddress();
  let networks: ReadonlySet<string> | undefined;
  const pins = new Map<string, ReadonlySet<string>>();
  return {
    isOwn: (address) => links.has(address),
    // What the loopback has may be reached by any other.
    linkOf: (address) => links.get(address)?.replace(/^lo$/, "") || null,
    leadsToNetworks: (link) => {
      networks ??= new Set(networkInterfaces(uplinkInterfaces()));
      return networks.has(link);
    },
    ownerOf: createOwners(policy, sockets),
    isPinned: (set, address) => {
      const addresses = pins.get(set) ?? readAddressSet(set);
      pins.set(set, addresses);
      return addresses.has(address);
    },
  };
}

/** Returns whether it was still there. */
function carryOut(
  conntrack: Conntrack,
  { original, id }: ConntrackEntry,
  standing: Exclude<Standing, { kind: "left" }>,
): boolean {
  if (standing.kind === "forgotten") return conntrack.deleteEntry(original, id).kind === "deleted";
  const marked = conntrack.setMark(original, { value: standing.field, mask: MARK_MASK });
  if (marked.kind !== "set") return false;
  // Another connection may have taken its place since it was judged: that one is the kernel's to judge.
  const now = conntrack.conntrackOf(original);
  if (now.kind === "entry" && now.entry.id !== id) {
    conntrack.setMark(original, { value: 0, mask: MARK_MASK });
    return false;
  }
  return true;
}

/** The process at this end is told, and by it the peer. What is forwarded has no end here. */
function tellProcess(
  sockets: SocketTable,
  { original, reply }: ConntrackEntry,
  isOwn: (address: string) => boolean,
): void {
  if (original.protocol !== TCP) return;
  for (const { source, sourcePort, destination, destinationPort } of [original, reply]) {
    if (!isOwn(source)) continue;
    sockets.endTcp({ address: source, port: sourcePort, peer: destination, peerPort: destinationPort });
  }
}

/**
 * SECURITY: nobody who is logged in is cut by what can only be guessed here, where they came in. If the policy does
 * forbid it, the kernel refuses their next packet.
 */
function createOperators({ scopes }: ResolvedPolicy): (original: Tuple) => boolean {
  let known: ReadonlySet<string> | undefined;
  return ({ protocol, source, sourcePort, destination, destinationPort }) => {
    if (protocol !== TCP) return false;
    known ??= new Set(
      operatorSessions(scopeUids(scopes)).map(
        ({ peer, peerPort, local, localPort }) =>
          `${formatIp(peer)} ${peerPort} ${formatIp(local)} ${localPort}`,
      ),
    );
    return known.has(`${source} ${sourcePort} ${destination} ${destinationPort}`);
  };
}
