/** The store as something that may fail, be taken away and come back. Nothing here throws. */
import type { SeawallEvent } from "../core/event/event.ts";
import {
  closeStore,
  inodeOf,
  isInPlace,
  openStore,
  persistStore,
  type Store,
} from "../edge/store/database.ts";
import { createEventWriter, type Epochs, type EventWriter } from "../edge/store/event-store.ts";
import { StoreError, type StoreProblem, storeProblem } from "../edge/store/problem.ts";
import type { Retention } from "../edge/store/retention.ts";
import { setStoreAside } from "../edge/store/set-aside.ts";
import { createTidying, type Tidying } from "../edge/store/tidy.ts";

export interface StoreAccess {
  /** False while it is not time yet to try a store again that failed. Opens it when it is. */
  ready(): boolean;
  /** False when the events could not be written; they may be offered again. */
  append(events: readonly SeawallEvent[]): boolean;
  /** What is done from time to time: old events go, what is new is made to survive a power cut. */
  tend(): void;
  /** Why the store does not work now, or null. */
  problem(): string | null;
  close(): void;
}

export interface StoreAccessOptions {
  readonly stateDir: string;
  /** Unix time in ms. */
  readonly now: () => number;
  readonly retention: Retention;
  /** Gets what happened to the store beyond that it fails: one sentence. */
  readonly say: (text: string) => void;
  /** Which counters of the kernel count lines now. */
  readonly epochs?: Epochs;
  /** How soon a store is tried again that another process writes. */
  readonly busyMs: number;
}

/** A store that failed is opened again after this time. */
export const STORE_RETRY_MS = 10_000;
export const RETENTION_INTERVAL_MS = 60_000;

/** Returns access to the store of a state directory, opened if that is possible. */
export function createStoreAccess(options: StoreAccessOptions): StoreAccess {
  const access = new Access(options);
  access.open();
  return access;
}

interface Opened {
  readonly store: Store;
  readonly writer: EventWriter;
  readonly tidying: Tidying;
  readonly inode: number;
}

class Access implements StoreAccess {
  readonly options: StoreAccessOptions;
  opened: Opened | null = null;
  why: string | null = null;
  retryAtMs = 0;
  retainAtMs = 0;
  isPersisting = false;
  isPersisted = true;

  constructor(options: StoreAccessOptions) {
    this.options = options;
  }

  problem(): string | null {
    return this.why;
  }

  ready(): boolean {
    if (this.opened !== null && !isInPlace(this.opened.store.path, this.opened.inode)) this.moved();
    if (this.why === null) return true;
    if (this.options.now() < this.retryAtMs) return false;
    if (this.opened === null) this.open();
    return this.opened !== null;
  }

  append(events: readonly SeawallEvent[]): boolean {
    if (this.opened === null) return false;
    const failed = this.opened.writer.append(events);
    if (failed === null) {
      this.why = null;
      this.isPersisted = false;
    } else this.fail(failed);
    return failed === null;
  }

  tend(): void {
    this.persist();
    const { now, retention } = this.options;
    if (this.opened === null || now() < this.retainAtMs) return;
    const step = this.opened.tidying.step(now(), retention);
    if (step.kind === "done") this.retainAtMs = now() + RETENTION_INTERVAL_MS;
    if (step.kind !== "failed") return;
    this.retainAtMs = now() + STORE_RETRY_MS;
    // Anything else is found out by the next append, and passes or is said there.
    if (step.problem.kind === "damaged") this.fail(step.problem);
  }

  close(): void {
    const { opened } = this;
    this.opened = null;
    try {
      if (opened !== null) closeStore(opened.store);
    } catch {
      // What it could not write now is in its log, and is read from there.
    }
  }

  open(): void {
    const problem = this.tryOpen();
    if (problem !== null) this.fail(problem);
  }

  tryOpen(): StoreProblem | null {
    try {
      const store = openStore(this.options.stateDir);
      const writer = createEventWriter(store, this.options.epochs);
      const tidying = createTidying(store, () => writer.forgetWords());
      this.opened = { store, writer, tidying, inode: inodeOf(store.path) };
      this.why = null;
      return null;
    } catch (error) {
      if (error instanceof StoreError) return { kind: error.kind, message: error.message };
      return storeProblem(error);
    }
  }

  fail(problem: StoreProblem): void {
    const { now, busyMs } = this.options;
    this.why = problem.message.includes(`(${problem.kind})`)
      ? problem.message
      : `events cannot be written (${problem.kind}): ${problem.message}`;
    // Another writer is soon done; but each try may block for a moment, so there is one a tick.
    const isBusy = problem.kind === "busy";
    this.retryAtMs = now() + (isBusy ? busyMs : STORE_RETRY_MS);
    if (isBusy && this.opened !== null) return;
    this.close();
    if (problem.kind === "damaged") this.begin(problem);
  }

  /** INVARIANT: once for each failure. A new database that is damaged as well waits like any other that fails. */
  begin(damage: StoreProblem): void {
    const { stateDir, now, say } = this.options;
    const aside = setStoreAside(stateDir, now());
    if (aside === null) return;
    const problem = this.tryOpen();
    const next = problem === null ? "a new one is begun" : `a new one cannot be begun: ${problem.message}`;
    say(`the event store is damaged (${damage.message}); it is set aside as ${aside}, and ${next}`);
    if (problem !== null) this.why = problem.message;
  }

  moved(): void {
    this.close();
    this.open();
    if (this.why === null)
      this.options.say("the event store was replaced by another; recording goes on there");
  }

  persist(): void {
    if (this.opened === null || this.isPersisted || this.isPersisting) return;
    this.isPersisting = true;
    this.isPersisted = true;
    persistStore(this.opened.store, (isDone) => {
      this.isPersisting = false;
      if (!isDone) this.isPersisted = false;
    });
  }
}
