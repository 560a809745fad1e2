/** The gates of one machine: a set of doors for each scope, one policy in force, one pool of resolvers. */
import { createBindings, PIN_SECONDS_MORE } from "../../core/gate/binding.ts";
import { type ScopeJudge, scopeJudge, type Surroundings } from "../../core/gate/judge.ts";
import type { RefusalKey } from "../../core/gate/refusal.ts";
import type { GateReport } from "../../core/gate/report.ts";
import type { ResolvedPolicy } from "../../core/policy/resolved.ts";
import { createConnections } from "./connections.ts";
import { createResolver } from "./resolver.ts";
import { withNat64 } from "./nat64-discovery.ts";
import type { Pinner } from "./pinner.ts";
import { type GateScope, passes } from "./scope.ts";
import type { Upstream } from "./upstream.ts";

/** What is in force: a candidate until its time is over, then what was before it. */
export interface GatePolicies {
  readonly committed: ResolvedPolicy | null;
  readonly candidate: { readonly policy: ResolvedPolicy; readonly untilMs: number } | null;
}

export interface GateOptions {
  readonly policies: GatePolicies;
  readonly around: Surroundings;
  readonly upstream: Upstream;
  readonly pinner: Pinner;
  readonly tell: (report: GateReport) => void;
  /** What the ids of a scope's refusals are made with, at this moment. */
  readonly refusalKeyOf: (scope: string) => RefusalKey;
  /** Unix time, for what expires. */
  readonly nowMs: () => number;
  /** A clock that never jumps, for `untilMs`. */
  readonly steadyMs: () => number;
}

export interface Gate {
  /** Returns the scope of this name; always the same one. */
  readonly scope: (name: string) => GateScope;
  readonly setPolicies: (policies: GatePolicies, around: Surroundings) => Promise<void>;
  /** Cuts what is not allowed any more: the policy changed, or a rule expired. */
  readonly cutForbidden: () => void;
  /** The same, and pins again what is still in use. */
  readonly review: () => Promise<void>;
  /** How many clients have a place now. */
  readonly openConnections: () => number;
  /** Scopes that have no place for one more connection. */
  readonly fullScopes: () => string[];
  readonly close: () => void;
}

/** How long an address in use is pinned beyond the next review, in seconds. */
const IN_USE_SECONDS = 120;
/** LIMIT: pins on the way at once when many are made anew: their answers would otherwise be waited for one by one. */
const PINS_AT_ONCE = 256;

/** Returns gates without doors. */
export function createGate(options: GateOptions): Gate {
  const { upstream, pinner, tell, refusalKeyOf, nowMs, steadyMs } = options;
  let { policies, around } = options;
  let judges = new Map<string, ScopeJudge>();
  const scopes = new Map<string, GateScope>();
  let timer: NodeJS.Timeout | undefined;

  const judgeOf = (name: string): ScopeJudge => {
    const policy = policyInForce(policies, steadyMs());
    const key = `${policy === policies.candidate?.policy ? "candidate" : "committed"} ${name}`;
    const known = judges.get(key);
    if (known !== undefined) return known;
    const made = scopeJudge(policy, name, around);
    judges.set(key, made);
    return made;
  };
  const asked = withNat64(upstream, nowMs, (nat64) => {
    around = { ...around, nat64 };
    judges = new Map();
  });
  const makeScope = (name: string): GateScope => {
    const [bindings, connections] = [createBindings(), createConnections()];
    const judge = (): ScopeJudge => judgeOf(name);
    const resolver = createResolver({ scope: name, judge, bindings, upstream: asked, pinner, nowMs });
    return { name, judge, bindings, resolver, connections, refusalKeyOf, tell, nowMs };
  };
  const cutForbidden = (): void => scopes.forEach(cutForbiddenOf);
  const review = async (): Promise<void> => {
    cutForbidden();
    for (const scope of scopes.values()) await keepInUse(scope);
  };
  return {
    scope: (name) => {
      const found = scopes.get(name) ?? makeScope(name);
      scopes.set(name, found);
      return found;
    },
    setPolicies: async (next, surroundings) => {
      policies = next;
      around = { ...surroundings, nat64: around.nat64 };
      judges = new Map();
      clearTimeout(timer);
      if (next.candidate !== null) {
        // The lease runs out by itself, in the kernel and here.
        timer = setTimeout(() => void review(), Math.max(0, next.candidate.untilMs - steadyMs()) + 1).unref();
      }
      for (const scope of scopes.values()) scope.resolver.forgetPins();
      await pinBindings(scopes.values());
      await review();
    },
    cutForbidden,
    review,
    openConnections: () => countOpen(scopes.values()),
    fullScopes: () => fullScopes(scopes.values()),
    close: () => {
      clearTimeout(timer);
      upstream.close();
      for (const scope of scopes.values()) for (const one of scope.connections.open()) one.cut();
    },
  };
}

function fullScopes(scopes: Iterable<GateScope>): string[] {
  return [...scopes].flatMap(({ name, connections }) => (connections.isFull() ? [name] : []));
}

function countOpen(scopes: Iterable<GateScope>): number {
  return [...scopes].reduce((sum, { connections }) => sum + connections.count(), 0);
}

function policyInForce({ candidate, committed }: GatePolicies, steadyMs: number): ResolvedPolicy {
  if (candidate !== null && steadyMs < candidate.untilMs) return candidate.policy;
  return committed ?? NOTHING_ALLOWED;
}

function cutForbiddenOf(scope: GateScope): void {
  const judge = scope.judge();
  for (const { host, address, port, cut } of scope.connections.open()) {
    if (!passes(judge.judgeConnection(host, address, port, scope.nowMs()))) cut();
  }
}

async function keepInUse(scope: GateScope): Promise<void> {
  for (const { host, address } of scope.connections.open()) {
    if (host !== null) await scope.resolver.keep(host, address, IN_USE_SECONDS);
  }
}

/**
 * Clients keep answers: what they were given must stay reachable under the next policy, if it allows it.
 * INVARIANT: this makes no pin live longer than it would have, so a hundred changes in a row do not either.
 */
async function pinBindings(scopes: Iterable<GateScope>): Promise<void> {
  const waiting: Promise<boolean>[] = [];
  for (const scope of scopes) {
    const now = scope.nowMs();
    const judge = scope.judge();
    for (const { host, address, untilMs } of scope.bindings.all(now)) {
      if (judge.refuseAnswer(host, address) !== null || judge.judgeName(host, now).kind !== "listed")
        continue;
      const leftSeconds = Math.ceil((untilMs - now) / 1_000);
      waiting.push(scope.resolver.keep(host, address, Math.max(0, leftSeconds - PIN_SECONDS_MORE)));
      if (waiting.length >= PINS_AT_ONCE) await Promise.all(waiting.splice(0));
    }
  }
  await Promise.all(waiting);
}

const NOTHING_ALLOWED: ResolvedPolicy = {
  mode: { inbound: "enforce", outbound: "enforce" },
  denial: { inbound: "refuse", outbound: "refuse" },
  containers: "deny",
  guards: [],
  inbound: [],
  outbound: [],
  scopes: [],
  zones: [],
};
