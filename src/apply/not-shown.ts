/** What the log does not show: the kernel's own counters, at this moment, less the lines that were recorded. */
import { fullCounterOf, lineCounterOf } from "../core/compile/nftables/table.ts";
import type { Verdict } from "../core/policy/decision.ts";
import type { Direction } from "../core/policy/document.ts";
import { type PacketCounter, readCounters } from "../edge/kernel/line-counters.ts";
import { closeStore, openStoreReadOnly, type Store } from "../edge/store/database.ts";
import { recordedLines } from "../edge/store/counts.ts";

/** The packets of one zone or scope and verdict, since its counter began: the rules were loaded, or the machine started. */
export interface LineCount {
  readonly direction: Direction;
  readonly place: string;
  readonly verdict: Verdict;
  /** By the kernel; exact. */
  readonly counted: number;
  /** Lines in the log; null when the log cannot be read. */
  readonly recorded: number | null;
  readonly notShown: number | null;
}

/** How often a zone or scope was over its share of the connection table. */
export interface OverShare {
  readonly direction: Direction;
  readonly place: string;
  readonly refused: number;
}

export interface Shown {
  readonly lines: readonly LineCount[];
  readonly overShare: readonly OverShare[];
}

/** Returns what is counted and what of it the log has. Refuses where the kernel may not be asked. */
export function readShown(stateDir: string): Shown {
  let store: Store | undefined;
  try {
    store = openStoreReadOnly(stateDir);
  } catch {
    return shownOf(readOurs(), () => null);
  }
  try {
    return shownIn(store);
  } finally {
    if (store !== undefined) closeStore(store);
  }
}

/** The same where the log is open; undefined: nothing was ever recorded. */
export function shownIn(store: Store | undefined): Shown {
  const counters = readOurs();
  if (store === undefined) return shownOf(counters, () => 0);
  const recorded = recordedLines(store);
  return shownOf(counters, ({ name, epoch }) => recorded(name, epoch));
}

function readOurs(): PacketCounter[] {
  return readCounters((name) => lineCounterOf(name) !== undefined || fullCounterOf(name) !== undefined);
}

function shownOf(
  counters: readonly PacketCounter[],
  recordedOf: (counter: PacketCounter) => number | null,
): Shown {
  return {
    lines: counters.flatMap((counter) => {
      const of = lineCounterOf(counter.name);
      if (of === undefined || counter.packets === 0) return [];
      const recorded = recordedOf(counter);
      const notShown = recorded === null ? null : Math.max(0, counter.packets - recorded);
      return [{ ...of, counted: counter.packets, recorded, notShown }];
    }),
    overShare: counters.flatMap(({ name, packets }) => {
      const of = fullCounterOf(name);
      return of === undefined || packets === 0 ? [] : [{ ...of, refused: packets }];
    }),
  };
}
