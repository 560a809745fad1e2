/** What the doors of one scope share: who judges now, who resolves, who is told. */
import type { Hostname } from "../../core/net/hostname.ts";
import type { Bindings } from "../../core/gate/binding.ts";
import type { ScopeJudge } from "../../core/gate/judge.ts";
import { isRefusal, type Refusal, type RefusalKey, refusalId, refusalOf } from "../../core/gate/refusal.ts";
import type { GateDoor, GateReport } from "../../core/gate/report.ts";
import type { FlowProtocol } from "../../core/net/flow.ts";
import type { Decision, GateReason } from "../../core/policy/decision.ts";
import type { Connections } from "./connections.ts";
import type { Resolver } from "./resolver.ts";

export interface GateScope {
  readonly name: string;
  /** The judge in force at this moment. */
  readonly judge: () => ScopeJudge;
  readonly bindings: Bindings;
  readonly resolver: Resolver;
  readonly connections: Connections;
  /** What the ids of a scope's refusals are made with, at this moment. */
  readonly refusalKeyOf: (scope: string) => RefusalKey;
  readonly tell: (report: GateReport) => void;
  readonly nowMs: () => number;
}

export interface Asked {
  readonly door: GateDoor;
  readonly host: Hostname | null;
  readonly address: string | null;
  readonly port: number;
  readonly protocol: FlowProtocol;
}

/** Tells a refusal and returns it with its id. */
export function refuse(scope: GateScope, asked: Asked, decision: Decision): Refusal {
  const refusal = refusalOf({ scope: scope.name, ...asked }, decision, scope.refusalKeyOf(scope.name));
  scope.tell({ scope: scope.name, ...asked, decision, id: refusal.id });
  return refusal;
}

/** Tells what was let through, or would not have been. */
export function admit(scope: GateScope, asked: Asked, decision: Decision): void {
  const target = { scope: scope.name, ...asked };
  const id = isRefusal(decision) ? refusalId(target, decision, scope.refusalKeyOf(scope.name)) : null;
  scope.tell({ scope: scope.name, ...asked, decision, id });
}

/** Returns a refusal that the gate itself decides. */
export function gateDecision(reason: GateReason, why: string): Decision {
  return { verdict: "refuse", observed: false, rule: null, reason, why };
}

/** Whether a connection passes: allowed, or only watched. */
export function passes(decision: Decision): boolean {
  return decision.verdict === "accept" || decision.observed;
}
