/** Who gets to SSH under a policy, told from where SSH listens. */
import { EMPTY_SET, EVERY_ADDRESS, type PrefixSet, subtractSet, unionSets } from "../net/prefix-set.ts";
import { matchesServices } from "./service-match.ts";
import { WORLD } from "./zone-word.ts";
import type { ResolvedInboundRule, ResolvedPolicy } from "./resolved.ts";

/** A port on which SSH takes logins, and over which families. */
export interface SshWay {
  readonly port: number;
  readonly families: readonly (4 | 6)[];
}

/** Returns every address of the families. */
export function everyAddressOf(families: readonly (4 | 6)[]): PrefixSet {
  return {
    v4: families.includes(4) ? EVERY_ADDRESS.v4 : EMPTY_SET.v4,
    v6: families.includes(6) ? EVERY_ADDRESS.v6 : EMPTY_SET.v6,
    index4: null,
  };
}

/** Returns what is in both. */
export function intersectSets(set: PrefixSet, other: PrefixSet): PrefixSet {
  return subtractSet(set, subtractSet(set, other));
}

/** Whether anybody at all gets to one of these from a zone that the policy judges. False where there is none. */
export function admitsAnybody(policy: ResolvedPolicy, ways: readonly SshWay[], nowMs: number): boolean {
  const zones = [WORLD, ...policy.zones.map(({ name }) => name)];
  return ways.some((way) => zones.some((zone) => admitsFrom(policy, way, zone, nowMs)));
}

function admitsFrom(
  policy: ResolvedPolicy,
  { port, families }: SshWay,
  zone: string,
  nowMs: number,
): boolean {
  const isGuarded = policy.guards.some(
    ({ direction, services, zones, liftedUntilMs }) =>
      direction === "inbound" &&
      zones.includes(zone) &&
      matchesServices(services, "tcp", port) &&
      (liftedUntilMs === null || nowMs >= liftedUntilMs),
  );
  if (isGuarded) return false;
  const isWatching = policy.mode.inbound === "observe";
  const rules = policy.inbound.filter(({ services }) => matchesServices(services, "tcp", port));
  const denied = rules.filter(({ action, mode }) => action === "deny" && mode === "enforce");
  const allowed = rules.filter(
    ({ action, mode, expiresMs }) =>
      action === "allow" && mode === "enforce" && (expiresMs === null || nowMs < expiresMs),
  );
  const asked = isWatching ? EVERY_ADDRESS : sourcesOf(allowed, zone);
  const left = intersectSets(subtractSet(asked, sourcesOf(denied, zone)), everyAddressOf(families));
  return left.v4.first.length > 0 || left.v6.first.length > 0;
}

/** The sources that any of the rules matches where they enter by the zone. */
function sourcesOf(rules: readonly ResolvedInboundRule[], zone: string): PrefixSet {
  return unionSets(
    rules
      .filter(({ exceptZones }) => !exceptZones.includes(zone))
      .map(({ from, fromZones, except }) =>
        fromZones.includes(zone) ? unionSets([subtractSet(EVERY_ADDRESS, except), from]) : from,
      ),
  );
}
