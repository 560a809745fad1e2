import { setTimeout as sleep } from "node:timers/promises";

/** Asks again and again until `probe` gives `wanted` or the limit passes; returns the last answer. */
export async function eventually<Value>(
  probe: () => Promise<Value>,
  wanted: Value,
  limitMs = 10_000,
): Promise<Value> {
  const limit = Date.now() + limitMs;
  for (;;) {
    const value = await probe();
    if (value === wanted || Date.now() > limit) return value;
    await sleep(25);
  }
}
