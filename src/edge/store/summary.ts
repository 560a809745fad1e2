import { closeStore, openStoreReadOnly } from "./database.ts";
import { storeError, storeProblem } from "./problem.ts";

/** How much is in the store, and from when: nothing of whom it speaks. */
export interface StoreSummary {
  readonly flows: number;
  readonly losses: number;
  readonly oldestMs: number | null;
  readonly newestMs: number | null;
}

/** Returns the summary, or null when nothing was ever recorded. Refuses with SEAWALL_STORE. */
export function summariseStore(stateDir: string): StoreSummary | null {
  const store = openStoreReadOnly(stateDir);
  if (store === undefined) return null;
  try {
    const row = store.database
      .prepare(
        "SELECT count(*) AS flows, min(time_ms) AS oldest, max(time_ms) AS newest, (SELECT count(*) FROM loss) AS losses FROM flow",
      )
      .get();
    const moment = (found: unknown): number | null => (typeof found === "number" ? found : null);
    return {
      flows: Number(row?.["flows"]),
      losses: Number(row?.["losses"]),
      oldestMs: moment(row?.["oldest"]),
      newestMs: moment(row?.["newest"]),
    };
  } catch (error) {
    throw storeError(store.path, storeProblem(error));
  } finally {
    closeStore(store);
  }
}
