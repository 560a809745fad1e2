/** The newest change, where it is not in force because nobody confirmed it: its file may still be there. */
import type { LiveState } from "../edge/kernel/live.ts";
import { newestId, readHistoryEntry } from "../edge/state/history-entry.ts";
import { parseSeal } from "./seal.ts";

export interface LastChange {
  /** Its number in the history. */
  readonly id: number;
  readonly by: string;
  /** When it was proposed, RFC 3339. */
  readonly at: string;
  /** Null: an older version, or a disk that was full, did not write down how it ended. */
  readonly how: "ran out" | "withdrawn" | null;
}

/** What was undone longer ago is no news. */
const SHOWN_MS = 7 * 24 * 60 * 60 * 1_000;

/** Returns it, or null: the newest change is in force, or on trial, or was confirmed. */
export function lastChange(state: string, live: LiveState | null, nowMs: number): LastChange | null {
  const entry = readHistoryEntry(state, newestId(state));
  if (entry === undefined || entry.confirmedMs !== null || entry.kind === "pause") return null;
  if (nowMs - entry.proposedMs > SHOWN_MS || judges(live, entry.id)) return null;
  return {
    id: entry.id,
    by: entry.by,
    at: new Date(entry.proposedMs).toISOString(),
    how: entry.undone?.how ?? null,
  };
}

/** A confirm that could not be written down (a full disk) is in force all the same. */
function judges(live: LiveState | null, id: number): boolean {
  if (live === null) return false;
  const generation = live.leaseMs === null ? live.committed : live.candidate;
  return generation !== null && parseSeal(live.seals.get(generation) ?? "")?.id === id;
}
