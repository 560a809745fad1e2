/** Keeps a store within its limits: old events go, the oldest beyond the size go, and words that nobody uses. */
import type { Store } from "./database.ts";
import { storeProblem } from "./problem.ts";
import { type Retention, type RetentionStep, retainStep } from "./retention.ts";
import { createWordSweep } from "./word-sweep.ts";

export interface Tidying {
  /** One bounded step; call it again soon while it says `more`. Never throws. */
  readonly step: (nowMs: number, retention: Retention) => RetentionStep;
}

/** LIMIT: events removed before words are looked through again: what they free may be enough. */
const EVENTS_BETWEEN_SWEEPS = 20_000;

/** Returns a tidying of an open store. `onWordsRemoved`: numbers of words that a writer remembers count no more. */
export function createTidying(store: Store, onWordsRemoved: () => void): Tidying {
  const sweep = createWordSweep(store, onWordsRemoved);
  // INVARIANT: words go before events do, so that a store full of words nobody uses loses no event for them.
  let removedSinceSweep = EVENTS_BETWEEN_SWEEPS;
  const sweeps = (): boolean => {
    if (sweep.isRunning()) return true;
    removedSinceSweep = 0;
    return sweep.begin();
  };
  return {
    step: (nowMs, retention) => {
      try {
        if ((sweep.isRunning() || removedSinceSweep >= EVENTS_BETWEEN_SWEEPS) && sweeps())
          return { kind: "more", removed: sweep.step() };
      } catch (error) {
        return { kind: "failed", problem: storeProblem(error) };
      }
      const step = retainStep(store, nowMs, retention);
      if (step.kind === "failed") return step;
      removedSinceSweep += step.removed;
      if (step.kind === "more" || removedSinceSweep === 0) return step;
      removedSinceSweep = EVENTS_BETWEEN_SWEEPS;
      return { ...step, kind: "more" };
    },
  };
}
