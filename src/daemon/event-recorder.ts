import type { FlowEvent, LossCause, LossEvent, SeawallEvent } from "../core/event/event.ts";
import { createBoundedQueue } from "../core/event/queue.ts";
import type { Epochs } from "../edge/store/counts.ts";
import { type Retention, RETENTION_DEFAULT } from "../edge/store/retention.ts";
import { createStoreAccess } from "./store-access.ts";

export interface RecorderOptions {
  readonly stateDir: string;
  /** Unix time in ms. */
  readonly now: () => number;
  /** Gets every event, stored or not, and every loss. */
  readonly onEvent?: (event: SeawallEvent) => void;
  readonly retention?: Retention;
  /** Which counters of the kernel count lines now. */
  readonly epochs?: Epochs;
  /** Gets what happened to the store beyond that it fails. */
  readonly say?: (text: string) => void;
}

export interface RecorderStats {
  readonly queued: number;
  /** Events the store has acknowledged. */
  readonly stored: number;
  /** Events by cause; for `socket` how often the kernel said it, not how many events. */
  readonly lost: Readonly<Record<LossCause, number>>;
  readonly store: { readonly state: "ok" } | { readonly state: "failed"; readonly why: string };
}

/** Takes events and sees to it that they reach the store in batches, or that their loss is known. */
export interface Recorder {
  add(event: FlowEvent): void;
  /** Counts a loss; it becomes one event a cause with the next flush. */
  lose(cause: LossCause, count: number | null): void;
  /** Call it every FLUSH_INTERVAL_MS. */
  tick(): void;
  stats(): RecorderStats;
  /** Writes what is left and closes the store. */
  stop(): void;
}

/** LIMIT: events that wait for the store; the oldest is dropped, and counted, when there are more. */
export const EVENT_QUEUE_MAX = 16_384;
/** LIMIT: events of one transaction of the store. */
export const EVENT_BATCH_MAX = 1_000;
export const FLUSH_INTERVAL_MS = 250;

/** Returns a recorder. It never throws because of the store: a store that fails is said in the stats. */
export function createRecorder(options: RecorderOptions): Recorder {
  const queue = createBoundedQueue<SeawallEvent>(EVENT_QUEUE_MAX);
  const { retention = RETENTION_DEFAULT, say = () => undefined } = options;
  const store = createStoreAccess({ ...options, retention, say, busyMs: FLUSH_INTERVAL_MS });
  const lost: Record<LossCause, number> = { kernel: 0, socket: 0, queue: 0, store: 0 };
  const losses = new Map<LossCause, number | null>();
  let stored = 0;

  const lose = (cause: LossCause, count: number | null): void => {
    lost[cause] += count ?? 1;
    const before = losses.get(cause) ?? 0;
    losses.set(cause, before === null || count === null ? null : before + count);
  };
  const push = (event: SeawallEvent): void => {
    if (queue.push(event)) lose(store.problem() === null ? "queue" : "store", 1);
    options.onEvent?.(event);
  };
  const flush = (atLeast: number): void => {
    while (queue.length >= atLeast && queue.length > 0 && store.ready()) {
      const batch = queue.peek(EVENT_BATCH_MAX);
      if (!store.append(batch)) return;
      queue.discard(batch.length);
      stored += batch.length;
    }
  };
  const sayLosses = (): void => {
    // INVARIANT: saying a loss never causes the next one.
    if (queue.length + losses.size > EVENT_QUEUE_MAX) return;
    const timeMs = options.now();
    const events = Array.from(
      losses,
      ([cause, count]): LossEvent => ({ kind: "loss", timeMs, cause, count }),
    );
    losses.clear();
    for (const event of events) push(event);
  };
  return {
    add(event) {
      push(event);
      flush(EVENT_BATCH_MAX);
    },
    lose,
    tick() {
      sayLosses();
      flush(1);
      store.tend();
    },
    stats() {
      const why = store.problem();
      const state = why === null ? ({ state: "ok" } as const) : ({ state: "failed", why } as const);
      return { queued: queue.length, stored, lost: { ...lost }, store: state };
    },
    stop() {
      sayLosses();
      flush(1);
      store.close();
    },
  };
}
