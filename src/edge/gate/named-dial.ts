/** From a name and a destination to a connection: judged, bound, dialled. Every door goes through here. */
import type { Socket } from "node:net";
import { TYPE } from "../../core/dns/message.ts";
import type { Hostname } from "../../core/net/hostname.ts";
import { formatIp, type Ip } from "../../core/net/ip.ts";
import type { Refusal } from "../../core/gate/refusal.ts";
import type { GateDoor } from "../../core/gate/report.ts";
import { bind, dial, dialFirst, type Dialled } from "./dial.ts";
import { isUnknownName } from "./resolver.ts";
import { admit, type Asked, gateDecision, type GateScope, passes, refuse } from "./scope.ts";

export type Opened =
  | { readonly kind: "open"; readonly server: Socket; readonly address: Ip }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  /** Allowed, but it did not come to be. */
  | { readonly kind: "failed"; readonly refusal: Refusal };

/** LIMIT: addresses of one family that are tried. */
const ADDRESSES_TRIED_MAX = 4;

export interface Wanted {
  readonly door: GateDoor;
  readonly host: Hostname | null;
  readonly port: number;
}

/** Connects a client that chose the address itself: it must be allowed, and bound to the very name. */
export async function openTo(scope: GateScope, client: Socket, wanted: Wanted, address: Ip): Promise<Opened> {
  const asked = askedOf(wanted, address);
  const judge = scope.judge();
  const decision = judge.judgeConnection(wanted.host, address, wanted.port, scope.nowMs());
  if (!passes(decision)) return { kind: "refused", refusal: refuse(scope, asked, decision) };
  if (wanted.host !== null && !judge.watching && !(await isBound(scope, wanted.host, address))) {
    const why = "the address is none that our resolver gave for this name";
    return { kind: "refused", refusal: refuse(scope, asked, gateDecision("not-pinned", why)) };
  }
  const dialled = await dial(address, wanted.port);
  return finish(scope, client, wanted, { ...dialled, address }, () => admit(scope, asked, decision));
}

/** Connects a client that only said a name, to an address of our resolver's. */
export async function openByName(scope: GateScope, client: Socket, wanted: Wanted, host: Hostname): Promise<Opened> {
  const asked = askedOf(wanted, null);
  const first = scope.judge().judgeConnection(host, null, wanted.port, scope.nowMs());
  if (!passes(first)) return { kind: "refused", refusal: refuse(scope, asked, first) };
  const found = await addressesOf(scope, host);
  if (found.kind !== "found") {
    const decision = gateDecision(found.kind === "private" ? "private-address" : "unresolved", found.why);
    return { kind: found.kind === "private" ? "refused" : "failed", refusal: refuse(scope, asked, decision) };
  }
  const judge = scope.judge();
  const allowed = found.addresses.filter((ip) =>
    passes(judge.judgeConnection(host, ip, wanted.port, scope.nowMs())),
  );
  if (allowed.length === 0) {
    const [ip = null] = found.addresses;
    const decision = judge.judgeConnection(host, ip, wanted.port, scope.nowMs());
    return { kind: "refused", refusal: refuse(scope, askedOf(wanted, ip), decision) };
  }
  const dialled = await dialFirst(allowed, wanted.port);
  const [fallback] = allowed;
  const address = dialled.address ?? fallback;
  if (address === undefined) throw new RangeError("a list that is not empty has a first");
  return finish(scope, client, wanted, { ...dialled, address }, () =>
    admit(scope, askedOf(wanted, address), judge.judgeConnection(host, address, wanted.port, scope.nowMs())),
  );
}

function finish(
  scope: GateScope,
  client: Socket,
  { door, host, port }: Wanted,
  dialled: Dialled & { address: Ip },
  tell: () => void,
): Opened {
  const { address } = dialled;
  if (!dialled.ok) {
    const decision = gateDecision("unreachable", `the destination did not take the connection (${dialled.code})`);
    return { kind: "failed", refusal: refuse(scope, askedOf({ door, host, port }, address), decision) };
  }
  const server = dialled.socket;
  if (client.destroyed) server.destroy();
  bind(client, server);
  const cut = (): void => {
    client.resetAndDestroy();
    server.resetAndDestroy();
  };
  scope.connections.opened(client, { host, address, port, cut });
  tell();
  return { kind: "open", server, address };
}

/** A name that was resolved before this gate started is asked for again: the answer binds. */
async function isBound(scope: GateScope, host: Hostname, address: Ip): Promise<boolean> {
  if (scope.bindings.isBound(host, address, scope.nowMs())) return true;
  const type = address.family === 4 ? TYPE.A : TYPE.AAAA;
  await scope.resolver.resolve({ host, type, dnssecOk: false, checkingDisabled: false });
  return scope.bindings.isBound(host, address, scope.nowMs());
}

type Found =
  | { readonly kind: "found"; readonly addresses: readonly Ip[] }
  | { readonly kind: "private" | "failed"; readonly why: string };

/** Both families, IPv4 first: a host without IPv6 would wait for it. */
async function addressesOf(scope: GateScope, host: Hostname): Promise<Found> {
  const [v4, v6] = await Promise.all(
    [TYPE.A, TYPE.AAAA].map((type) =>
      scope.resolver.resolve({ host, type, dnssecOk: false, checkingDisabled: false }),
    ),
  );
  const answers = [v4, v6].filter((one) => one?.kind === "answered");
  const addresses = answers.flatMap((one) => one.addresses.slice(0, ADDRESSES_TRIED_MAX));
  if (addresses.length > 0) return { kind: "found", addresses };
  if (answers.some(({ refused }) => refused > 0)) {
    return { kind: "private", why: "it leads to addresses that are not of the public internet" };
  }
  if (v4?.kind === "failed") return { kind: "failed", why: v4.why };
  const unknown = answers.some(({ answer }) => isUnknownName(answer));
  return { kind: "failed", why: unknown ? "no resolver knows this name" : "this name has no address" };
}

function askedOf({ door, host, port }: Wanted, address: Ip | null): Asked {
  return { door, host, address: address === null ? null : formatIp(address), port, protocol: "tcp" };
}
