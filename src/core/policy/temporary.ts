/** What of a policy ends by the clock. */
import type { ResolvedInboundRule, ResolvedOutboundRule, ResolvedPolicy } from "./resolved.ts";

/** Whether anything is allowed only until a time. */
export function hasTemporary(policy: ResolvedPolicy): boolean {
  return policy !== withoutTemporary(policy);
}

/**
 * Returns the policy without what it allows only until a time: for a machine whose clock nobody knows to be right,
 * where what has ended long ago would come to life again. The outbound rules that wait are named beside those in
 * force, so that who is refused is told why. The policy itself when there is nothing of the kind.
 */
export function withoutTemporary(policy: ResolvedPolicy): ResolvedPolicy {
  const lifted = policy.guards.some(({ liftedUntilMs }) => liftedUntilMs !== null);
  if (!lifted && [...policy.inbound, ...(policy.outbound ?? [])].every(stays)) return policy;
  return {
    ...policy,
    guards: policy.guards.map((guard) => ({ ...guard, liftedUntilMs: null })),
    inbound: policy.inbound.filter(stays),
    outbound: policy.outbound?.filter(stays) ?? null,
    waiting: (policy.outbound ?? []).filter((rule) => !stays(rule)),
  };
}

function stays({ action, expiresMs }: ResolvedInboundRule | ResolvedOutboundRule): boolean {
  return action === "deny" || expiresMs === null;
}
