/** Whether the agent's processes can become somebody whom the rules do not judge. */
import type { Status } from "../../../apply/status.ts";
import { plain } from "../../../core/base/plain.ts";

const WORDS: Record<Status["containment"], string> = {
  contained: "CONTAINED      the agent's processes cannot become somebody whom the rules do not judge",
  partly: "PARTLY         contained: something is not known, or holds only while nobody changes it",
  "not-contained": "NOT CONTAINED  the agent's processes can become somebody whom the rules do not judge",
  unknown: "UNKNOWN        nobody has looked yet whether the agent's processes are contained",
};

const NOT_JUDGED = "NOT JUDGED     the policy has no outbound rules: what the agent sends is not looked at";

/** LIMIT: reasons on the screen; `--json` has all of them. */
const REASONS_MAX = 5;

/**
 * With nothing in force there is nothing to leave.
 * SECURITY: evidence names files and processes of the agent's.
 */
export function containmentLines({ containment, containmentSeen, generation }: Status): string[] {
  if (generation === null) return [];
  const reasons = (containmentSeen?.scopes ?? []).flatMap(({ scope, reasons: all }) =>
    all.map((reason) => `  ${scope}: ${reason.sentence} (${reason.evidence}); cure: ${reason.cure}`),
  );
  const more = reasons.length - REASONS_MAX;
  return [
    containmentSeen?.scopes.length === 0 ? NOT_JUDGED : WORDS[containment],
    ...reasons.slice(0, REASONS_MAX).map(plain),
    ...(more > 0 ? [`  and ${more} more: seawall status --json`] : []),
    ...(containmentSeen?.stale === true
      ? [`  seen ${containmentSeen.at}, more than a day ago; seawall apply FILE looks again`]
      : []),
  ];
}
