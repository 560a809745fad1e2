/** A small seeded generator (mulberry32): the same seed gives the same run on every machine. */
export interface SeededRandom {
  /** 0 <= integer < bound. */
  below(bound: number): number;
  /** True once in `often` times. */
  once(often: number): boolean;
  pick<Value>(values: readonly Value[]): Value;
  /** `count` values, each once, in random order; all of them when there are fewer. */
  sample<Value>(values: readonly Value[], count: number): Value[];
}

export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (bound: number): number => Math.floor(next() * bound);
  return {
    below,
    once: (often) => below(often) === 0,
    pick: (values) => {
      const value = values[below(values.length)];
      if (value === undefined) throw new Error("nothing to pick from");
      return value;
    },
    sample: (values, count) => {
      const rest = [...values];
      const taken = Math.min(count, rest.length);
      for (let at = 0; at < taken; at += 1) {
        const other = at + below(rest.length - at);
        [rest[at], rest[other]] = [rest[other] as (typeof rest)[number], rest[at] as (typeof rest)[number]];
      }
      return rest.slice(0, taken);
    },
  };
}
