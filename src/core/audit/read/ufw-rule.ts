/** What UFW's own rules do with a new connection to a port: the first one that matches decides. */
import { parseIp } from "../../net/ip.ts";
import { parsePrefix } from "../../net/prefix.ts";
import { containsIp, prefixSetOf } from "../../net/prefix-set.ts";

export type Door =
  /** Everybody, or everybody who is asked about, is let in. */
  | { readonly kind: "open" }
  /** No rule lets them in; a rule that refuses stands first when there is one. */
  | { readonly kind: "shut"; readonly by: string | null };

interface Rule {
  readonly text: string;
  readonly allows: boolean;
  readonly family: 4 | 6;
  readonly source: string;
  readonly isForPort: boolean;
  readonly link: string | null;
}

const EVERYWHERE = new Set(["0.0.0.0/0", "::/0", "any"]);

/** Returns the door at a TCP port for one family, for callers at `addresses` or, without any, for everybody. */
export function doorOf(
  rules: readonly string[],
  family: 4 | 6,
  port: number,
  addresses: readonly string[],
): Door {
  const callers = addresses.filter((address) => parseIp(address)?.family === family);
  for (const rule of rules.flatMap((text) => ruleOf(text, port) ?? [])) {
    if (rule.family !== family || !rule.isForPort) continue;
    const isForAll = rule.link === null && EVERYWHERE.has(rule.source);
    if (isForAll) return rule.allows ? { kind: "open" } : { kind: "shut", by: rule.text };
    const matched = callers.filter((address) => isFrom(rule, address));
    if (rule.allows && callers.length > 0 && matched.length === callers.length) return { kind: "open" };
    if (!rule.allows && (matched.length > 0 || callers.length === 0)) return { kind: "shut", by: rule.text };
  }
  return { kind: "shut", by: null };
}

/** `allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in`; between source and direction stand application profiles, if any. */
function ruleOf(text: string, port: number): Rule | null {
  const [action = "", protocol = "", to = "", destination = "", from = "", source = "", ...rest] =
    text.split(" ");
  const way = rest.at(-1) ?? "in";
  const verb = action.replace(/_log(-all)?$/, "");
  if (verb.includes(":") || !isInbound(way)) return null;
  return {
    text,
    allows: verb === "allow" || verb === "limit",
    family: `${destination}${source}`.includes(":") ? 6 : 4,
    source,
    isForPort: isOfTcp(protocol, from) && EVERYWHERE.has(destination) && isTo(to, port),
    link: way === "in" ? null : way.slice("in_".length),
  };
}

function isInbound(way: string): boolean {
  return way === "in" || way.startsWith("in_");
}

function isOfTcp(protocol: string, sourcePort: string): boolean {
  return (protocol === "tcp" || protocol === "any") && sourcePort === "any";
}

function isTo(ports: string, port: number): boolean {
  return ports === "any" || ports.split(",").some((part) => holds(part, port));
}

function holds(part: string, port: number): boolean {
  const [first = "", last = first] = part.split(":");
  return Number(first) <= port && port <= Number(last);
}

/** A rule for an interface is known to hold for a tailnet's addresses on a tailnet's interface, and for no others. */
function isFrom({ source, link }: Rule, address: string): boolean {
  const ip = parseIp(address);
  if (ip === undefined) return false;
  const inTailnet =
    /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./.test(address) || address.startsWith("fd7a:115c:a1e0:");
  if (link !== null && !(link.startsWith("tailscale") && inTailnet)) return false;
  if (EVERYWHERE.has(source)) return true;
  const parsed = parsePrefix(source);
  return parsed.ok && containsIp(prefixSetOf([parsed.prefix]), ip);
}
