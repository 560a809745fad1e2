/**
 * What of a gate's report becomes an event: nothing that cannot be made again here. SECURITY: scope and rule are those
 * of a policy in force, host and address are parsed, the id is ours; so a gate that is taken over can invent a
 * connection, and not what stands in a log, on a terminal or behind an id that somebody approves.
 */
import type { FlowEvent } from "../../core/event/event.ts";
import { isRefusal, refusalId, type RefusalKey } from "../../core/gate/refusal.ts";
import type { GateReport } from "../../core/gate/report.ts";
import { parseHostname } from "../../core/net/hostname.ts";
import { formatIp, parseIp } from "../../core/net/ip.ts";
import { REASON_CODES, type ReasonCode } from "../../core/policy/decision.ts";
import type { ResolvedPolicy } from "../../core/policy/resolved.ts";

/** Returns an event without its generation and time, or null for a report that is not believed. */
export type Believe = (report: GateReport, nowMs: number) => BelievedReport | null;

export interface BelievedReport {
  readonly report: GateReport & { readonly decision: { readonly reason: ReasonCode } };
  /** Whether the gate gave another id than ours: one of another version, or one that lies. */
  readonly hadOtherId: boolean;
}

export interface Beliefs {
  /** From now on these policies are in force; those before them count for FORMER_MS more. */
  readonly follow: (policies: readonly ResolvedPolicy[], nowMs: number) => void;
  readonly believe: Believe;
}

/** LIMIT: how long a report may come late: what was decided before a change is told after it. */
const FORMER_MS = 60_000;
/** LIMIT: policies remembered; three are in the kernel at most. */
const POLICIES_MAX = 8;

/** Returns beliefs that know no policy, so that no report is believed. */
export function createBeliefs(keyOf: (scope: string) => RefusalKey): Beliefs {
  let known: { readonly policy: ResolvedPolicy; untilMs: number; readonly names: Names }[] = [];
  return {
    follow: (policies, nowMs) => {
      const former = known
        .filter(({ policy, untilMs }) => !policies.includes(policy) && nowMs < untilMs)
        .map((one) => ({ ...one, untilMs: Math.min(one.untilMs, nowMs + FORMER_MS) }));
      const now = policies.map((policy) => ({ policy, untilMs: Infinity, names: namesOf(policy) }));
      known = [...now, ...former].slice(0, POLICIES_MAX);
    },
    believe: (report, nowMs) => {
      const { scope, host, address, decision, id } = report;
      const { rule, reason } = decision;
      if (!known.some(({ names, untilMs }) => nowMs < untilMs && isOf(names, scope, rule))) return null;
      if (!isReason(reason) || !isCanonicalHost(host) || !isCanonicalAddress(address)) return null;
      const ours = isRefusal(decision) ? refusalId(report, decision, keyOf(scope)) : null;
      return { report: { ...report, decision: { ...decision, reason }, id: ours }, hadOtherId: id !== ours };
    },
  };
}

/** By scope: the rules and guards that can decide for it. */
type Names = ReadonlyMap<string, ReadonlySet<string>>;

function namesOf({ scopes, outbound, guards }: ResolvedPolicy): Names {
  const everywhere = guards.filter(({ direction }) => direction === "outbound").map(({ id }) => id);
  return new Map(
    scopes.map(({ name }) => {
      const rules = (outbound ?? []).filter((rule) => rule.scopes.includes(name)).map(({ id }) => id);
      return [name, new Set([...everywhere, ...rules])];
    }),
  );
}

function isOf(names: Names, scope: string, rule: string | null): boolean {
  const rules = names.get(scope);
  return rules !== undefined && (rule === null || rules.has(rule));
}

function isReason(reason: string): reason is ReasonCode {
  return REASON_CODES.has(reason);
}

function isCanonicalHost(host: string | null): boolean {
  if (host === null) return true;
  const parsed = parseHostname(host);
  return parsed.ok && parsed.name === host;
}

function isCanonicalAddress(address: string | null): boolean {
  if (address === null) return true;
  const parsed = parseIp(address);
  return parsed !== undefined && formatIp(parsed) === address;
}

const PROTOCOL_NUMBERS = { tcp: 6, udp: 17, icmp: 1, other: 0 } as const;
/** A name that has no address yet. */
const NOWHERE = "0.0.0.0";

/** Returns what a gate told as an event like those of the kernel. */
export function flowOfReport({ report }: BelievedReport, generation: number, timeMs: number): FlowEvent {
  const { decision, scope, host, address, port, protocol, id, door } = report;
  return {
    kind: "flow",
    timeMs,
    direction: "outbound",
    verdict: decision.verdict,
    observed: decision.observed,
    rule: decision.rule,
    reason: decision.reason,
    generation,
    place: scope,
    protocol: PROTOCOL_NUMBERS[protocol],
    source: NOWHERE,
    destination: address ?? NOWHERE,
    sourcePort: null,
    destinationPort: port,
    icmpType: null,
    tcpFlags: null,
    bytes: 0,
    interfaceIn: null,
    interfaceOut: null,
    uid: null,
    gid: null,
    host,
    door,
    refusal: id,
  };
}
