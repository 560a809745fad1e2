import { isPublicIp } from "../net/address-class.ts";
import type { InboundFlow, OutboundFlow } from "../net/flow.ts";
import { type Hostname, matchesPattern, type NamePattern } from "../net/hostname.ts";
import { isPublicName } from "../net/public-name.ts";
import { containsIp } from "../net/prefix-set.ts";
import type { ResolvedGuard, ResolvedInboundRule, ResolvedOutboundRule } from "./resolved.ts";
import { matchesServices } from "./service-match.ts";

export function matchesInbound(rule: ResolvedInboundRule, flow: InboundFlow): boolean {
  if (!matchesServices(rule.services, flow.protocol, flow.port)) return false;
  if (rule.exceptZones.includes(flow.zone)) return false;
  if (containsIp(rule.from, flow.from)) return true;
  return rule.fromZones.includes(flow.zone) && !containsIp(rule.except, flow.from);
}

/**
 * A deny matches by name or by address, whichever is known. An allow by address suffices alone; an allow by
 * name needs the address, where it is known, to be public, unless the rule says `private: true`.
 */
export function matchesOutbound(rule: ResolvedOutboundRule, flow: OutboundFlow): boolean {
  if (!rule.scopes.includes(flow.scope)) return false;
  if (!matchesServices(rule.services, flow.protocol, flow.port)) return false;
  if (flow.address !== null && containsIp(rule.to, flow.address)) return true;
  if (flow.host === null) return false;
  const named = (rule.publicWeb && isPublicName(flow.host)) || matchesAnyName(rule.names, flow.host);
  if (!named || rule.action === "deny" || flow.address === null) return named;
  return rule.private || isPublicIp(flow.address);
}

export function matchesGuard(guard: ResolvedGuard, flow: InboundFlow | OutboundFlow): boolean {
  if (!matchesServices(guard.services, flow.protocol, flow.port)) return false;
  if (flow.direction === "inbound") return guard.zones.includes(flow.zone);
  if (guard.to === null) return true;
  if (flow.address !== null && containsIp(guard.to, flow.address)) return true;
  return flow.host !== null && matchesAnyName(guard.names, flow.host);
}

function matchesAnyName(names: readonly NamePattern[], host: Hostname): boolean {
  return names.some((pattern) => matchesPattern(pattern, host));
}
