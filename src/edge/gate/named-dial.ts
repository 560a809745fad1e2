/** From a name and a destination to a connection: judged, bound, dialled. Every door goes through here. */
import type { Socket } from "node:net";
import { TYPE } from "../../core/dns/message.ts";
import type { Hostname } from "../../core/net/hostname.ts";
import { formatIp, type Ip } from "../../core/net/ip.ts";
import type { Refusal } from "../../core/gate/refusal.ts";
import type { GateDoor } from "../../core/gate/report.ts";
import type { Decision } from "../../core/policy/decision.ts";
import { bind, dial, dialFirst, type Dialled } from "./dial.ts";
import type { ServerSide } from "./server-side.ts";
import { isUnknownName, type Resolution } from "./resolver.ts";
import { admit, type Asked, gateDecision, type GateScope, passes, refuse } from "./scope.ts";

export type Opened =
  | { readonly kind: "open"; readonly server: ServerSide; readonly address: Ip }
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

/**
 * Connects a client that only said a name, to an address of our resolver's: IPv4 first, and IPv6 when there is none
 * or none takes the connection.
 */
export async function openByName(
  scope: GateScope,
  client: Socket,
  wanted: Wanted,
  host: Hostname,
): Promise<Opened> {
  const first = scope.judge().judgeConnection(host, null, wanted.port, scope.nowMs());
  if (!passes(first)) return { kind: "refused", refusal: refuse(scope, askedOf(wanted, null), first) };
  let failure: Failure | null = null;
  for (const type of [TYPE.A, TYPE.AAAA]) {
    const resolution = await scope.resolver.resolve({ host, type, dnssecOk: false, checkingDisabled: false });
    const tried = await tryAddresses(scope, wanted, host, resolution);
    if (tried.kind === "dialled") {
      const { address } = tried;
      const decision = scope.judge().judgeConnection(host, address, wanted.port, scope.nowMs());
      return finish(scope, client, wanted, tried, () => admit(scope, askedOf(wanted, address), decision));
    }
    // What the first family says is told, unless only the second says more than "nothing there".
    if (failure === null || failure.weight < tried.weight) failure = tried;
  }
  const { decision, address, kind } = failure ?? NO_ADDRESS;
  return { kind, refusal: refuse(scope, askedOf(wanted, address), decision) };
}

interface Failure {
  readonly kind: "refused" | "failed";
  readonly decision: Decision;
  readonly address: Ip | null;
  readonly weight: number;
}

const NO_ADDRESS: Failure = {
  kind: "failed",
  decision: gateDecision("unresolved", "this name has no address"),
  address: null,
  weight: 0,
};

async function tryAddresses(
  scope: GateScope,
  { port }: Wanted,
  host: Hostname,
  resolution: Resolution,
): Promise<Failure | ({ readonly kind: "dialled"; readonly address: Ip } & Dialled)> {
  if (resolution.kind === "failed") {
    return { ...NO_ADDRESS, decision: gateDecision("unresolved", resolution.why), weight: 1 };
  }
  const judge = scope.judge();
  const { answer, refused } = resolution;
  // In a scope that is only watched every address is tried that is not guarded.
  const addresses = judge.watching ? answer.addresses : resolution.addresses;
  const [any] = addresses;
  if (any === undefined) {
    if (refused > 0) return { ...NO_ADDRESS, kind: "refused", decision: PRIVATE_ADDRESS, weight: 3 };
    const why = isUnknownName(answer) ? "no resolver knows this name" : "this name has no address";
    return { ...NO_ADDRESS, decision: gateDecision("unresolved", why) };
  }
  const decide = (ip: Ip): Decision => judge.judgeConnection(host, ip, port, scope.nowMs());
  const allowed = addresses.filter((ip) => passes(decide(ip))).slice(0, ADDRESSES_TRIED_MAX);
  if (allowed.length === 0) return { kind: "refused", decision: decide(any), address: any, weight: 3 };
  const dialled = await dialFirst(allowed, port);
  if (dialled.ok) return { kind: "dialled", ...dialled, address: dialled.address ?? any };
  return { kind: "failed", decision: unreachable(dialled.code), address: any, weight: 2 };
}

export const PRIVATE_ADDRESS = gateDecision(
  "private-address",
  "it leads to addresses that are not of the public internet",
);

function unreachable(code: string): Decision {
  return gateDecision("unreachable", `the destination did not take the connection (${code})`);
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
    const refusal = refuse(scope, askedOf({ door, host, port }, address), unreachable(dialled.code));
    return { kind: "failed", refusal };
  }
  const { server } = dialled;
  if (client.destroyed) server.socket.destroy();
  bind(client, server.socket);
  const cut = (): void => {
    client.resetAndDestroy();
    server.socket.resetAndDestroy();
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

function askedOf({ door, host, port }: Wanted, address: Ip | null): Asked {
  return { door, host, address: address === null ? null : formatIp(address), port, protocol: "tcp" };
}
