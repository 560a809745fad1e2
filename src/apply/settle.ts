/** Takes away what no generation in force needs: after a confirm, after a lease that ran out, after a kill. */
import { OFF, settle } from "../core/compile/nftables/transaction.ts";
import { type LiveState, readLive } from "../edge/kernel/live.ts";
import { loadTransaction } from "../edge/kernel/nft.ts";
import { type HistoryEntry, readHistoryEntry } from "../edge/state/history-entry.ts";
import { writeLandmark } from "./landmark.ts";
import { parseSeal, sealOf } from "./seal.ts";

/**
 * Returns the live state with every candidate whose lease is over taken out. The kernel stopped judging by it
 * at the deadline already; this only tidies up.
 */
export function settleOver(state: string, live: LiveState | null): LiveState | null {
  if (live === null) return null;
  if (live.candidate !== null && live.leaseMs !== null) return live;
  const entry = live.committed === null ? undefined : entryOf(state, live, live.committed);
  if (live.candidate === null && !hasLeftovers(live, entry)) return live;
  if (live.committed === null) {
    takeDown(state);
    return null;
  }
  settleAt(state, live, live.committed);
  return readLive();
}

/** Makes `generation` the only one in force. Returns what could not be remembered of it, or null. */
export function settleAt(state: string, live: LiveState, generation: number): string | null {
  const entry = entryOf(state, live, generation);
  const others = [...live.seals.keys()].filter((other) => other !== generation);
  const { turn, sweep } = settle(live, generation, {
    needed: entry === undefined ? null : new Set(entry.objects),
    others: others.flatMap((other) => entryOf(state, live, other)?.objects ?? []),
  });
  loadTransaction(turn);
  if (sweep !== "") loadTransaction(sweep);
  return writeLandmark(state);
}

/** Takes our table out of the kernel. Returns what could not be remembered of it, or null. */
export function takeDown(state: string): string | null {
  loadTransaction(OFF);
  return writeLandmark(state);
}

/** Returns the history entry of a generation in the kernel, told by its seal. */
export function entryOf(state: string, live: LiveState, generation: number): HistoryEntry | undefined {
  const seal = live.seals.get(generation) ?? "";
  const entry = readHistoryEntry(state, parseSeal(seal)?.id);
  return entry !== undefined && sealOf(entry) === seal ? entry : undefined;
}

/** A load that was killed leaves sets, chains or a whole table behind. */
function hasLeftovers(live: LiveState, entry: HistoryEntry | undefined): boolean {
  if (live.committed === null) return true;
  const own = `g${live.committed}/`;
  const generations = [...live.chains, ...live.maps].filter((title) => /^g\d+\//.test(title));
  if (generations.some((title) => !title.startsWith(own))) return true;
  if ([...live.seals.keys()].some((generation) => generation !== live.committed)) return true;
  if (entry === undefined) return false;
  const needed = new Set(entry.objects);
  return [...live.sets].some((title) => /^prefixes[46]_/.test(title) && !needed.has(title));
}
