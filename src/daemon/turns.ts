/** Questions to a program that may hang: one at a time, and none twice while it waits. */
export interface Turns<Value = void> {
  /**
   * Does the work when all before it is done. Where one of the same kind still waits, that one is enough: it has yet
   * to look. Resolves, or is refused, as the work is.
   */
  readonly take: (kind: string, work: () => Promise<Value>) => Promise<Value>;
}

/** Returns turns that nobody waits for. */
export function createTurns<Value = void>(): Turns<Value> {
  const waiting = new Map<string, Promise<Value>>();
  let last: Promise<unknown> = Promise.resolve();
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
