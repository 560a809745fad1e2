/** Which event is the first of its refusal: such events are kept apart, so that no mass of others removes them. */
import { createHash } from "node:crypto";
import type { FlowEvent } from "../../core/event/event.ts";
import { addressBytes } from "../../core/event/address.ts";
import { DIRECTION } from "./code.ts";
import type { Store } from "./database.ts";

/** LIMIT: first refusals that are kept apart of one zone or scope and day (UTC); the first so many of the day. */
export const FIRSTS_PER_PLACE_AND_DAY_MAX = 2_000;
const DAY_MS = 86_400_000;
const KEY_BYTES = 16;

export interface Firsts {
  /** Whether the event is the first of its refusal and is to be kept; it then counts as seen. */
  readonly isFirst: (event: FlowEvent, place: number) => boolean;
  /** Call it when what was written is taken back. */
  readonly forget: () => void;
}

/** Returns what knows the first events. It asks nothing of the database once a day's number is reached. */
export function createFirsts({ database }: Store): Firsts {
  const insert = database.prepare(
    "INSERT OR IGNORE INTO first (key, time_ms, direction, place) VALUES (?, ?, ?, ?)",
  );
  const count = database.prepare(
    "SELECT count(*) AS found FROM first WHERE direction = ? AND place = ? AND time_ms >= ? AND time_ms < ?",
  );
  const counted = new Map<string, number>();
  return {
    isFirst(event, place) {
      if (event.verdict === "accept") return false;
      const direction = DIRECTION.numbers[event.direction];
      const dayMs = event.timeMs - (event.timeMs % DAY_MS);
      const share = `${direction} ${place} ${dayMs}`;
      const found =
        counted.get(share) ?? Number(count.get(direction, place, dayMs, dayMs + DAY_MS)?.["found"]);
      // What is left of other days is not asked for again.
      if (!counted.has(share)) forgetOtherDays(counted, dayMs);
      counted.set(share, found);
      if (found >= FIRSTS_PER_PLACE_AND_DAY_MAX) return false;
      if (insert.run(keyOf(event), event.timeMs, direction, place).changes === 0) return false;
      counted.set(share, found + 1);
      return true;
    },
    forget: () => counted.clear(),
  };
}

function forgetOtherDays(counted: Map<string, number>, dayMs: number): void {
  for (const share of counted.keys()) if (!share.endsWith(` ${dayMs}`)) counted.delete(share);
}

/** What was refused to whom: a refusal by its id; what came in by its source (IPv6: /64) and what it asked for. */
function keyOf(event: FlowEvent): Uint8Array {
  const hash = createHash("sha256");
  const { direction, place, verdict, refusal, protocol, destinationPort, rule } = event;
  hash.update(JSON.stringify([direction, place, verdict, refusal, rule, protocol, destinationPort]));
  if (refusal === null) {
    const end = addressBytes(direction === "inbound" ? event.source : event.destination);
    hash.update(direction === "inbound" && end.length === 16 ? end.subarray(0, 8) : end);
  }
  return hash.digest().subarray(0, KEY_BYTES);
}
