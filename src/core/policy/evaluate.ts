/**
 * The reference meaning of a policy: host-life > guard > deny > allow > default (deny), whatever the order in
 * the file. Everything else that judges (the kernel ruleset, the gates, tests, explain) is proven against this.
 */
import type { Flow, InboundFlow, OutboundFlow } from "../net/flow.ts";
import { PORT_MAX } from "../net/port-range.ts";
import type { Decision } from "./decision.ts";
import { verdictOf } from "./decision.ts";
import type { Denial, Direction } from "./document.ts";
import { proxyLife } from "./gated.ts";
import { hostLife } from "./host-life.ts";
import { matchesGuard, matchesInbound, matchesOutbound } from "./match.ts";
import type { ResolvedGuard, ResolvedInboundRule, ResolvedOutboundRule, ResolvedPolicy } from "./resolved.ts";
import { WORLD } from "./zone-word.ts";

type ResolvedRule = ResolvedInboundRule | ResolvedOutboundRule;
export type Evaluate = (flow: Flow, nowMs: number) => Decision;

/** Returns the decision for one flow; see `evaluator` for many. */
export function evaluate(policy: ResolvedPolicy, flow: Flow, nowMs: number): Decision {
  return evaluator(policy)(flow, nowMs);
}

/** Returns a function that decides flows by this policy. All decisions are made once and shared. */
export function evaluator(policy: ResolvedPolicy): Evaluate {
  const judgeIn = judge(policy, "inbound", policy.inbound, matchesInbound);
  const judgeOut = judge(policy, "outbound", policy.outbound ?? [], matchesOutbound);
  const zones = new Set([WORLD, ...policy.zones.map((zone) => zone.name)]);
  const scopes = new Set(policy.scopes.map((scope) => scope.name));
  const toProxy = proxyLife(policy);
  return (flow, nowMs) => {
    if (flow.direction === "inbound") {
      const life = hostLife(flow);
      if (life !== null) return life;
      return zones.has(flow.zone) ? judgeIn(flow, nowMs) : INNER_ZONE;
    }
    if (policy.outbound === null) return OUTBOUND_ABSENT;
    if (!scopes.has(flow.scope)) return UNKNOWN_SCOPE;
    return toProxy(flow) ?? judgeOut(flow, nowMs);
  };
}

const INNER_ZONE: Decision = {
  verdict: "accept",
  observed: false,
  rule: null,
  reason: "not-judged",
  why: "this interface is inside the host (loopback, container bridge or tailnet) and no zone names it",
};
const OUTBOUND_ABSENT: Decision = {
  verdict: "accept",
  observed: false,
  rule: null,
  reason: "not-judged",
  why: "the policy has no `outbound`, so nothing outbound is judged",
};
const UNKNOWN_SCOPE: Decision = {
  verdict: "refuse",
  observed: false,
  rule: null,
  reason: "invalid-scope",
  why: "the policy has no scope of this name",
};

/** The rules of one direction by tier, and the decision of each, made beforehand. */
function judge<Rule extends ResolvedRule, OneFlow extends InboundFlow | OutboundFlow>(
  policy: ResolvedPolicy,
  direction: Direction,
  rules: readonly Rule[],
  matches: (rule: Rule, flow: OneFlow) => boolean,
): (flow: OneFlow, nowMs: number) => Decision {
  const denial = policy.denial[direction];
  const guards = policy.guards.filter((guard) => guard.direction === direction);
  const guardDecisions = guards.map((guard) => guardDecision(guard, denial));
  const enforcedDenies = tier(rules, (rule) => rule.action === "deny" && rule.mode === "enforce", false);
  const observedDenies = tier(rules, (rule) => rule.action === "deny" && rule.mode === "observe", true);
  const watching = policy.mode[direction] === "observe";
  // An allow that is only watched opens nothing while its direction is enforced.
  const allows = tier(
    rules,
    (rule) => rule.action === "allow" && (watching || rule.mode === "enforce"),
    watching,
  );
  const waiting = direction === "outbound" ? (policy.waiting ?? []) : [];
  const waits = waitingTier(waiting, denial, watching) as Tier<Rule>;
  const fallback = defaultDecision(direction, denial, watching);
  const unallowed = (flow: OneFlow, nowMs: number): Decision =>
    first(waits, flow, nowMs, matches) ?? fallback;
  const guarded = guardedPorts(guards);

  return (flow, nowMs) => {
    for (let at = guarded[flow.port] === 1 ? 0 : guards.length; at < guards.length; at += 1) {
      const guard = guards[at];
      const decision = guardDecisions[at];
      if (guard === undefined || decision === undefined) continue;
      if (matchesGuard(guard, flow) && isInForce(guard, nowMs)) return decision;
    }
    const denied = first(enforcedDenies, flow, nowMs, matches);
    if (denied !== undefined) return denied;
    if (watching) {
      const found = first(observedDenies, flow, nowMs, matches) ?? first(allows, flow, nowMs, matches);
      return found ?? unallowed(flow, nowMs);
    }
    const allowed = first(allows, flow, nowMs, matches);
    if (allowed === undefined) return unallowed(flow, nowMs);
    return first(observedDenies, flow, nowMs, matches) ?? allowed;
  };
}

