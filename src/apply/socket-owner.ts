/** Which scope the process behind a socket of this host belongs to. */
import type { Tuple } from "../core/event/decode/conntrack.ts";
import { selectorOfCgroup, selectorOfUnit } from "../core/containment/slice.ts";
import { type UidRange, uidRanges } from "../core/compile/nftables/scope.ts";
import type { ResolvedPolicy, ResolvedScope } from "../core/policy/resolved.ts";
import { readAccounts } from "../edge/host/accounts.ts";
import { cgroupMount, cgroupsBelow } from "../edge/host/scope-cgroup.ts";
import type { OpenSocket, SocketTable } from "../edge/kernel/socket-table.ts";

/** LIMIT: sockets remembered. */
const SOCKETS_MAX = 500_000;
const TCP = 6;
const UDP = 17;
const EVERYWHERE = { 4: ["0.0.0.0", "::"], 6: ["::"] } as const;

/** Returns the scope that sends from the source of a tuple, or null; the sockets are read when it is first asked. */
export function createOwners(policy: ResolvedPolicy, sockets: SocketTable): (tuple: Tuple) => string | null {
  let known: ReadonlyMap<string, string | null> | undefined;
  return ({ protocol, source, sourcePort, destination, destinationPort }) => {
    if (protocol !== TCP && protocol !== UDP) return null;
    known ??= readOwners(policy, sockets);
    const word = protocol === TCP ? "tcp" : "udp";
    const exact = known.get(`${word} ${source} ${sourcePort} ${destination} ${destinationPort}`);
    if (exact !== undefined || protocol === TCP) return exact ?? null;
    const addresses = [source, ...EVERYWHERE[source.includes(":") ? 6 : 4]];
    for (const address of addresses) {
      const found = known.get(`udp ${address} ${sourcePort}`);
      if (found !== undefined) return found;
    }
    return null;
  };
}

function readOwners(policy: ResolvedPolicy, sockets: SocketTable): Map<string, string | null> {
  const scopeOf = createScopes(policy);
  const owners = new Map<string, string | null>();
  sockets.eachSocket((socket) => {
    const scope = scopeOf(socket);
    if (socket.isListening || owners.size >= SOCKETS_MAX) return;
    // Of TCP only those that are ours are of interest; a UDP socket of another hides a wider one of ours.
    if (socket.protocol === "tcp" && scope === null) return;
    const { protocol, address, port, peer, peerPort } = socket;
    const key =
      peerPort === 0
        ? `${protocol} ${address} ${port}`
        : `${protocol} ${address} ${port} ${peer} ${peerPort}`;
    owners.set(key, scope ?? owners.get(key) ?? null);
  });
  return owners;
}

/** As the output chain asks: cgroups first, then uids. */
function createScopes(policy: ResolvedPolicy): (socket: OpenSocket) => string | null {
  const scopes = policy.outbound === null ? [] : policy.scopes;
  const accounts = readAccounts();
  const byCgroup = scopes.flatMap((scope) => {
    const cgroups = cgroupsOf(scope);
    return cgroups === null ? [] : [{ name: scope.name, cgroups }];
  });
  const byUid = scopes.flatMap(({ name, target }) => {
    const ranges = target.kind === "user" ? (uidRanges(target.user, accounts) ?? []) : [];
    return ranges.map((range: UidRange) => ({ name, ...range }));
  });
  return ({ uid, cgroup }) => {
    const inside = cgroup === null ? undefined : byCgroup.find(({ cgroups }) => cgroups.has(cgroup));
    const owned = inside ?? byUid.find(({ first, last }) => first <= uid && uid <= last);
    return owned?.name ?? null;
  };
}

function cgroupsOf({ name, target }: ResolvedScope): Set<bigint> | null {
  const selector =
    target.kind === "unit"
      ? selectorOfUnit(name)
      : target.kind === "cgroup"
        ? selectorOfCgroup(target.path)
        : undefined;
  return selector === undefined ? null : cgroupsBelow(selector, cgroupMount());
}
