/** Which scope of the policy holds which instance. */
import type { ScopeTarget } from "../policy/document.ts";
import { AGENT_SCOPE, DOCKER_NAME_PATTERN, PLACE_PATTERN } from "../policy/parse/vocabulary.ts";
import { SCOPES_MAX } from "../policy/resolve.ts";
import type { Instance } from "./facts.ts";

/** Instances whose packets cannot be told apart, and the scope that holds them. */
export interface ScopePlan {
  readonly name: string;
  /** Null when nothing on this machine can hold them: `problem` says why. */
  readonly target: ScopeTarget | null;
  readonly problem: string | null;
  readonly instances: readonly Instance[];
}

/**
 * Returns one plan for each group of instances, in the order they were found, those with a readable
 * configuration before the others; the first is `agent`.
 */
export function planScopes(instances: readonly Instance[]): ScopePlan[] {
  const groups = new Map<string, Instance[]>();
  const byUse = instances.toSorted(
    (left, right) => Number(left.needs === null) - Number(right.needs === null),
  );
  for (const instance of byUse) {
    const key = JSON.stringify(targetOf(instance));
    groups.set(key, [...(groups.get(key) ?? []), instance]);
  }
  const plans: ScopePlan[] = [];
  for (const members of groups.values()) {
    const [first] = members;
    if (first === undefined) continue;
    const { target, problem } = targetOf(first);
    if (target === null || plans.filter((plan) => plan.target !== null).length >= SCOPES_MAX) {
      const why = problem ?? `a policy has at most ${SCOPES_MAX} scopes`;
      plans.push({ name: "", target: null, problem: why, instances: members });
    } else {
      plans.push({ name: nameOf(first, plans), target, problem: null, instances: members });
    }
  }
  return plans;
}

function targetOf(instance: Instance): { target: ScopeTarget | null; problem: string | null } {
  const { container, uid, user, unit } = instance;
  if (container !== null && !container.isHostNetwork) {
    const { network } = container;
    if (network !== null && DOCKER_NAME_PATTERN.test(network)) {
      return { target: { kind: "docker", network }, problem: null };
    }
    return { target: null, problem: "it runs in a container whose network could not be found out" };
  }
  if (uid !== 0) return { target: { kind: "user", user: userOf(user) ?? uid }, problem: null };
  // A unit of the system manager has a control group of its own, whoever it runs as.
  if (unit?.kind === "system") return { target: { kind: "unit", unit: unit.name }, problem: null };
  return { target: null, problem: "it runs as root, and root sends for the whole machine" };
}

/** useradd(8): names that a policy can carry; any other user is named by number. */
function userOf(user: string | null): string | null {
  return user !== null && /^[a-z_][a-z0-9_-]{0,31}$/.test(user) ? user : null;
}

/** The first scope is `agent`, which rules mean when they name none; further ones are called after their user. */
function nameOf(instance: Instance, before: readonly ScopePlan[]): string {
  const taken = new Set(before.map(({ name }) => name));
  if (!taken.has(AGENT_SCOPE)) return AGENT_SCOPE;
  const { container, user } = instance;
  const wanted = container?.network ?? user ?? "";
  if (PLACE_PATTERN.test(wanted) && !taken.has(wanted)) return wanted;
  let number = 2;
  while (taken.has(`${AGENT_SCOPE}-${number}`)) number += 1;
  return `${AGENT_SCOPE}-${number}`;
}
