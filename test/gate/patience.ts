/** Waiting for what happens on the loopback, without saying how long that takes. */
import assert from "node:assert/strict";

const TURNS_MAX = 20_000;

/** Lets what is on its way over the loopback arrive. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Resolves once it is true; fails when it does not become so. Needs no timer, so that a test may hold the clock. */
export async function until(isTrue: () => boolean, what?: () => string): Promise<void> {
  for (let turn = 0; turn < TURNS_MAX && !isTrue(); turn += 1) await turns();
  assert.ok(isTrue(), what?.());
}
