/** What the log says of destinations that pass now and would not if outbound were enforced. */
import { VERDICT, DIRECTION } from "./code.ts";
import type { Store } from "./database.ts";
import { storeError, storeProblem } from "./problem.ts";

export interface WouldRefuse {
  /** Names that a gate was asked for. */
  readonly names: number;
  /** Addresses that packets went to. One of the names may be behind each. */
  readonly addresses: number;
  /** There are more events than were looked at. */
  readonly isMore: boolean;
}

/** LIMIT: events that are looked at, the newest first: a busy observed agent has many a day. */
const EVENTS_MAX = 20_000;

/** Returns how many destinations there are since a time. Refuses with SEAWALL_STORE. */
export function countWouldRefuse({ database, path }: Store, sinceMs: number): WouldRefuse {
  try {
    const row = database
      .prepare(
        `SELECT count(*) AS events, count(DISTINCT host) AS names,
          count(DISTINCT CASE WHEN door IS NULL THEN destination END) AS addresses
        FROM (SELECT host, door, destination FROM flow
          WHERE verdict > 0 AND verdict IN (?, ?) AND time_ms >= ? AND observed = 1 AND direction = ?
          ORDER BY time_ms DESC LIMIT ?)`,
      )
      .get(VERDICT.numbers.refuse, VERDICT.numbers.drop, sinceMs, DIRECTION.numbers.outbound, EVENTS_MAX);
    return {
      names: Number(row?.["names"]),
      addresses: Number(row?.["addresses"]),
      isMore: Number(row?.["events"]) >= EVENTS_MAX,
    };
  } catch (error) {
    throw storeError(path, storeProblem(error));
  }
}
