/** What the clock, or the owner's way back, keeps from being in force. */
import type { Status } from "../../../apply/status.ts";

const HELD =
  "held       what is allowed only until a time waits for the clock to be set (timedatectl; seawall apply)";
const RESCUED = "rescued    by the owner: only guards are in force, now and at the next start";

export function heldLine({ held }: Status): string[] {
  return held ? [HELD] : [];
}

export function rescuedLines({ rescued }: Status): string[] {
  return rescued ? [RESCUED, "Next: seawall apply FILE"] : [];
}
