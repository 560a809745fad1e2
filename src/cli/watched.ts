/** What of an agent that is only watched would be refused, for `status`. */
import { SeawallError } from "../core/base/error.ts";
import { closeStore, openStoreReadOnly } from "../edge/store/database.ts";
import { countWouldRefuse, type WouldRefuse } from "../edge/store/would-refuse.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Returns what the log of the last day has, or null where there is none or it cannot be read. */
export function wouldRefuse(state: string, nowMs: number): WouldRefuse | null {
  try {
    const store = openStoreReadOnly(state);
    if (store === undefined) return null;
    try {
      return countWouldRefuse(store, nowMs - DAY_MS);
    } finally {
      closeStore(store);
    }
  } catch (cause) {
    if (!(cause instanceof SeawallError)) throw cause;
    return null;
  }
}
