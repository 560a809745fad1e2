/** What a benchmark hands back: figures, ratios to the peer measured in the same rounds, and the goals. */
import { ratios, type Samples, summarize, type Summary, valuesOf } from "./sample.ts";

export interface Figure {
  readonly what: string;
  readonly unit: string;
  readonly summary: Summary;
}

export interface Goal {
  readonly bound: "at least" | "at most";
  readonly ratio: number;
}

export interface Comparison {
  readonly what: string;
  /** Ratio of each round. */
  readonly summary: Summary;
  readonly goal: Goal | null;
  readonly reached: boolean | null;
}

export interface BenchResult {
  readonly name: string;
  readonly title: string;
  readonly figures: readonly Figure[];
  readonly comparisons: readonly Comparison[];
  /** What a reader must know to read the figures. */
  readonly notes: readonly string[];
}

export type Outcome =
  | { readonly ok: true; readonly result: BenchResult; readonly seconds: number }
  /** A measurement could not be made. */
  | { readonly ok: false; readonly name: string; readonly why: string };

/** Returns the figure of every contender. */
export function figuresOf(samples: Samples, unit: string): Figure[] {
  return [...samples].map(([what, values]) => ({ what, unit, summary: summarize(values) }));
}

/** Compares by the ratio `over / under` of each round, and judges the goal by the median. */
export function compare(
  samples: Samples,
  { over, under, goal }: { readonly over: string; readonly under: string; readonly goal?: Goal },
): Comparison {
  return judge(`${over} / ${under}`, ratios(valuesOf(samples, over), valuesOf(samples, under)), goal ?? null);
}

/** Returns the comparison of ratios that were already made. */
export function judge(what: string, values: readonly number[], goal: Goal | null): Comparison {
  const summary = summarize(values);
  return { what, summary, goal, reached: goal === null ? null : isReached(summary.median, goal) };
}

function isReached(median: number, { bound, ratio }: Goal): boolean {
  return bound === "at least" ? median >= ratio : median <= ratio;
}
