/** What the scope numbers of earlier generations meant, told by the history. */
import { isDeepStrictEqual } from "node:util";
import type { ResolvedPolicy, ResolvedScope } from "../core/policy/resolved.ts";
import { readHistory } from "../edge/state/history.ts";
import { readResolvedPolicy } from "../edge/state/resolved-policy.ts";

/**
 * Returns a function that gives the scope of the policy in force for a stamp. The same place counts before the same
 * name; a generation that nobody remembers is read as the kernel does, by the number alone.
 */
export function stampedScopes(
  state: string,
  policy: ResolvedPolicy,
  inForce: { readonly id: number; readonly generation: number },
): (generation: number, index: number) => string | null {
  const known = new Map<number, readonly ResolvedScope[]>();
  const scopesOf = (generation: number): readonly ResolvedScope[] => {
    const before = known.get(generation);
    if (before !== undefined) return before;
    const entry = readHistory(state).findLast(
      (one) =>
        one.generation === generation && (one.id === inForce.id) === (generation === inForce.generation),
    );
    const found = entry === undefined ? null : readResolvedPolicy(state, entry.id);
    const scopes = found === null ? policy.scopes : found.scopes;
    known.set(generation, scopes);
    return scopes;
  };
  return (generation, index) => {
    const stamped = scopesOf(generation).find((scope) => scope.index === index);
    if (stamped === undefined) return null;
    const now =
      policy.scopes.find(({ target }) => isDeepStrictEqual(target, stamped.target)) ??
      policy.scopes.find(({ name }) => name === stamped.name);
    return now?.name ?? null;
  };
}
