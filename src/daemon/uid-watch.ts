/** Looks whether scopes are still who the kernel takes for them, and says it once when they are not. */
import { scopeAlarms } from "../apply/scope-alarm.ts";
import { readLive } from "../edge/kernel/live.ts";
import type { Guard } from "./guarded.ts";
import type { Say } from "./say.ts";

/** How often: two small files, and a few answers of the kernel. */
const STEP_MS = 5_000;

/** Looks now and from now on. Watches until `stop`. */
export function startUidWatch(state: string, guard: Guard, say: Say): { readonly stop: () => void } {
  let said: ReadonlySet<string> = new Set();
  const look = guard.callback("who the scopes are is not looked at", () => {
    const found = new Map(scopeAlarms(state, readLive()).map((one) => [one.said, one]));
    for (const [text, { help }] of found) if (!said.has(text)) say(`ALARM: ${text}; try: ${help}`);
    if (said.size > 0 && found.size === 0) say("the scopes are again who the kernel takes for them");
    said = new Set(found.keys());
  });
  look();
  const timer = setInterval(look, STEP_MS);
  return { stop: () => clearInterval(timer) };
}
