/** What ends by itself: a change that waits, a pause. */
import type { Status } from "../../../apply/status.ts";

export function confirmLines({ confirmBy }: Status): string[] {
  if (confirmBy === null) return [];
  return [
    `confirm    until ${confirmBy}, or the kernel goes back`,
    "Next: log in anew and run `seawall confirm`",
  ];
}

export function pauseLine({ pausedUntil }: Status): string[] {
  if (pausedUntil === null) return [];
  return [`paused     outbound is only watched until ${pausedUntil} (sooner: seawall pause --off)`];
}
