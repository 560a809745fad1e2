import { rollBack, type Store } from "./database.ts";
import { storeProblem, type StoreProblem } from "./problem.ts";

export interface Retention {
  readonly ageDaysMax: number;
  readonly sizeMebibytesMax: number;
}

export const RETENTION_DEFAULT: Retention = { ageDaysMax: 30, sizeMebibytesMax: 512 };

/** LIMIT: rows removed in one step, so that a step blocks for a few ms only. */
export const RETENTION_STEP_ROWS = 2_000;
/** LIMIT: the newest events, which no limit of the size takes away: a log is never empty for good. */
const EVENTS_KEPT_MIN = 1_000;
/** LIMIT: zones and scopes that share the room; where there are more, somebody invented them, and the oldest go. */
const SHARES_MAX = 64;
/** LIMIT: pages given back to the file system in one step. */
const VACUUM_STEP_PAGES = 500;
/** LIMIT: losses that are remembered, and counters of the kernel whose lines were recorded. */
export const LOSSES_MAX = 50_000;
const TALLIES_MAX = 1_024;
const DAY_MS = 86_400_000;

export type RetentionStep =
  | { readonly kind: "done"; readonly removed: number }
  /** Call again soon. */
  | { readonly kind: "more"; readonly removed: number }
  | { readonly kind: "failed"; readonly problem: StoreProblem };

/**
 * Removes events that are too old, then, while the database is too large, the oldest of the zone or scope that has
 * most of them: one bounded step.
 */
export function retainStep(store: Store, nowMs: number, retention: Retention): RetentionStep {
  try {
    store.database.exec("BEGIN IMMEDIATE");
    const removed = removeOld(store, nowMs - retention.ageDaysMax * DAY_MS) + removeExcess(store, retention);
    removeBeyond(store);
    store.database.exec("COMMIT");
    store.database.exec(`PRAGMA incremental_vacuum(${VACUUM_STEP_PAGES})`);
    return { kind: removed > 0 || pragma(store, "freelist_count") > 0 ? "more" : "done", removed };
  } catch (error) {
    rollBack(store);
    return { kind: "failed", problem: storeProblem(error) };
  }
}

/** Returns the bytes that rows and indexes take, pages set free not counted. */
export function usedBytes(store: Store): number {
  return (pragma(store, "page_count") - pragma(store, "freelist_count")) * pragma(store, "page_size");
}

function pragma({ database }: Store, name: "page_count" | "freelist_count" | "page_size"): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
}

function removeOld({ database }: Store, beforeMs: number): number {
  const flows = removeFlows(
    database,
    "SELECT id FROM flow WHERE time_ms < ? ORDER BY time_ms LIMIT ?",
    beforeMs,
    RETENTION_STEP_ROWS,
  );
  const losses = database
    .prepare("DELETE FROM loss WHERE id IN (SELECT id FROM loss WHERE time_ms < ? ORDER BY time_ms LIMIT ?)")
    .run(beforeMs, RETENTION_STEP_ROWS).changes;
  database
    .prepare("DELETE FROM first WHERE key IN (SELECT key FROM first WHERE time_ms < ? LIMIT ?)")
    .run(beforeMs, RETENTION_STEP_ROWS);
  return flows + Number(losses);
}

/** What is there beside the flows is little, and stays so. */
function removeBeyond({ database }: Store): void {
  database.prepare("DELETE FROM loss WHERE id <= (SELECT max(id) FROM loss) - ?").run(LOSSES_MAX);
  database
    .prepare(
      "DELETE FROM tally WHERE (counter, epoch) IN (SELECT counter, epoch FROM tally ORDER BY time_ms DESC LIMIT -1 OFFSET ?)",
    )
    .run(TALLIES_MAX);
}

/**
 * Whoever has most loses the oldest, so that nobody's events go for somebody else's; the first of each refusal are not
 * among them. Only where nothing else is left do those go too.
 */
function removeExcess(store: Store, retention: Retention): number {
  const { database } = store;
  if (usedBytes(store) <= retention.sizeMebibytesMax * 1_048_576) return 0;
  const shares = database
    .prepare("SELECT direction, place FROM share ORDER BY flows DESC LIMIT ?")
    .all(SHARES_MAX + 1);
  const most = shares.length > SHARES_MAX ? undefined : shares[0];
  const removed =
    most === undefined
      ? 0
      : removeFlows(
          database,
          `SELECT id FROM flow WHERE direction = ? AND place = ? AND first IS NULL AND id <= ${LAST_TO_GO} ORDER BY id LIMIT ?`,
          Number(most["direction"]),
          Number(most["place"]),
          EVENTS_KEPT_MIN,
          RETENTION_STEP_ROWS,
        );
  if (removed > 0) return removed;
  const oldest = `SELECT id FROM flow WHERE id <= ${LAST_TO_GO} ORDER BY id LIMIT ?`;
  return removeFlows(database, oldest, EVENTS_KEPT_MIN, RETENTION_STEP_ROWS);
}

/** The newest event that the size may take away: EVENTS_KEPT_MIN stay after it; NULL when there are no more. */
const LAST_TO_GO = "(SELECT id FROM flow ORDER BY id DESC LIMIT 1 OFFSET ?)";

/** Removes the flows that a query names and takes them off the shares. Returns how many. */
function removeFlows(database: Store["database"], query: string, ...values: readonly number[]): number {
  const removed = database
    .prepare(`DELETE FROM flow WHERE id IN (${query}) RETURNING direction, place, first`)
    .all(...values);
  const shares = new Map<string, { direction: number; place: number; flows: number }>();
  for (const { direction, place, first } of removed) {
    if (first !== null) continue;
    const key = `${String(direction)} ${String(place)}`;
    const share = shares.get(key) ?? { direction: Number(direction), place: Number(place), flows: 0 };
    share.flows += 1;
    shares.set(key, share);
  }
  const take = database.prepare(
    "UPDATE share SET flows = max(0, flows - ?) WHERE direction = ? AND place = ?",
  );
  for (const { direction, place, flows } of shares.values()) take.run(flows, direction, place);
  database.exec("DELETE FROM share WHERE flows = 0");
  return removed.length;
}
