/** Whether the processes of a scope can send as somebody whom the scope does not judge. */
import { unreachable } from "../base/assert.ts";
import { accountReasons } from "./account-reason.ts";
import { containerReasons } from "./container-reason.ts";
import type { Containment, ContainmentFacts, Effect, HostFacts, Reason } from "./facts.ts";
import { judge } from "./reason.ts";
import { placeReasons } from "./place-reason.ts";
import { processReasons } from "./process-reason.ts";
import { programReasons } from "./program-reason.ts";

/**
 * Returns the grade of a scope and every reason against `contained`, the worst first. `not-contained`: one reason
 * is a way out. `partly`: something is not known, or holds only as long as nobody changes it. `unknown`: nothing
 * could be examined at all.
 */
export function gradeContainment(facts: ContainmentFacts): Containment {
  const reasons = [...reasonsOf(facts)].sort((left, right) => rank(left.effect) - rank(right.effect));
  const isExamined = facts.boundary === "container" ? facts.containers.known : facts.accounts.known;
  return { grade: gradeOf(reasons, isExamined), reasons };
}

function reasonsOf(facts: ContainmentFacts): readonly Reason[] {
  if (facts.boundary === "container") return containerReasons(facts.containers);
  const held = facts.boundary === "place" && holdsNewPrivileges(facts);
  const start = "start the agent, then run the command again";
  return [
    ...judge(
      facts.accounts,
      "accounts",
      "as whom its processes run",
      (list) => list.flatMap((one) => [...accountReasons(one, held), ...placeReasons(one, facts.boundary)]),
      start,
    ),
    ...processReasons(facts),
    ...programReasons(facts, held),
  ];
}

function gradeOf(reasons: readonly Reason[], isExamined: boolean): Containment["grade"] {
  if (reasons.some(({ effect }) => effect === "escapes")) return "not-contained";
  if (!isExamined) return "unknown";
  return reasons.length > 0 ? "partly" : "contained";
}

/** PR_SET_NO_NEW_PRIVS (prctl(2)) is inherited and is never taken back: no setuid program gives such a process anything. */
function holdsNewPrivileges({ processes }: HostFacts): boolean {
  if (!processes.known) return false;
  const inside = processes.value.filter(({ inScope }) => inScope);
  return inside.length > 0 && inside.every(({ noNewPrivileges }) => noNewPrivileges);
}

function rank(effect: Effect): number {
  switch (effect) {
    case "escapes":
      return 0;
    case "partial":
      return 1;
    case "unknown":
      return 2;
    default:
      return unreachable(effect);
  }
}
