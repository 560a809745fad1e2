/** A change that waits for its confirm ends by itself. */
import type { Status } from "../../../apply/status.ts";
import { spanText } from "../moment.ts";

export function waitingLines({ confirmBy, leftMs, before }: Status): string[] {
  if (confirmBy === null) return [];
  const then = before === null ? "nothing of Seawall" : `history ${before} again`;
  return [`ON TRIAL       ${spanText(leftMs ?? 0)} left, then ${then} unless confirmed`];
}
