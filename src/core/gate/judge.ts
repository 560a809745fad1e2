/**
 * What a gate decides, for DNS questions and for connections. The last word is always `evaluate`: a gate accepts
 * nothing that the policy does not.
 */
import { isPublicIp } from "../net/address-class.ts";
import type { Hostname } from "../net/hostname.ts";
import type { Ip } from "../net/ip.ts";
import { containsIp, type PrefixSet } from "../net/prefix-set.ts";
import type { Decision, GateReason } from "../policy/decision.ts";
import { type Evaluate, evaluator } from "../policy/evaluate.ts";
import { decidesByName, namesHost, waitingOf, webPortsOf } from "../policy/gated.ts";
import type { ResolvedOutboundRule, ResolvedPolicy, ServiceMatch } from "../policy/resolved.ts";
import { embeddedIp4, type Nat64 } from "./nat64.ts";
import { type NameTable, nameTable } from "./name-table.ts";

/** What is known of the network around: an answer may not lead back to this host or through its NAT64. */
export interface Surroundings {
  readonly ownAddresses: PrefixSet;
  readonly nat64: Nat64 | null;
}

export type NameVerdict =
  | { readonly kind: "listed"; readonly observed: Decision | null }
  /** The name exists because a listed one is below it; it has no records. */
  | { readonly kind: "ancestor" }
  | {
      readonly kind: "refused";
      readonly decision: Decision;
      /** A listed name is below it: the refusal must not say that nothing is (RFC 8020). */
      readonly isAncestor: boolean;
    };

export interface Pinnable {
  /** Web ports on which the gate may dial this address for this name. */
  readonly webPorts: readonly number[];
  /** Rules whose other ports the name opens. */
  readonly direct: readonly string[];
}

export interface ScopeJudge {
  readonly scope: string;
  readonly watching: boolean;
  /** Whether the scope may ask for addresses of this name at all. */
  readonly judgeName: (host: Hostname, nowMs: number) => NameVerdict;
  /** Whether only a wildcard or `public-web` lists it, so that anybody could speak through its labels. */
  readonly isOpenEnded: (host: Hostname) => boolean;
  readonly judgeConnection: (
    host: Hostname | null,
    address: Ip | null,
    port: number,
    nowMs: number,
  ) => Decision;
  /** Why an answer may not be used for this name, or null. */
  readonly refuseAnswer: (host: Hostname, address: Ip) => GateReason | null;
  /** What may be pinned for an answer. Asked again by the daemon, which believes no gate. */
  readonly pinnable: (host: Hostname, address: Ip, nowMs: number) => Pinnable;
}

/** Returns the judge of one scope. */
export function scopeJudge(policy: ResolvedPolicy, scope: string, around: Surroundings): ScopeJudge {
  const evaluate = evaluator(policy);
  const table = nameTable(policy, scope);
  const watching = policy.mode.outbound === "observe";
  const denies = (policy.outbound ?? []).filter(
    (rule) => rule.action === "deny" && rule.mode === "enforce" && rule.scopes.includes(scope),
  );
  const waiting = waitingOf(policy, scope).filter(decidesByName);
  const context: Context = { evaluate, table, denies, waiting, scope, watching };
  const judgeConnection: ScopeJudge["judgeConnection"] = (host, address, port, nowMs) =>
    evaluate({ direction: "outbound", scope, host, address, protocol: "tcp", port }, nowMs);
  const allowsPrivate = (host: Hostname): boolean => table.rulesFor(host).some((rule) => rule.private);
  return {
    scope,
    watching,
    judgeName: (host, nowMs) => judgeName(context, host, nowMs),
    isOpenEnded: (host) => !table.rulesFor(host).some((rule) => isExactly(rule, host)),
    judgeConnection,
    refuseAnswer: (host, address) =>
      refuseAnswer(evaluate, scope, host, address, around, allowsPrivate(host)),
    pinnable: (host, address, nowMs) => {
      if (refuseAnswer(evaluate, scope, host, address, around, allowsPrivate(host)) !== null) return NOTHING;
      const inner = embeddedIp4(address, around.nat64) ?? address;
      return pinnable(context, host, address, isInner(address, inner, around.ownAddresses), nowMs);
    },
  };
}

const NOTHING: Pinnable = { webPorts: [], direct: [] };

interface Context {
  readonly evaluate: Evaluate;
  readonly table: NameTable;
  readonly denies: readonly ResolvedOutboundRule[];
  /** What waits for the clock: refused, with a reason of its own. */
  readonly waiting: readonly ResolvedOutboundRule[];
  readonly scope: string;
  readonly watching: boolean;
}

function isExactly(rule: ResolvedOutboundRule, host: Hostname): boolean {
  return rule.names.some((pattern) => pattern.kind === "exact" && pattern.name === host);
}

