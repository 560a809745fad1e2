/** Which doors the policies in the kernel need. */
import { scopeInterfaces } from "../../apply/scope.ts";
import type { DoorPlan } from "../../core/gate/message.ts";
import { gatedScopes, isOfThisHost } from "../../core/policy/gated.ts";
import { gatePorts } from "../../core/policy/gate-port.ts";
import type { ResolvedPolicy } from "../../core/policy/resolved.ts";
import { addressesOf } from "../../edge/host/own-address.ts";
import { interfacesIfThere } from "../../edge/kernel/netns.ts";
import { openSocketTable } from "../../edge/kernel/socket-table.ts";
import type { KnownPolicy } from "./policy-watch.ts";

/** One set of doors for each scope of any policy; a scope keeps its doors while any of them needs it. */
export function doorsOf(
  policies: readonly ResolvedPolicy[],
  bridges: ReadonlyMap<string, string>,
): DoorPlan[] {
  const plans = new Map<string, DoorPlan>();
  for (const policy of policies) {
    const bridgesOf = (network: string): readonly string[] => [bridges.get(network) ?? []].flat();
    const interfaces = scopeInterfaces(policy, bridgesOf, interfacesIfThere);
    for (const scope of gatedScopes(policy)) {
      const { name, index } = scope;
      const here = isOfThisHost(scope);
      const addresses = here ? ["127.0.0.1", "::1"] : (interfaces.get(name) ?? []).flatMap(addressesOf);
      plans.set(`${name} ${index}`, { scope: name, index, addresses, hasProxy: here });
    }
  }
  return [...plans.values()];
}

/** Returns the Docker networks at whose bridges gates listen. */
export function networksOf(policies: readonly KnownPolicy[]): ReadonlySet<string> {
  const scopes = policies.flatMap(({ policy }) => gatedScopes(policy));
  return new Set(scopes.flatMap(({ target }) => (target.kind === "docker" ? [target.network] : [])));
}

/** Whether a policy needs a door that another one does not. */
export function hasMoreDoors(
  { policy }: KnownPolicy,
  other: KnownPolicy,
  bridges: ReadonlyMap<string, string>,
): boolean {
  const keysOf = (one: ResolvedPolicy): string[] =>
    doorsOf([one], bridges).flatMap(({ index, addresses }) => addresses.map((at) => `${index} ${at}`));
  const known = new Set(keysOf(other.policy));
  return keysOf(policy).some((key) => !known.has(key));
}

/** Whether what a policy does not list is refused without a gate, and not let through. */
export function isEnforced({ policy }: KnownPolicy): boolean {
  return policy.mode.outbound === "enforce";
}

/** Whether the kernel says that a socket of another user's holds a port of these doors. */
export function heldByOthers(doors: readonly DoorPlan[], gateUid: number): boolean {
  const ports = new Set(doors.flatMap(({ index }) => Object.values(gatePorts(index))));
  const sockets = openSocketTable();
  let isHeld = false;
  try {
    sockets.eachSocket(({ isListening, protocol, port, uid }) => {
      if ((isListening || protocol === "udp") && ports.has(port) && uid !== gateUid) isHeld = true;
    });
  } finally {
    sockets.close();
  }
  return isHeld;
}
