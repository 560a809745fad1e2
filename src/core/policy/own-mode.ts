/** Rules with a mode of their own: what is enforced in a direction that only watches, and the other way round. */
import type { Direction, Mode } from "./document.ts";
import type { ResolvedInboundRule, ResolvedOutboundRule, ResolvedPolicy } from "./resolved.ts";

/** How many rules of one direction are not of its mode, by what that means. */
export interface OwnModeCounts {
  /** Deny rules that only watch, while their direction is enforced. */
  readonly watchedDenies: number;
  /** Allow rules that only watch and so open nothing, while their direction is enforced. */
  readonly idleAllows: number;
  /** Deny rules that are enforced, while their direction is only watched. */
  readonly enforcedDenies: number;
}

/** Returns the counts of both directions. An allow in a direction that is only watched has no say, whatever its mode. */
export function ownModesOf(policy: ResolvedPolicy): Readonly<Record<Direction, OwnModeCounts>> {
  return {
    inbound: countsOf(policy.mode.inbound, policy.inbound),
    outbound: countsOf(policy.mode.outbound, policy.outbound ?? []),
  };
}

function countsOf(
  direction: Mode,
  rules: readonly (ResolvedInboundRule | ResolvedOutboundRule)[],
): OwnModeCounts {
  const others = rules.filter(({ mode }) => mode !== direction);
  const denies = others.filter(({ action }) => action === "deny").length;
  const isWatching = direction === "observe";
  return {
    watchedDenies: isWatching ? 0 : denies,
    idleAllows: isWatching ? 0 : others.length - denies,
    enforcedDenies: isWatching ? denies : 0,
  };
}