/** Which ports any guard is about: most flows need not ask them one by one. */
function guardedPorts(guards: readonly ResolvedGuard[]): Uint8Array {
  const ports = new Uint8Array(PORT_MAX + 1);
  for (const guard of guards) {
    for (const service of guard.services) ports.fill(1, service.ports.first, service.ports.last + 1);
  }
  return ports;
}

interface Tier<Rule> {
  readonly rules: readonly Rule[];
  readonly decisions: readonly Decision[];
}

function tier<Rule extends ResolvedRule>(
  rules: readonly Rule[],
  belongs: (rule: Rule) => boolean,
  observed: boolean,
): Tier<Rule> {
  const members = rules.filter(belongs);
  return { rules: members, decisions: members.map((rule) => ruleDecision(rule, observed)) };
}

/** What waits for the clock opens nothing; it only says why. */
function waitingTier(
  rules: readonly ResolvedOutboundRule[],
  denial: Denial,
  watching: boolean,
): Tier<ResolvedOutboundRule> {
  const members = rules.filter((rule) => rule.action === "allow" && (watching || rule.mode === "enforce"));
  return {
    rules: members,
    decisions: members.map(({ id }) => ({
      verdict: verdictOf(denial),
      observed: watching,
      rule: id,
      reason: "clock",
      why: WAITS_FOR_CLOCK,
    })),
  };
}

/** The sentence of every refusal of what is allowed only until a time, while nobody knows the time. */
export const WAITS_FOR_CLOCK =
  "it is allowed only until a time and waits for the clock of this machine to be set (timedatectl; or at once: seawall apply)";

function first<Rule extends ResolvedRule, OneFlow>(
  { rules, decisions }: Tier<Rule>,
  flow: OneFlow,
  nowMs: number,
  matches: (rule: Rule, flow: OneFlow) => boolean,
): Decision | undefined {
  for (let at = 0; at < rules.length; at += 1) {
    const rule = rules[at];
    if (rule !== undefined && matches(rule, flow) && !isExpiredAllow(rule, nowMs)) return decisions[at];
  }
  return undefined;
}

/** An expired allow is gone; an expired deny stays in force (and `check` warns about it). */
function isExpiredAllow(rule: ResolvedRule, nowMs: number): boolean {
  return rule.action === "allow" && rule.expiresMs !== null && nowMs >= rule.expiresMs;
}

function isInForce(guard: ResolvedGuard, nowMs: number): boolean {
  return guard.liftedUntilMs === null || nowMs >= guard.liftedUntilMs;
}

function ruleDecision(rule: ResolvedRule, observed: boolean): Decision {
  const allow = rule.action === "allow";
  return {
    verdict: allow ? "accept" : verdictOf(rule.denial),
    observed,
    rule: rule.id,
    reason: allow ? "allowed" : "denied",
    why: rule.why,
  };
}

function guardDecision(guard: ResolvedGuard, denial: Denial): Decision {
  return { verdict: verdictOf(denial), observed: false, rule: guard.id, reason: "guard", why: guard.why };
}

function defaultDecision(direction: Direction, denial: Denial, observed: boolean): Decision {
  const why =
    direction === "inbound"
      ? "no rule allows this source to reach this port"
      : "no rule allows this scope to reach this destination";
  return { verdict: verdictOf(denial), observed, rule: null, reason: "default", why };
}
