/** Who is let in to speak as a gate, and how often: each link costs seawalld a setup, and each refusal a little. */

/** LIMIT: links that may begin at once, and how many more a second; a gate that crashes begins a few a second. */
export const LINKS_AT_ONCE_MAX = 20;
export const LINKS_PER_SECOND_MAX = 5;
/** LIMIT: connections turned away in one second; beyond it nobody can connect for DOOR_SHUT_MS. */
export const TURNED_AWAY_PER_SECOND_MAX = 200;
export const DOOR_SHUT_MS = 1_000;

export interface DoorKeeper {
  /** Whether one more link may begin now. */
  readonly admits: (nowMs: number) => boolean;
  /** Notes one that was turned away. Returns whether the door is to be shut for a while. */
  readonly turnedAway: (nowMs: number) => boolean;
}

/** Returns a keeper that has seen nobody yet. */
export function createDoorKeeper(): DoorKeeper {
  let left = LINKS_AT_ONCE_MAX;
  let refilledMs = 0;
  let away = 0;
  let awaySinceMs = 0;
  return {
    admits: (nowMs) => {
      left = Math.min(LINKS_AT_ONCE_MAX, left + ((nowMs - refilledMs) / 1_000) * LINKS_PER_SECOND_MAX);
      refilledMs = nowMs;
      if (left < 1) return false;
      left -= 1;
      return true;
    },
    turnedAway: (nowMs) => {
      if (nowMs - awaySinceMs >= 1_000) {
        away = 0;
        awaySinceMs = nowMs;
      }
      away += 1;
      if (away < TURNED_AWAY_PER_SECOND_MAX) return false;
      away = 0;
      return true;
    },
  };
}
