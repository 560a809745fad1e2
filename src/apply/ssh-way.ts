/** Where the host's own SSH takes logins now and after the next start, and who else is at those ports. */
import { SeawallError } from "../core/base/error.ts";
import { plain } from "../core/base/plain.ts";
import { formatIp, isLoopback } from "../core/net/ip.ts";
import type { PanicWay } from "../core/policy/panic.ts";
import type { SshWay } from "../core/policy/ssh-way.ts";
import { holderOf } from "../edge/host/socket.ts";
import { type Listening, lookAtSsh, type SshListener, type SshSeen } from "../edge/host/ssh-session.ts";
import { configuredPorts } from "../edge/host/ssh-unit.ts";
import { openSocketTable } from "../edge/kernel/socket-table.ts";

/** SSH's port where nothing else is known. */
const SSH_PORT = 22;

export interface PanicWays {
  readonly ways: readonly PanicWay[];
  /** What else listens on ports of SSH, each as a sentence. */
  readonly strangers: readonly string[];
}

/** Returns where the host's SSH takes logins from other machines now; nothing where none is seen. */
export function sshWays(seen: SshSeen = lookAtSsh()): SshWay[] {
  return waysOf(reachable(seen.listeners), onlyOverIpv6());
}

/**
 * Returns what a panic lets in: what the host's SSH listens on, and where its configuration says that it will after
 * the next start, or people are on now, if nobody else listens there. Where nothing of SSH is to be found, its usual
 * port, if nobody listens there. SECURITY: whoever else is at such a port is not let in where that can be told apart,
 * which is by the address family.
 */
export function panicWays(): PanicWays {
  const seen = lookAtSsh();
  const only6 = onlyOverIpv6();
  const others = reachable(seen.others);
  const taken = new Set(others.map(({ port }) => port));
  const own = waysOf(reachable(seen.listeners), only6);
  const known = new Set(own.map(({ port }) => port));
  const wanted = [...configuredPorts(), ...seen.sessions.map(({ localPort }) => localPort)];
  const candidates = [...new Set(own.length + wanted.length === 0 ? [SSH_PORT] : wanted)];
  const unseen = candidates
    .filter((port) => !known.has(port) && !taken.has(port))
    .map((port): PanicWay => ({ port, families: [4, 6], listens: [] }));
  const shared = own.map(({ port, families }): PanicWay => {
    const strange = others.filter((one) => one.port === port).flatMap((one) => familiesOf(one, only6));
    // Nobody else is there: a family that SSH does not listen on now, it may after the next start.
    return { port, families: strange.length === 0 ? [4, 6] : families, listens: families };
  });
  const ways = [...shared, ...unseen].sort((left, right) => left.port - right.port);
  const asked = new Set([...known, ...candidates]);
  const strangers = others
    .filter(({ port }) => asked.has(port))
    .map((one) => {
      const way = ways.find(({ port }) => port === one.port);
      const isLetIn = familiesOf(one, only6).some((family) => way?.families.includes(family) === true);
      return strangerText(one, isLetIn);
    });
  return { ways, strangers };
}

function strangerText({ address, port, uid, inode }: Listening, isLetIn: boolean): string {
  const holder = holderOf(inode);
  const who = holder === null ? "somebody" : `pid ${holder.pid} (${holder.program ?? "a program"})`;
  const place = address.family === 6 ? `[${formatIp(address)}]:${port}` : `${formatIp(address)}:${port}`;
  const outcome = isLetIn
    ? "it shares the port with this host's SSH, so what comes to that address is let in"
    : "it is not this host's SSH and is not let in";
  return plain(`${who} of uid ${uid} listens on ${place}: ${outcome}`);
}

function reachable<One extends Listening>(listeners: readonly One[]): One[] {
  return listeners.filter(({ address }) => !isLoopback(address));
}

function waysOf(listeners: readonly SshListener[], only6: ReadonlySet<string>): SshWay[] {
  const found = new Map<number, Set<4 | 6>>();
  for (const one of listeners) {
    const families = found.get(one.port) ?? new Set();
    for (const family of familiesOf(one, only6)) families.add(family);
    found.set(one.port, families);
  }
  return [...found]
    .map(([port, families]) => ({ port, families: [...families].sort((left, right) => left - right) }))
    .sort((left, right) => left.port - right.port);
}

/** `::` takes IPv4, too, unless the socket was told not to. */
function familiesOf({ address, inode }: Listening, only6: ReadonlySet<string>): readonly (4 | 6)[] {
  if (address.family === 4) return [4];
  return address.value === 0n && !only6.has(inode) ? [4, 6] : [6];
}

/** The listening sockets that take nothing over IPv4. A kernel that does not say so leaves that open. */
function onlyOverIpv6(): ReadonlySet<string> {
  const found = new Set<string>();
  try {
    const sockets = openSocketTable();
    try {
      sockets.eachSocket(({ isListening, isOnlyIpv6, inode }) => {
        if (isListening && isOnlyIpv6) found.add(inode);
      });
    } finally {
      sockets.close();
    }
  } catch (cause) {
    if (!(cause instanceof SeawallError)) throw cause;
  }
  return found;
}
