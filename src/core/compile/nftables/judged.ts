/** Where a packet is judged; everything that is asked there carries its name. */
import type { Direction } from "../../policy/document.ts";
import type { Share } from "./share.ts";

/** Where a packet is judged: a zone (inbound) or a scope (outbound) of one generation. */
export interface Place {
  readonly direction: Direction;
  readonly generation: number;
  /** Name of the zone or scope. */
  readonly name: string;
  /** Scope bits of the mark. */
  readonly scope: number;
  /** Whether the direction is only watched. */
  readonly watching: boolean;
  /** What new connections of the place may take of the connection table; null where nothing is known of it. */
  readonly share: Share | null;
}

export function placeTitle(place: Place): string {
  return `g${place.generation}/${place.direction === "inbound" ? "zone" : "scope"}/${place.name}`;
}
