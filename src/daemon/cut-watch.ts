/** Ends what the policy in force forbids whenever that may have changed and no command has done it. */
import { cutForbidden } from "../apply/cut.ts";
import { entryOf } from "../apply/sealed-entry.ts";
import { expirySeconds } from "../core/compile/nftables/verdict.ts";
import type { ResolvedPolicy } from "../core/policy/resolved.ts";
import { type LiveState, readLive } from "../edge/kernel/live.ts";
import { readResolvedPolicy } from "../edge/state/resolved-policy.ts";
import type { Say } from "./say.ts";

export interface CutWatch {
  /** Looks at what is in force now. Cheap as long as nothing changes. */
  readonly follow: (live: LiveState | null) => void;
  /** Rules were put back: what began while they were gone is looked for at the next `follow`. */
  readonly lookAgain: () => void;
}

/** LIMIT: how far ahead an end is waited for by itself; before that the daemon's own steps are often enough. */
const AHEAD_MS = 2_000;

/** Returns a watch that begins with the first look: a command may have been killed before it ended anything. */
export function createCutWatch(state: string, nowMs: () => number, say: Say): CutWatch {
  let done: string | null = null;
  let againMs = Number.POSITIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  const watch: CutWatch = {
    follow: (live) => {
      if (live === null || live.committed === null || live.candidate !== null) return;
      const key = `${live.committed} ${live.seals.get(live.committed) ?? ""}`;
      const leftMs = againMs - nowMs();
      if (key === done && leftMs > 0) {
        clearTimeout(timer);
        if (leftMs < AHEAD_MS) timer = setTimeout(soon, leftMs + 1).unref();
        return;
      }
      done = key;
      const entry = entryOf(state, live, live.committed);
      // Rules that stand in for ours: no policy says what they mean.
      if (entry === undefined) return;
      const policy = readResolvedPolicy(state, entry.id);
      againMs = policy === null ? Number.POSITIVE_INFINITY : nextEndMs(policy, nowMs());
      const { trouble } = cutForbidden(state, entry, nowMs());
      if (trouble !== null) say(trouble);
    },
    lookAgain: () => {
      done = null;
    },
  };
  const soon = (): void => {
    try {
      watch.follow(readLive());
    } catch (cause) {
      say(cause instanceof Error ? cause.message : String(cause));
    }
  };
  return watch;
}

/** When the next rule or accepted risk of a policy ends in the kernel: what it admitted ends with it. */
function nextEndMs({ inbound, outbound, guards }: ResolvedPolicy, nowMs: number): number {
  const ends = [
    ...[...inbound, ...(outbound ?? [])].map(({ expiresMs }) => expiresMs),
    ...guards.map(({ liftedUntilMs }) => liftedUntilMs),
  ];
  const ahead = ends
    .flatMap((one) => (one === null ? [] : expirySeconds(one) * 1_000))
    .filter((one) => one > nowMs);
  return Math.min(...ahead, Number.POSITIVE_INFINITY);
}
