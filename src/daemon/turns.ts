/** Questions to a program that may hang: one at a time, and none twice while it waits. */
export interface Turns {
  /**
   * Does the work when all before it is done. Where one of the same kind still waits, that one is enough: it has yet
   * to look. Resolves, or is refused, as the work is.
   */
  readonly take: (kind: string, work: () => Promise<void>) => Promise<void>;
}

/** Returns turns that nobody waits for. */
export function createTurns(): Turns {
  const waiting = new Map<string, Promise<void>>();
  let last: Promise<void> = Promise.resolve();
  return {
    take: (kind, work) => {
      const same = waiting.get(kind);
      if (same !== undefined) return same;
      const turn = last.then(() => {
        waiting.delete(kind);
        return work();
      });
      waiting.set(kind, turn);
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}
