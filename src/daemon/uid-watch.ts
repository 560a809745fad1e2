/** Looks whether scopes are still who the kernel takes for them, and says it once when they are not. */
import { scopeAlarms } from "../apply/scope-alarm.ts";
import { readLive } from "../edge/kernel/live.ts";
import type { Say } from "./say.ts";

/** How often: two small files, and a few answers of the kernel. */
export const UID_STEP_MS = 5_000;

/** Returns a function that looks once. What is said stays said until it is over. */
export function createUidWatch(state: string, say: Say): () => void {
  let said: ReadonlySet<string> = new Set();
  return () => {
    const found = new Map(scopeAlarms(state, readLive()).map((one) => [one.said, one]));
    for (const [text, { help }] of found) if (!said.has(text)) say(`ALARM: ${text}; try: ${help}`);
    if (said.size > 0 && found.size === 0) say("the scopes are again who the kernel takes for them");
    said = new Set(found.keys());
  };
}
