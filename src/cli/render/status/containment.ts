/** Whether the agent's processes can become somebody whom the rules do not judge. */
import type { Status } from "../../../apply/status.ts";
import { plain } from "../../../core/base/plain.ts";

const WORDS: Record<Status["containment"], string> = {
  contained: "CONTAINED      the agent's processes cannot become a user that no rule judges",
  partly: "PARTLY         contained: something is not known, or holds only for now",
  "not-contained": "NOT CONTAINED  the agent's processes can become a user that no rule judges",
  unknown: "UNKNOWN        whether the agent's processes are contained",
};

const NOT_LOOKED = "UNKNOWN        whether the agent is contained was not looked at for this policy";

/** LIMIT: reasons on the screen; `--json` has all of them. */
const REASONS_MAX = 5;

/** Where everything is enforced, whether the agent can leave is the first question; else it is the second. */
export function isContainmentFirst({ state, inbound, outbound, pausedUntil }: Status): boolean {
  return state !== "panic" && inbound === "enforced" && outbound === "enforced" && pausedUntil === null;
}

/**
 * With nothing in force there is nothing to leave, and nobody leaves what is not judged.
 * SECURITY: evidence names files and processes of the agent's.
 */
export function containmentLines({
  containment,
  containmentSeen,
  generation,
  outbound,
  state,
}: Status): string[] {
  if (generation === null || outbound === "not-judged" || state === "drifted") return [];
  if (containmentSeen === null) return [NOT_LOOKED, "               sudo seawall apply looks"];
  const reasons = containmentSeen.scopes.flatMap(({ scope, reasons: all }) =>
    all.map((reason) => `  ${scope}: ${reason.sentence} (${reason.evidence}); cure: ${reason.cure}`),
  );
  const more = reasons.length - REASONS_MAX;
  return [
    WORDS[containment],
    ...reasons.slice(0, REASONS_MAX).map(plain),
    ...(more > 0 ? [`  and ${more} more: seawall status --json`] : []),
    ...(containmentSeen.stale ? ["  seen more than a day ago; sudo seawall apply looks again"] : []),
  ];
}
