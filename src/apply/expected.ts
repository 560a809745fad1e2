/** What the kernel should hold, and what of it it does not. */
import type { LiveState } from "../edge/kernel/live.ts";
import type { Folders } from "../edge/state/folder.ts";
import { type HistoryEntry, readHistoryEntry } from "../edge/state/history-entry.ts";
import { changedSince, type Landmark } from "./landmark.ts";
import { parseSeal } from "./seal.ts";
import { isFallback, isRescue } from "./stand-in.ts";

export type Condition =
  /** Nothing is expected, and nothing is there; or all of it is there. */
  | { readonly kind: "whole" }
  /** It may be, but nobody wrote down what was put there: the machine has just started. */
  | { readonly kind: "unproven" }
  /** The owner's way back took the place of the rules; nothing is healed over it. */
  | { readonly kind: "rescued" }
  | { readonly kind: "broken"; readonly damage: Damage; readonly said: string };

/** `rules`: chains of ours were changed. `elements`: maps or sets. `table`: it is gone, or no longer ours at all. */
export type Damage = "rules" | "elements" | "table";

/** Returns what is the matter with our table, by the kernel and what our last change left. */
export function conditionOf(live: LiveState | null, landmark: Landmark | null, boots: boolean): Condition {
  if (live === null) return absent(landmark, boots, "our table is");
  if (isRescue(live)) return { kind: "rescued" };
  if (isFallback(live)) return broken("table", STOOD_IN);
  const generation = live.leaseMs === null ? live.committed : live.candidate;
  if (generation === null) return absent(landmark, boots, "our hooks are");
  if (!live.hooksAreOurs) return broken("rules", "somebody else added a rule to our hooks");
  const seal = parseSeal(live.seals.get(generation) ?? "");
  if (seal === undefined) return broken("table", "the seal of our rules is gone");
  if (isUntold(live, landmark, seal.held)) return { kind: "unproven" };
  return compare(landmark, new Set([generation, live.committed ?? generation]));
}

const STOOD_IN = "the last confirmed rules could not be loaded; SSH is open, the agents reach nothing";

/** Whether what is there is ours and only our files do not say so: a confirm that was killed, or boot.sh again. */
function isUntold(live: LiveState, landmark: Landmark | null, held: boolean): boolean {
  if (landmark === null) return false;
  return (live.committed !== null && live.committed !== landmark.committed) || (held && !landmark.held);
}

function compare(landmark: Landmark | null, generations: ReadonlySet<number>): Condition {
  for (const generation of generations) {
    const changed = changedSince(landmark, generation);
    if (changed === null) return { kind: "unproven" };
    if (changed !== "nothing") return broken(changed, CHANGED);
  }
  return { kind: "whole" };
}

const CHANGED = "our rules were changed by somebody else since they were applied";

/** Nothing of ours judges: as it should be, or because somebody took it away. */
function absent(landmark: Landmark | null, boots: boolean, what: string): Condition {
  const expected = landmark === null ? boots : landmark.committed !== null;
  if (!expected) return { kind: "whole" };
  return broken("table", `${what} gone from the kernel; nothing is enforced`);
}

function broken(damage: Damage, said: string): Condition {
  return { kind: "broken", damage, said };
}

/** Returns the entry that should be in force for good, or undefined: Seawall should be off, or nobody knows. */
export function expectedEntry(
  { state }: Folders,
  landmark: Landmark | null,
  boot: string | null,
): HistoryEntry | undefined {
  if (landmark !== null)
    return landmark.entryId === null ? undefined : readHistoryEntry(state, landmark.entryId);
  const seal = /comment "(policy [^"]*)"/.exec(boot ?? "")?.[1];
  return readHistoryEntry(state, parseSeal(seal ?? "")?.id);
}
