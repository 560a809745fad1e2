/** Rules that took the place of ours: at a start that failed, or by the owner's hand. Told by the kernel alone. */
import type { LiveState } from "../edge/kernel/live.ts";
import { FALLBACK_SEAL } from "./seal.ts";

/** The chain that stands in the table after `seawall rescue`; see share/boot/rescue.nft. */
const RESCUE_CHAIN = "rescue";

/** Whether the owner put the rescue rules in force. */
export function isRescue(live: LiveState | null): boolean {
  return live?.chains.has(RESCUE_CHAIN) === true;
}

/** Whether the rules are those of a start that could not load what was confirmed. */
export function isFallback(live: LiveState): boolean {
  return live.committed !== null && live.seals.get(live.committed) === FALLBACK_SEAL;
}
