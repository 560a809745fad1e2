/** Whether the processes of a scope can send as somebody whom the scope does not judge. */
import { unreachable } from "../base/assert.ts";
import { accountReasons } from "./account-reason.ts";
import type { Containment, ContainmentFacts, Effect, Reason } from "./facts.ts";
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
  const { accounts, boundary } = facts;
  const held = boundary === "place" && holdsNewPrivileges(facts);
  const reasons = [
    ...judge(accounts, "accounts", "as whom its processes run", (list) =>
      list.flatMap((account) => [...accountReasons(account, held), ...placeReasons(account, boundary)]),
    ),
    ...processReasons(facts),
    ...programReasons(facts, held),
  ].sort((left, right) => rank(left.effect) - rank(right.effect));
  return { grade: gradeOf(facts, reasons), reasons };
}

function gradeOf(facts: ContainmentFacts, reasons: readonly Reason[]): Containment["grade"] {
  if (reasons.some(({ effect }) => effect === "escapes")) return "not-contained";
  if (!facts.accounts.known) return "unknown";
  return reasons.length > 0 ? "partly" : "contained";
}

/** no_new_privs(2const) is inherited and cannot be taken back: no setuid program gives such a process anything. */
function holdsNewPrivileges({ processes }: ContainmentFacts): boolean {
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
