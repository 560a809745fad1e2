/** Looks again at the containers of scopes when one comes: `status` must not go on saying what was true before. */
import { examineContainers } from "../apply/containment.ts";
import { amendContainment, type ScopeContainment } from "../apply/containment-record.ts";
import type { ResolvedPolicy } from "../core/policy/resolved.ts";
import type { Say } from "./say.ts";

export interface ScopeWatch {
  /** From now on these policies are in force. Returns whether any has a scope of containers. */
  readonly follow: (policies: readonly ResolvedPolicy[]) => boolean;
  readonly look: () => Promise<void>;
}

export interface ScopeWatchOptions {
  readonly state: string;
  readonly nowMs: () => number;
  readonly say: Say;
}

/** Returns a watch that follows no policy yet. */
export function createScopeWatch({ state, nowMs, say }: ScopeWatchOptions): ScopeWatch {
  let policies: readonly ResolvedPolicy[] = [];
  let said = "";
  return {
    follow: (next) => {
      policies = next.filter(({ scopes }) => scopes.some(({ target }) => target.kind === "docker"));
      return policies.length > 0;
    },
    look: async () => {
      const asked = policies;
      const seen: ScopeContainment[] = [];
      for (const policy of asked) seen.push(...(await examineContainers(policy)));
      // Who followed others meanwhile looks again.
      if (asked !== policies || asked.length === 0) return;
      const trouble = amendContainment(state, seen, nowMs());
      const text = [...open(seen), ...(trouble === null ? [] : [trouble])].join("; ");
      if (text !== said && text !== "") say(text);
      said = text;
    },
  };
}

function open(seen: readonly ScopeContainment[]): string[] {
  return seen.flatMap(({ scope, grade, reasons }) => {
    const [reason] = reasons;
    if (grade === "contained" || reason === undefined) return [];
    return [`scope ${scope} does not hold: ${reason.sentence} (${reason.evidence}); ${reason.cure}`];
  });
}
