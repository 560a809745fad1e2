/** The chain that asks each new connection whether its place, or its source, has room left in the connection table. */
import type { Place } from "./judged.ts";
import type { NftObject } from "./ruleset.ts";
import { hex32, name, type Nft, nft } from "./text.ts";
import type { Share } from "./share.ts";

export function roomTitle({ generation, direction, name: title }: Place): string {
  return `g${generation}/${direction === "inbound" ? "zone" : "scope"}/${title}/room`;
}

/** The chain for what is over the share. */
export function fullTitle(place: Place): string {
  return `${roomTitle(place)}/full`;
}

/** Returns what is asked of each new connection before it is admitted. */
export function askRoom(place: Place): Nft[] {
  return place.share === null ? [] : [nft`ct state new jump ${name(roomTitle(place))}`];
}

export interface Room {
  readonly objects: readonly NftObject[];
  /** Returns to who asked when there is room. */
  readonly rules: readonly Nft[];
}

/** Returns the rules of the chain that `askRoom` jumps to. */
export function roomRules(place: Place, share: Share): Room {
  const full = nft`goto ${name(fullTitle(place))}`;
  const burst = Math.max(share.connections, share.newPerSecond * 2);
  const pace = nft`limit rate over ${share.newPerSecond}/second burst ${burst} packets`;
  const count = nft`ct count over ${share.connections}`;
  const memory = share.forgets ? briefly() : { objects: [], rules: [] };
  if (share.of === "place") {
    const set = `room_${share.connections}`;
    // One list for the whole scope; whose it is stands in a key that never changes.
    const key = nft`ct mark and ${hex32((place.scope << 24) >>> 0)} or ${hex32((place.scope << 24) >>> 0)}`;
    return {
      objects: [{ kind: "room", name: set, of: "place" }, ...memory.objects],
      rules: [nft`${pace} ${full}`, nft`add @${name(set)} { ${key} ${count} } ${full}`, ...memory.rules],
    };
  }
  const sources = [
    { family: 4, key: nft`ip saddr` },
    { family: 6, key: nft`ip6 saddr and ffff:ffff:ffff:ffff::` },
  ] as const;
  return {
    objects: [
      ...sources.flatMap(({ family }): NftObject[] => [
        { kind: "room", name: `room${family}_${share.connections}`, of: family },
        { kind: "pace", name: `pace${family}_${share.newPerSecond}`, family },
      ]),
      ...memory.objects,
    ],
    rules: [
      ...sources.flatMap(({ family, key }) => [
        nft`update @${name(`pace${family}_${share.newPerSecond}`)} { ${key} ${pace} } ${full}`,
        nft`add @${name(`room${family}_${share.connections}`)} { ${key} ${count} } ${full}`,
      ]),
      ...memory.rules,
    ],
  };
}

/** Closed TCP connections are not counted as being there, so they must not stay for long. */
function briefly(): Room {
  return {
    objects: ([4, 6] as const).map((family) => ({ kind: "brief-tcp", name: `brief_tcp${family}`, family })),
    rules: [
      nft`meta nfproto ipv4 meta l4proto tcp ct timeout set "brief_tcp4"`,
      nft`meta nfproto ipv6 meta l4proto tcp ct timeout set "brief_tcp6"`,
    ],
  };
}
