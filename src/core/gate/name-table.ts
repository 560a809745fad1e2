/** The names of one scope, for look-ups by thousands a second. What it finds is still decided by `evaluate`. */
import type { Hostname } from "../net/hostname.ts";
import { allowsOf, decidesByName } from "../policy/gated.ts";
import type { ResolvedOutboundRule, ResolvedPolicy } from "../policy/resolved.ts";
import { isPublicName } from "../net/public-name.ts";

export interface NameTable {
  /** The allow rules in force that name this host, whether or not something denies it too. */
  readonly rulesFor: (host: Hostname) => readonly ResolvedOutboundRule[];
  /** Whether a listed name is below this one: it then exists, without addresses (RFC 8020). */
  readonly isAncestor: (host: Hostname) => boolean;
}

/** Returns the table of a scope. */
export function nameTable(policy: ResolvedPolicy, scope: string): NameTable {
  const rules = allowsOf(policy, scope).filter(decidesByName);
  const everywhere = rules.filter((rule) => rule.publicWeb);
  const exact = new Map<string, ResolvedOutboundRule[]>();
  const below = new Map<string, ResolvedOutboundRule[]>();
  const ancestors = new Set<string>();
  for (const rule of rules) {
    for (const pattern of rule.names) {
      const [map, key] = pattern.kind === "exact" ? [exact, pattern.name] : [below, pattern.suffix];
      const found = map.get(key);
      if (found === undefined) map.set(key, [rule]);
      else if (!found.includes(rule)) found.push(rule);
      if (pattern.kind === "below") ancestors.add(key);
      for (const parent of parents(key)) ancestors.add(parent);
    }
  }
  return {
    rulesFor: (host) => {
      const found = [...(exact.get(host) ?? [])];
      for (const parent of parents(host)) found.push(...(below.get(parent) ?? []));
      if (everywhere.length > 0 && isPublicName(host)) found.push(...everywhere);
      return found.length < 2 ? found : [...new Set(found)];
    },
    isAncestor: (host) => ancestors.has(host),
  };
}

/** `b.c` and `c` of `a.b.c`. */
function parents(host: string): string[] {
  const found: string[] = [];
  for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1))
    found.push(host.slice(dot + 1));
  return found;
}
