/** What a packet meets that enters by an interface: the same order as in the prerouting chain of the ruleset. */
import { INNER_INTERFACES, WORLD } from "../policy/zone-word.ts";
import type { ResolvedPolicy } from "../policy/resolved.ts";

export type Met =
  | { readonly kind: "scope"; readonly scope: string }
  | { readonly kind: "zone"; readonly zone: string }
  /** Containers that no scope names, while those of another are held. */
  | { readonly kind: "stranger" }
  /** Not judged. */
  | { readonly kind: "inner" };

export type Entrance = (link: string) => Met;

/** Returns what is met at each interface. `interfaces`: those of the scopes by docker network and namespace. */
export function entrances(
  policy: ResolvedPolicy,
  interfaces: ReadonlyMap<string, readonly string[]>,
): Entrance {
  const ofScopes = [...interfaces].flatMap(([scope, links]) => links.map((link) => ({ scope, link })));
  const strangers =
    policy.containers === "deny" &&
    policy.mode.outbound === "enforce" &&
    policy.outbound !== null &&
    policy.scopes.some(({ target }) => target.kind === "docker");
  return (link) => {
    if (link === "lo") return { kind: "inner" };
    const scope = ofScopes.find((one) => one.link === link)?.scope;
    if (scope !== undefined) return { kind: "scope", scope };
    const zone = policy.zones.find((one) => one.interfaces.some((pattern) => isNamed(pattern, link)));
    if (zone !== undefined) return { kind: "zone", zone: zone.name };
    if (strangers && STRANGERS.some((pattern) => isNamed(pattern, link))) return { kind: "stranger" };
    if (INNER_INTERFACES.some((pattern) => isNamed(pattern, link))) return { kind: "inner" };
    return { kind: "zone", zone: WORLD };
  };
}

const STRANGERS: readonly string[] = ["docker*", "br-*"];

/** As nft reads an interface name: a `*` at its end stands for anything. */
function isNamed(pattern: string, link: string): boolean {
  return pattern.endsWith("*") ? link.startsWith(pattern.slice(0, -1)) : link === pattern;
}
