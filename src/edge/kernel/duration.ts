const UNIT_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** Returns the milliseconds of nft's `1h2m3s4ms`. */
export function durationMs(text: string): number {
  let total = 0;
  for (const [, count, word] of text.matchAll(/([0-9]+)(ms|d|h|m|s)/g))
    total += Number(count) * (UNIT_MS[word ?? ""] ?? 0);
  return total;
}
