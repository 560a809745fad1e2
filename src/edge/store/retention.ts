import type { Store } from "./database.ts";
import { storeProblem, type StoreProblem } from "./problem.ts";

export interface Retention {
  readonly ageDaysMax: number;
  readonly sizeMebibytesMax: number;
}

export const RETENTION_DEFAULT: Retention = { ageDaysMax: 30, sizeMebibytesMax: 512 };

/** LIMIT: rows removed in one step, so that a step blocks for a few ms only. */
export const RETENTION_STEP_ROWS = 2_000;
/** LIMIT: pages given back to the file system in one step. */
const VACUUM_STEP_PAGES = 500;
const DAY_MS = 86_400_000;

export type RetentionStep =
  | { readonly kind: "done"; readonly removed: number }
  /** Call again soon. */
  | { readonly kind: "more"; readonly removed: number }
  | { readonly kind: "failed"; readonly problem: StoreProblem };

/** Removes events that are too old, then the oldest while the database is too large: one bounded step. */
export function retainStep(store: Store, nowMs: number, retention: Retention): RetentionStep {
  try {
    const removed = removeOld(store, nowMs - retention.ageDaysMax * DAY_MS) + removeExcess(store, retention);
    store.database.exec(`PRAGMA incremental_vacuum(${VACUUM_STEP_PAGES})`);
    return { kind: removed > 0 || pragma(store, "freelist_count") > 0 ? "more" : "done", removed };
  } catch (error) {
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
  let removed = 0;
  for (const table of ["flow", "loss"]) {
    const sql = `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE time_ms < ? ORDER BY time_ms LIMIT ?)`;
    removed += Number(database.prepare(sql).run(beforeMs, RETENTION_STEP_ROWS).changes);
  }
  return removed;
}

function removeExcess(store: Store, retention: Retention): number {
  if (usedBytes(store) <= retention.sizeMebibytesMax * 1_048_576) return 0;
  let removed = 0;
  for (const table of ["flow", "loss"]) {
    const sql = `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} ORDER BY id LIMIT ?)`;
    removed += Number(store.database.prepare(sql).run(RETENTION_STEP_ROWS).changes);
    if (removed > 0) break;
  }
  return removed;
}
