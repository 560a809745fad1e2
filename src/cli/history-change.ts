/** What each entry of the history was: its kind, and what it changed against what was in force before it. */
import { changeWords } from "../core/policy/change-summary.ts";
import type { HistoryEntry } from "../edge/state/history-entry.ts";
import { readResolvedPolicy } from "../edge/state/resolved-policy.ts";

export type HistoryKind = "apply" | "rollback" | "panic" | "panic off" | "pause" | "unknown";

/** Returns the kind; `unknown` for an entry of a version that did not write it down. */
export function kindOf({ kind, how }: HistoryEntry): HistoryKind {
  if (kind !== undefined) return kind;
  if (how === undefined) return "unknown";
  return how === "panic-off" ? "panic off" : how;
}

/** Returns the entry that was in force when another was proposed, among those that are kept; undefined for none. */
export function entryBefore(
  entries: readonly HistoryEntry[],
  { id, proposedMs }: HistoryEntry,
): HistoryEntry | undefined {
  return entries.findLast(
    (one) => one.id < id && one.kind !== "pause" && one.confirmedMs !== null && one.confirmedMs <= proposedMs,
  );
}

/** Returns what an entry changed, in one line. */
export function changeOfEntry(state: string, entry: HistoryEntry, before: HistoryEntry | undefined): string {
  const back = entry.from === undefined ? "" : `history ${entry.from} again`;
  switch (kindOf(entry)) {
    case "panic":
      return "the agents cut off, nothing but SSH comes in";
    case "panic off":
      return back === "" ? "what was before the panic again" : back;
    case "pause":
      return "outbound only watched for a while";
    case "rollback":
    case "apply":
    case "unknown": {
      const words = againstBefore(state, entry, before);
      return back === "" ? words : `${back}: ${words}`;
    }
  }
}

function againstBefore(state: string, entry: HistoryEntry, before: HistoryEntry | undefined): string {
  const now = readResolvedPolicy(state, entry.id);
  if (now === null) return "what it changed is not kept";
  if (before === undefined) return changeWords(null, now).replace("; nothing was in force", "");
  const old = readResolvedPolicy(state, before.id);
  if (old === null) return `what history ${before.id} meant is not kept`;
  const words = changeWords(old, now);
  return words.startsWith("nothing:") ? `nothing: it means what history ${before.id} meant` : words;
}

/** What became of it, in a word or two; null where it is or was in force. */
export function endOf({ confirmedMs, kind, undone }: HistoryEntry): string | null {
  if (confirmedMs !== null || kind === "pause") return null;
  if (undone === undefined) return "not confirmed";
  return undone.how === "ran out" ? "ran out" : "taken back";
}
