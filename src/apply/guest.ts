/** Scopes of containers and namespaces: their gate must be reachable from inside, through whatever else filters. */
import { SeawallError } from "../core/base/error.ts";
import { gatedScopes } from "../core/policy/gated.ts";
import { gatePorts } from "../core/policy/gate-port.ts";
import type { ResolvedPolicy, ResolvedScope } from "../core/policy/resolved.ts";
import { containersWithoutDns, dockerBridge } from "../edge/docker/network.ts";
import { asksTheGate, type GuestPlace, isListening } from "../edge/host/guest-probe.ts";
import { addressesOf } from "../edge/host/own-address.ts";
import { loopbackResolvers } from "../edge/host/resolv-conf.ts";
import { scopeInterfaces } from "./scope.ts";

/**
 * Refuses a docker scope whose embedded resolver asks a resolver on this host's loopback: dockerd then asks for the
 * container, and nobody can tell that from dockerd's own questions.
 */
export function refuseEmbeddedResolver(policy: ResolvedPolicy): void {
  if (policy.mode.outbound !== "enforce") return;
  if (loopbackResolvers().length === 0) return;
  for (const { name, target } of gatedScopes(policy)) {
    if (target.kind !== "docker") continue;
    const [container] = containersWithoutDns(target.network);
    if (container === undefined) continue;
    throw new SeawallError(
      "SEAWALL_SCOPE",
      `scope \`${name}\`: the container \`${container}\` resolves through dockerd, which asks the resolver of this host`,
      {
        still: "nothing was changed",
        help: `docker run --dns ${gateAddress(target.network)} (compose: \`dns:\`) for every container of \`${target.network}\``,
      },
    );
  }
}

/**
 * Refuses when a question from inside a scope does not come to its gate. The policy must be in force. While names are
 * only watched, a scope whose gate does not run is left out: its DNS passes by it.
 */
export function refuseUnreachableGate(policy: ResolvedPolicy): void {
  const isWatched = policy.mode.outbound === "observe";
  const interfaces = scopeInterfaces(policy);
  for (const scope of gatedScopes(policy)) {
    const place = placeOf(scope);
    if (place === null || (isWatched && !isListening(gatePorts(scope.index).dns))) continue;
    if (!asksTheGate(place, isWatched)) throw unreachable(scope, interfaces.get(scope.name) ?? []);
  }
}

function placeOf({ target }: ResolvedScope): GuestPlace | null {
  if (target.kind === "netns") return { kind: "netns", name: target.name };
  return target.kind === "docker" ? { kind: "bridge", bridge: dockerBridge(target.network) } : null;
}

function gateAddress(network: string): string {
  return addressesOf(dockerBridge(network)).find((text) => !text.includes(":")) ?? "GATE";
}

/** Most often it is UFW, which denies what comes in and is not named. */
function unreachable({ name, index }: ResolvedScope, interfaces: readonly string[]): SeawallError {
  const { dns, tls, http } = gatePorts(index);
  const rules = interfaces.flatMap((one) => [
    `ufw allow in on ${one} to any port ${dns} proto udp`,
    `ufw allow in on ${one} to any port ${dns},${http},${tls} proto tcp`,
  ]);
  return new SeawallError(
    "SEAWALL_GATE",
    `scope \`${name}\`: a question from inside it does not reach the gate`,
    {
      still: "the policy before it is in force",
      help: `${rules.join(" && ")} (when UFW is active; then apply again)`,
    },
  );
}
