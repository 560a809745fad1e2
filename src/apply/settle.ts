/** Takes away what no generation in force needs: after a confirm, after a lease that ran out, after a kill. */
import { pinSetNames } from "../core/compile/nftables/gate.ts";
import { OFF, settle } from "../core/compile/nftables/transaction.ts";
import { type LiveState, readLive } from "../edge/kernel/live.ts";
import { loadTransaction } from "../edge/kernel/nft.ts";
import type { Folders } from "../edge/state/folder.ts";
import type { HistoryEntry } from "../edge/state/history-entry.ts";
import { attempted, together } from "./attempt.ts";
import { clearBoot, publishBoot } from "./boot.ts";
import { type Cut, cutForbidden } from "./cut.ts";
import { policyAsHeld } from "./held-policy.ts";
import { writeLandmark } from "./landmark.ts";
import { isRescue } from "./stand-in.ts";
import { parseSeal } from "./seal.ts";
import { entryOf } from "./sealed-entry.ts";
import { releaseStamps } from "./stamp.ts";
import { markUndone } from "./undone.ts";

/**
 * Returns the live state with every candidate whose lease is over taken out. The kernel stopped judging by it
 * at the deadline already; this only tidies up.
 */
export function settleOver(folders: Folders, live: LiveState | null): LiveState | null {
  if (live === null || isRescue(live)) return live;
  if (live.candidate !== null && live.leaseMs !== null) return live;
  const entry = live.committed === null ? undefined : entryOf(folders.state, live, live.committed);
  if (live.candidate === null && !hasLeftovers(live, entry)) return live;
  if (live.candidate !== null)
    markUndone(folders.state, entryOf(folders.state, live, live.candidate), "ran out", Date.now());
  if (live.committed === null) {
    takeDown(folders);
    return null;
  }
  settleAt(folders, live, live.committed);
  return readLive();
}

/** Returns the live state for a change that is about to be made: rescue rules go, the owner decides anew. */
export function settleForChange(folders: Folders): LiveState | null {
  const live = settleOver(folders, readLive());
  if (!isRescue(live)) return live;
  loadTransaction(OFF);
  return null;
}

/** Makes `generation` the only one in force, now and at the next start, and ends what its policy forbids. */
export function settleAt(
  folders: Folders,
  live: LiveState,
  generation: number,
  nowMs: number = Date.now(),
): Cut {
  const { state } = folders;
  const entry = entryOf(state, live, generation);
  const others = [...live.seals.keys()].filter((other) => other !== generation);
  const { turn, sweep } = settle(live, generation, {
    needed: entry === undefined ? null : neededBy(state, live, generation, entry),
    others: others.flatMap((other) => entryOf(state, live, other)?.objects ?? []),
  });
  loadTransaction(turn);
  if (sweep !== "") loadTransaction(sweep);
  // Remembered first: ending connections takes longer, and others would be blamed for what we have just done.
  const forgotten = together([writeLandmark(folders), publishBoot(state, entry)]);
  const { trouble, ...ended } = cutForbidden(state, entry, nowMs);
  return { ...ended, trouble: together([forgotten, trouble]) };
}

/**
 * Takes our table out of the kernel and out of the next start, and our stamps off all connections. Returns what could
 * not be done or remembered, or null.
 */
export function takeDown(folders: Folders): string | null {
  loadTransaction(OFF);
  const stamped = attempted("connections keep our stamps until they end", releaseStamps);
  return together([stamped, writeLandmark(folders), clearBoot(folders.state)]);
}

/** What was held back for the clock makes sets of names other than those that the entry lists. */
function neededBy(state: string, live: LiveState, generation: number, entry: HistoryEntry): Set<string> {
  const held = parseSeal(live.seals.get(generation) ?? "")?.held === true;
  const policy = held ? policyAsHeld(state, entry.id, held) : null;
  return new Set([...entry.objects, ...(policy === null ? [] : pinSetNames(policy))]);
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
