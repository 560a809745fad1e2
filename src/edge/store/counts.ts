/** What is counted of events as they are written: whose they are, and which lines of the kernel arrived. */
import { lineCounterName } from "../../core/compile/nftables/table.ts";
import type { FlowEvent } from "../../core/event/event.ts";
import { DIRECTION } from "./code.ts";
import type { Store } from "./database.ts";
import { storeError, storeProblem } from "./problem.ts";

/** Returns which counters of the kernel count lines now: an epoch ends when a counter begins anew. */
export type Epochs = () => ReadonlyMap<string, string>;

export interface Counts {
  readonly add: (event: FlowEvent, place: number, isFirst: boolean) => void;
  /** Writes what was added since; in the transaction of the events. */
  readonly write: () => void;
  readonly forget: () => void;
}

export function createCounts({ database }: Store, epochs: Epochs): Counts {
  const share = database.prepare(`INSERT INTO share (direction, place, flows) VALUES (?, ?, ?)
    ON CONFLICT (direction, place) DO UPDATE SET flows = flows + excluded.flows`);
  const tally = database.prepare(`INSERT INTO tally (counter, epoch, recorded, time_ms) VALUES (?, ?, ?, ?)
    ON CONFLICT (counter, epoch) DO UPDATE SET recorded = recorded + excluded.recorded, time_ms = excluded.time_ms`);
  const shares = new Map<string, { direction: number; place: number; flows: number }>();
  const lines = new Map<string, { count: number; timeMs: number }>();
  const forget = (): void => {
    shares.clear();
    lines.clear();
  };
  return {
    add(event, place, isFirst) {
      const direction = DIRECTION.numbers[event.direction];
      if (!isFirst) {
        const key = `${direction} ${place}`;
        const known = shares.get(key) ?? { direction, place, flows: 0 };
        known.flows += 1;
        shares.set(key, known);
      }
      // What a gate decided is no line of the kernel's.
      if (event.door !== null) return;
      const counter = lineCounterName(event.direction, event.place, event.verdict);
      lines.set(counter, { count: (lines.get(counter)?.count ?? 0) + 1, timeMs: event.timeMs });
    },
    write() {
      for (const { direction, place, flows } of shares.values()) share.run(direction, place, flows);
      const known = lines.size === 0 ? undefined : epochs();
      for (const [counter, { count, timeMs }] of lines) {
        const epoch = known?.get(counter);
        if (epoch !== undefined) tally.run(counter, epoch, count, timeMs);
      }
      forget();
    },
    forget,
  };
}

/** Returns how many lines of a counter were recorded, by counter and epoch. Refuses with SEAWALL_STORE. */
export function recordedLines(store: Store): (counter: string, epoch: string) => number {
  try {
    const find = store.database.prepare("SELECT recorded FROM tally WHERE counter = ? AND epoch = ?");
    return (counter, epoch) => Number(find.get(counter, epoch)?.["recorded"] ?? 0);
  } catch (error) {
    throw storeError(store.path, storeProblem(error));
  }
}
