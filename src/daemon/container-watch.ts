/** Looks again at the containers of scopes when one comes: `status` must not go on saying what was true before. */
import { examineContainers } from "../apply/containment.ts";
import { amendContainment, type ScopeContainment } from "../apply/containment-record.ts";
import type { ResolvedPolicy } from "../core/policy/resolved.ts";
import { readHistoryEntry } from "../edge/state/history-entry.ts";
import type { Say } from "./say.ts";

/** A policy in force, with its number in the history. */
export interface WatchedPolicy {
  readonly id: number;
  readonly policy: ResolvedPolicy;
}

export interface ScopeWatch {
  /** From now on these policies are in force. Returns whether any has a scope of containers. */
  readonly follow: (policies: readonly WatchedPolicy[]) => boolean;
  readonly look: () => Promise<void>;
}

export interface ScopeWatchOptions {
  readonly state: string;
  readonly say: Say;
}

/** Returns a watch that follows no policy yet. */
export function createScopeWatch({ state, say }: ScopeWatchOptions): ScopeWatch {
  let policies: readonly WatchedPolicy[] = [];
  let said = "";
  return {
    follow: (next) => {
      policies = next.filter(({ policy }) => policy.scopes.some(({ target }) => target.kind === "docker"));
      return policies.length > 0;
    },
    look: async () => {
      const asked = policies;
      const seen: ScopeContainment[] = [];
      const looks: { readonly id: number; readonly scopes: readonly ScopeContainment[] }[] = [];
      for (const { id, policy } of asked) {
        const scopes = await examineContainers(policy);
        looks.push({ id, scopes });
        seen.push(...scopes);
      }
      // Who followed others meanwhile looks again.
      if (asked !== policies || asked.length === 0) return;
      const troubles = looks.flatMap(({ id, scopes }) => {
        const entry = readHistoryEntry(state, id);
        return entry === undefined ? [] : (amendContainment(state, entry, scopes) ?? []);
      });
      const text = [...new Set([...open(seen), ...troubles])].join("; ");
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
