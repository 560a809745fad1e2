/** Interleaved measuring: one round asks every contender once, so that what disturbs one disturbs its peer. */

export interface Contender<Value = number> {
  readonly name: string;
  /** Measures once and returns the figure (a time or a rate), or several. Throws when it could not be measured. */
  readonly once: () => Value | Promise<Value>;
}

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly n: number;
}

/** Values by contender, in the order of the rounds: the same index is the same round. */
export type Samples = ReadonlyMap<string, readonly number[]>;

/**
 * Returns `rounds` values of each contender: A B C, then C B A, and so on, so that neither is always the one that
 * finds the machine cold. `warmUp` rounds before them are not counted.
 */
export async function interleave<Value = number>(
  contenders: readonly Contender<Value>[],
  rounds: number,
  warmUp = 0,
): Promise<ReadonlyMap<string, readonly Value[]>> {
  const samples = new Map<string, Value[]>(contenders.map(({ name }) => [name, []]));
  for (let round = -warmUp; round < rounds; round += 1) {
    const order = round % 2 === 0 ? contenders : contenders.toReversed();
    for (const { name, once } of order) {
      const value = await once();
      if (round >= 0) samples.get(name)?.push(value);
    }
  }
  return samples;
}

/** Returns one figure of samples that have several. */
export function pick<Value>(
  samples: ReadonlyMap<string, readonly Value[]>,
  figure: (value: Value) => number,
): Samples {
  return new Map(Array.from(samples, ([name, values]) => [name, values.map(figure)]));
}

/** Returns the values of one contender. Throws when it was not measured: a mistake of the benchmark. */
export function valuesOf(samples: Samples, name: string): readonly number[] {
  const values = samples.get(name);
  if (values === undefined || values.length === 0) throw new Error(`\`${name}\` was not measured`);
  return values;
}

/** Returns `ours / peer` of each round. */
export function ratios(ours: readonly number[], peer: readonly number[]): number[] {
  return ours.slice(0, peer.length).map((value, at) => value / (peer[at] ?? Number.NaN));
}

export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
  return { median, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN, n: sorted.length };
}
