/** What timers and sockets call: a failure there is said, and never ends the daemon. */

/** LIMIT: different failures remembered as said. */
const SAID_MAX = 100;

export interface Guard {
  /** Runs `work` now; returns its value, or undefined when it failed. */
  readonly run: <Value>(what: string, work: () => Value) => Value | undefined;
  /** Returns a callback that never throws; a promise that it returns is waited for. */
  readonly callback: <Args extends readonly unknown[]>(
    what: string,
    work: (...args: Args) => unknown,
  ) => (...args: Args) => void;
}

/**
 * Returns a guard that says each failure once until something else fails there. INVARIANT: what it guards leaves the
 * kernel as it is when it fails, so going on is never weaker than ending.
 */
export function createGuard(say: (sentence: string) => void): Guard {
  const said = new Map<string, string>();
  const failed = (what: string, cause: unknown): void => {
    const text = cause instanceof Error ? cause.message : String(cause);
    if (said.get(what) === text) return;
    if (said.size >= SAID_MAX) said.clear();
    said.set(what, text);
    say(`${what}: ${text}; the kernel goes on enforcing`);
  };
  return {
    run: (what, work) => {
      try {
        return work();
      } catch (cause) {
        failed(what, cause);
        return undefined;
      }
    },
    callback:
      (what, work) =>
      (...args) => {
        try {
          const value = work(...args);
          if (value instanceof Promise) value.catch((cause: unknown) => failed(what, cause));
        } catch (cause) {
          failed(what, cause);
        }
      },
  };
}
