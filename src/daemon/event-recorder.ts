import { SeawallError } from "../core/base/error.ts";
import type { FlowEvent, LossCause, LossEvent, SeawallEvent } from "../core/event/event.ts";
import { createBoundedQueue } from "../core/event/queue.ts";
import { closeStore, openStore, type Store } from "../edge/store/database.ts";
import { createEventWriter, type EventWriter } from "../edge/store/event-store.ts";
import { retainStep, type Retention, RETENTION_DEFAULT } from "../edge/store/retention.ts";

export interface RecorderOptions {
  readonly stateDir: string;
  /** Unix time in ms. */
  readonly now: () => number;
  /** Gets every event, stored or not, and every loss. */
  readonly onEvent?: (event: SeawallEvent) => void;
  readonly retention?: Retention;
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
/** A store that failed is opened again after this time. */
export const STORE_RETRY_MS = 10_000;
export const RETENTION_INTERVAL_MS = 60_000;

/** Returns a recorder. It never throws because of the store: a store that fails is said in the stats. */
export function createRecorder(options: RecorderOptions): Recorder {
  const queue = createBoundedQueue<SeawallEvent>(EVENT_QUEUE_MAX);
  const store = createStoreAccess(options);
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
      store.retain();
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

interface StoreAccess {
  /** False while it is not time yet to try a store again that failed. Opens it when it is. */
  ready(): boolean;
  /** False when the events could not be written; they may be offered again. */
  append(events: readonly SeawallEvent[]): boolean;
  retain(): void;
  /** Why the store does not work now, or null. */
  problem(): string | null;
  close(): void;
}

/** The store as something that may fail and come back. */
function createStoreAccess({ stateDir, now, retention = RETENTION_DEFAULT }: RecorderOptions): StoreAccess {
  let opened: { store: Store; writer: EventWriter } | undefined;
  let problem: string | null = null;
  let retryAtMs = 0;
  let retainAtMs = 0;
  const close = (): void => {
    if (opened !== undefined) closeStore(opened.store);
    opened = undefined;
  };
  const fail = (why: string): void => {
    problem = why;
    retryAtMs = now() + STORE_RETRY_MS;
    close();
  };
  // Another writer is soon done; but each try may block for a moment, so there is one a tick.
  const wait = (why: string): void => {
    problem = why;
    retryAtMs = now() + FLUSH_INTERVAL_MS;
  };
  const open = (): void => {
    try {
      const store = openStore(stateDir);
      opened = { store, writer: createEventWriter(store) };
      problem = null;
    } catch (error) {
      if (!(error instanceof SeawallError)) throw error;
      fail(error.message);
    }
  };
  open();
  return {
    ready() {
      if (problem === null) return true;
      if (now() < retryAtMs) return false;
      if (opened === undefined) open();
      return opened !== undefined;
    },
    append(events) {
      if (opened === undefined) return false;
      const failed = opened.writer.append(events);
      if (failed === null) problem = null;
      else if (failed.kind === "busy") wait(failed.message);
      else fail(`${failed.kind}: ${failed.message}`);
      return failed === null;
    },
    retain() {
      if (opened === undefined || now() < retainAtMs) return;
      const step = retainStep(opened.store, now(), retention);
      if (step.kind === "done") retainAtMs = now() + RETENTION_INTERVAL_MS;
      if (step.kind === "failed") retainAtMs = now() + STORE_RETRY_MS;
    },
    problem: () => problem,
    close,
  };
}
