/** A queue with a fixed length that drops its oldest entry rather than grow. */
export interface BoundedQueue<Entry> {
  readonly length: number;
  /** Returns true when the oldest entry had to go. */
  push(entry: Entry): boolean;
  /** Returns up to `count` of the oldest entries, which stay in the queue. */
  peek(count: number): Entry[];
  /** Removes up to `count` of the oldest entries. */
  discard(count: number): void;
}

/** Returns an empty queue for at most `lengthMax` entries. */
export function createBoundedQueue<Entry>(lengthMax: number): BoundedQueue<Entry> {
  const ring: (Entry | undefined)[] = new Array<Entry | undefined>(lengthMax).fill(undefined);
  let start = 0;
  let length = 0;
  const discard = (count: number): void => {
    const removed = Math.min(count, length);
    for (let at = 0; at < removed; at += 1) ring[(start + at) % lengthMax] = undefined;
    start = (start + removed) % lengthMax;
    length -= removed;
  };
  return {
    get length() {
      return length;
    },
    push(entry) {
      const full = length === lengthMax;
      if (full) discard(1);
      ring[(start + length) % lengthMax] = entry;
      length += 1;
      return full;
    },
    peek(count) {
      const entries: Entry[] = [];
      for (let at = 0; at < Math.min(count, length); at += 1) {
        const entry = ring[(start + at) % lengthMax];
        if (entry !== undefined) entries.push(entry);
      }
      return entries;
    },
    discard,
  };
}
