/** What the clock, or the owner's way back, keeps from being in force. */
import type { Status } from "../../../apply/status.ts";

export function heldLines({ held }: Status): string[] {
  if (!held) return [];
  return [
    "held           what is allowed only until a time waits for the clock to be set",
    "               (timedatectl; sudo seawall apply)",
  ];
}

export function rescuedLines({ rescued }: Status): string[] {
  return rescued ? ["Next: sudo seawall apply"] : [];
}
