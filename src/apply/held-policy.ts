/** The policy of the history that a generation in the kernel stands for, as the kernel holds it. */
import type { ResolvedPolicy } from "../core/policy/resolved.ts";
import { withoutTemporary } from "../core/policy/temporary.ts";
import { readResolvedPolicy } from "../edge/state/resolved-policy.ts";

/**
 * Returns the policy of an entry; null when it is not kept. `held`, of the generation's seal: the kernel was given it
 * without what ends by the clock. INVARIANT: who derives names of sets from a policy derives them from this one.
 */
export function policyAsHeld(state: string, id: number, held: boolean): ResolvedPolicy | null {
  const policy = readResolvedPolicy(state, id);
  return policy === null ? null : asHeld(policy, held);
}

/** Returns what the kernel was given of a policy. */
export function asHeld(policy: ResolvedPolicy, held: boolean): ResolvedPolicy {
  return held ? withoutTemporary(policy) : policy;
}
