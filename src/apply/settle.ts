/** Takes away what no generation in force needs: after a confirm, after a lease that ran out, after a kill. */
import { OFF, settle } from "../core/compile/nftables/transaction.ts";
import { type LiveState, loadTransaction, readLive } from "../edge/kernel/nft.ts";
import { type HistoryEntry, readHistory } from "../edge/state/history.ts";
import { writeLandmark } from "./landmark.ts";

/**
 * Returns the live state with every candidate whose lease is over taken out. The kernel stopped judging by it
 * at the deadline already; this only tidies up.
 */
export function settleOver(state: string, live: LiveState | null): LiveState | null {
  if (live === null) return null;
  if (live.candidate !== null && live.leaseMs !== null) return live;
  if (live.candidate === null && !hasLeftovers(live)) return live;
  if (live.committed === null) {
    takeDown(state);
    return null;
  }
  settleAt(state, live, live.committed);
  return readLive();
}

/** Makes `generation` the only one in force. */
export function settleAt(state: string, live: LiveState, generation: number): void {
  const entry = entryOf(state, live, generation);
  const { turn, sweep } = settle(live.table, generation, entry === undefined ? null : new Set(entry.objects));
  loadTransaction(turn);
  loadTransaction(sweep);
  remember(state, live, [generation]);
}

/** Takes our table out of the kernel. */
export function takeDown(state: string): void {
  loadTransaction(OFF);
  writeLandmark(state, []);
}

/** Writes the landmark for the generations that the kernel holds now. */
export function remember(state: string, live: LiveState, generations: readonly number[]): void {
  writeLandmark(
    state,
    generations.flatMap((generation) => {
      const entry = entryOf(state, live, generation);
      return entry === undefined
        ? []
        : [{ generation, id: entry.id, path: entry.policyPath, mode: entry.mode }];
    }),
  );
}

/** Returns the history entry of a generation in the kernel, told by its seal. */
export function entryOf(state: string, live: LiveState, generation: number): HistoryEntry | undefined {
  const seal = /^policy (\d+) sha256 ([0-9a-f]{64})$/.exec(live.seals.get(generation) ?? "");
  if (seal === null) return undefined;
  return readHistory(state).find(({ id, sha256 }) => id === Number(seal[1]) && sha256 === seal[2]);
}

/** A load that was killed leaves sets (and a table without a generation) behind. */
function hasLeftovers(live: LiveState): boolean {
  if (live.committed === null) return true;
  return [...live.seals.keys()].some((generation) => generation !== live.committed);
}
