/** Whom a panic cuts off beside the scopes of its policy: whoever the kernel judges now. */
import type { UidRange } from "../core/compile/nftables/scope.ts";
import { uidRanges } from "../core/compile/nftables/scope.ts";
import { GATE_PLACE } from "../core/policy/parse/vocabulary.ts";
import { SCOPES_MAX } from "../core/policy/resolve.ts";
import type { ResolvedScope } from "../core/policy/resolved.ts";
import type { SystemAccounts } from "../edge/host/accounts.ts";
import { type LiveState, readJudgedUids } from "../edge/kernel/live.ts";

/**
 * Returns scopes by number for uids that the kernel judges and none of these scopes holds: the state folder does not
 * say what is in force, or a user was made anew while the agent goes on under its old uid. SECURITY: without them a
 * panic would let those go whom it is to stop.
 */
export function judgedBesides(
  live: LiveState | null,
  scopes: readonly ResolvedScope[],
  accounts: SystemAccounts,
): ResolvedScope[] {
  const generation = live === null ? null : live.leaseMs === null ? live.committed : live.candidate;
  const judged = generation === null ? null : readJudgedUids(generation);
  if (judged === null) return [];
  const known = scopes.flatMap(({ target }) =>
    target.kind === "user" ? (uidRanges(target.user, accounts) ?? []) : [],
  );
  const gates = `g${generation}/scope/${GATE_PLACE}`;
  const uids = [...judged].flatMap(([chain, ranges]) => (chain === gates ? [] : singleUids(ranges)));
  const left = uids.filter((uid) => !known.some(({ first, last }) => first <= uid && uid <= last));
  const taken = new Set(scopes.map(({ index }) => index));
  const free = Array.from({ length: SCOPES_MAX }, (_, at) => at + 1).filter((index) => !taken.has(index));
  return left.flatMap((uid, at): ResolvedScope[] => {
    const index = free[at];
    if (index === undefined) return [];
    return [{ name: `uid-${uid}`, target: { kind: "user", user: uid }, index }];
  });
}

/** Subordinate uids are found again by the number that has them, or belong to somebody else by now. */
function singleUids(ranges: readonly UidRange[]): number[] {
  return ranges.flatMap(({ first, last }) => (first === last ? [first] : []));
}
