/** What is in force, in the first words of the screen. */
import type { Status } from "../../../apply/status.ts";

const WORDS: Record<Status["state"], string> = {
  off: "OFF        nothing of Seawall is in the kernel; nothing is protected by it",
  observing: "OBSERVING  connections are judged and logged, but not stopped (guards are)",
  enforcing: "ENFORCING  the kernel holds the rules, with or without a daemon",
  pending: "PENDING    a change waits for its confirm",
  panic: "PANIC      the agents reach nothing and nothing but SSH comes in, until `seawall panic --off`",
  drifted: "DRIFTED    the kernel does not hold what was applied",
};

export function headline({ state }: Status): string[] {
  return [WORDS[state]];
}

export function modeLine({ mode }: Status): string[] {
  return mode === null ? [] : [`mode       inbound ${mode.inbound}, outbound ${mode.outbound}`];
}
