/** Before a change is settled: what both policies allow by name alike is stamped by the one that stays. */
import { generationOfMark, MARK_MASK } from "../core/compile/nftables/mark.ts";
import { createCarrier, type Stamped } from "../core/cut/carried.ts";
import { openConntrack } from "../edge/kernel/conntrack.ts";
import type { LiveState } from "../edge/kernel/live.ts";
import { readResolvedPolicy } from "../edge/state/resolved-policy.ts";
import { attempted } from "./attempt.ts";
import { entryOf } from "./sealed-entry.ts";

/**
 * Stamps them. Returns what went wrong, or null: they then end with the change, which is no reason not to make it.
 * INVARIANT: both generations pass the other's stamps until it is settled, so nothing is refused between
 * this and the end of the change. What is not known is left: the kernel judges it.
 */
export function carryOver(
  state: string,
  live: LiveState,
  { from, to }: { readonly from: number; readonly to: number },
  nowMs: number,
): string | null {
  const [before, after] = [stamped(state, live, from), stamped(state, live, to)];
  if (before === null || after === null) return null;
  const fieldOf = createCarrier(before, after, nowMs);
  return attempted("connections that names admitted may end", () => {
    const [seen, changed] = [openConntrack(), openConntrack()];
    try {
      seen.dumpWanted(
        (mark) => generationOfMark(mark) === from,
        (entry) => {
          const field = fieldOf(entry);
          if (field !== null) changed.setMark(entry.original, { value: field, mask: MARK_MASK });
        },
      );
    } finally {
      seen.close();
      changed.close();
    }
  });
}

function stamped(state: string, live: LiveState, generation: number): Stamped | null {
  const entry = entryOf(state, live, generation);
  const policy = entry === undefined ? null : readResolvedPolicy(state, entry.id);
  return policy === null ? null : { policy, generation };
}
