/** Which entry of the history a generation in the kernel is. Light: `status` asks it on every prompt. */
import type { LiveState } from "../edge/kernel/live.ts";
import { type HistoryEntry, readHistoryEntry } from "../edge/state/history-entry.ts";
import { parseSeal, sealOf } from "./seal.ts";

/** Returns the history entry of a generation in the kernel, told by its seal. */
export function entryOf(state: string, live: LiveState, generation: number): HistoryEntry | undefined {
  const text = live.seals.get(generation) ?? "";
  const seal = parseSeal(text);
  const entry = readHistoryEntry(state, seal?.id);
  return entry !== undefined && sealOf({ ...entry, held: seal?.held ?? false }) === text ? entry : undefined;
}
