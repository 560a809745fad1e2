/** Writes down that a change was taken back before anybody confirmed it. */
import { SeawallError } from "../core/base/error.ts";
import type { HistoryEntry, Undone } from "../edge/state/history-entry.ts";
import { writeHistory } from "../edge/state/history.ts";

/** A disk that is full keeps no change from being taken back: the history then says less, and nothing wrong. */
export function markUndone(
  state: string,
  entry: HistoryEntry | undefined,
  how: Undone["how"],
  atMs: number,
): void {
  if (entry === undefined || entry.confirmedMs !== null || entry.undone !== undefined) return;
  try {
    writeHistory(state, { ...entry, undone: { atMs, how } }, null);
  } catch (cause) {
    if (!(cause instanceof SeawallError)) throw cause;
  }
}
