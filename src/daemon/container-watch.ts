/** Looks again at the containers of scopes when one comes: `status` must not go on saying what was true before. */
import { examineContainers } from "../apply/containment.ts";
import { amendContainment, type ScopeContainment } from "../apply/containment-record.ts";
import type { ResolvedPolicy } from "../core/policy/resolved.ts";
import { type ContainerWatch, watchContainers } from "../edge/docker/watch.ts";
import type { Say } from "./say.ts";
import { createGuard } from "./guarded.ts";

export interface ScopeWatch {
  /** From now on these policies are in force. */
  readonly follow: (policies: readonly ResolvedPolicy[]) => void;
  readonly stop: () => void;
}

export interface ScopeWatchOptions {
  readonly state: string;
  readonly nowMs: () => number;
  readonly say: Say;
}

/** Returns a watch that listens to dockerd as long as a policy has a scope of containers. */
export function createScopeWatch({ state, nowMs, say }: ScopeWatchOptions): ScopeWatch {
  let policies: readonly ResolvedPolicy[] = [];
  let watch: ContainerWatch | null = null;
  let said = "";
  const guard = createGuard(say);
  const look = guard.callback("containers were not looked at", () => {
    const seen = policies.flatMap((policy) => examineContainers(policy));
    const trouble = amendContainment(state, seen, nowMs());
    const text = [...open(seen), ...(trouble === null ? [] : [trouble])].join("; ");
    if (text !== said && text !== "") say(text);
    said = text;
  });
  const end = (): void => {
    watch?.stop();
    watch = null;
  };
  return {
    follow: (next) => {
      policies = next.filter(({ scopes }) => scopes.some(({ target }) => target.kind === "docker"));
      if (policies.length === 0) end();
      // It calls back once when it begins.
      else if (watch === null) watch = watchContainers(look);
      else look();
    },
    stop: end,
  };
}

function open(seen: readonly ScopeContainment[]): string[] {
  return seen.flatMap(({ scope, grade, reasons }) => {
    const [reason] = reasons;
    if (grade === "contained" || reason === undefined) return [];
    return [`scope ${scope} does not hold: ${reason.sentence} (${reason.evidence}); ${reason.cure}`];
  });
}