/** A name is listed when it is allowed on any port; on which, the connection decides. */
function judgeName(
  { evaluate, table, waiting, scope, watching }: Context,
  host: Hostname,
  nowMs: number,
): NameVerdict {
  let refusal: Decision | null = null;
  const waits = waiting.filter((rule) => namesHost(rule, host));
  for (const rule of [...table.rulesFor(host), ...waits]) {
    for (const service of rule.services) {
      for (const { protocol, port } of samples(service)) {
        const decision = evaluate(
          { direction: "outbound", scope, host, address: null, protocol, port },
          nowMs,
        );
        if (decision.verdict === "accept") return { kind: "listed", observed: null };
        // That it waits says more than that no rule allows it on some port of another rule.
        if (refusal === null || decision.reason === "clock") refusal = decision;
      }
    }
  }
  refusal ??= evaluate(
    { direction: "outbound", scope, host, address: null, protocol: "tcp", port: 443 },
    nowMs,
  );
  // Nothing outbound is judged.
  if (refusal.verdict === "accept") return { kind: "listed", observed: null };
  if (watching && refusal.observed) return { kind: "listed", observed: refusal };
  const isAncestor = table.isAncestor(host);
  const isUnnamed = refusal.reason === "default" && table.rulesFor(host).length === 0;
  return isAncestor && isUnnamed ? { kind: "ancestor" } : { kind: "refused", decision: refusal, isAncestor };
}

/** Both ends of a service's ports, and the web ports in it. */
function samples({ protocol, ports }: ServiceMatch): { protocol: "tcp" | "udp"; port: number }[] {
  const found = new Set([ports.first, ...webPortsOf([{ protocol, ports }]), ports.last]);
  const one = protocol === "udp" ? "udp" : "tcp";
  return [...found].map((port) => ({ protocol: one, port }));
}

/** SECURITY: metadata and link-local stay guarded, whatever the rule says, and also where a risk lifts the guard. */
const WITH_EVERY_GUARD = Number.POSITIVE_INFINITY;

function refuseAnswer(
  evaluate: Evaluate,
  scope: string,
  host: Hostname,
  address: Ip,
  { ownAddresses, nat64 }: Surroundings,
  allowsPrivate: boolean,
): GateReason | null {
  const inner = embeddedIp4(address, nat64) ?? address;
  for (const ip of inner === address ? [address] : [address, inner]) {
    const guarded = evaluate(
      { direction: "outbound", scope, host, address: ip, protocol: "other", port: 0 },
      WITH_EVERY_GUARD,
    );
    if (guarded.reason === "guard") return "private-address";
  }
  if (allowsPrivate) return null;
  return isInner(address, inner, ownAddresses) ? "private-address" : null;
}

/**
 * Whether an address leads inside: not of the public internet, this host's own, or through a NAT64 to one of those.
 * SECURITY: what is told of a network's NAT64 prefix can only make this stricter.
 */
function isInner(address: Ip, inner: Ip, ownAddresses: PrefixSet): boolean {
  return [address, inner].some((ip) => containsIp(ownAddresses, ip) || !isPublicIp(ip));
}

/**
 * SECURITY: a set of addresses knows no name any more, so a rule's other ports are pinned only when no rule denies
 * this name on any of them; a deny on a part of them then denies the rest too, and never the other way round.
 */
function pinnable(
  { evaluate, table, denies, scope }: Context,
  host: Hostname,
  address: Ip,
  leadsInside: boolean,
  nowMs: number,
): Pinnable {
  const accepts = (protocol: "tcp" | "udp", port: number): boolean => {
    const decision = evaluate({ direction: "outbound", scope, host, address, protocol, port }, nowMs);
    return decision.verdict === "accept" || decision.observed;
  };
  const rules = table
    .rulesFor(host)
    .filter((rule) => (rule.expiresMs === null || nowMs < rule.expiresMs) && (rule.private || !leadsInside));
  const webPorts = new Set(rules.flatMap(({ services }) => webPortsOf(services)));
  const against = denies.filter((rule) => namesHost(rule, host)).flatMap((rule) => rule.services);
  const direct = rules.filter(
    ({ services }) =>
      !services.some((service) => against.some((denied) => overlaps(service, denied))) &&
      services.every((service) => samples(service).every(({ protocol, port }) => accepts(protocol, port))),
  );
  return {
    webPorts: [...webPorts].filter((port) => accepts("tcp", port)),
    direct: direct.map(({ id }) => id),
  };
}

function overlaps(left: ServiceMatch, right: ServiceMatch): boolean {
  const both = [left.protocol, right.protocol];
  if (both.includes("tcp") && both.includes("udp")) return false;
  return left.ports.first <= right.ports.last && right.ports.first <= left.ports.last;
}
