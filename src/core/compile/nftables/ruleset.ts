/** A ruleset of one generation as objects, before it is text: what to declare, and which chains to fill. */
import type { Intervals4, Intervals6 } from "../../net/prefix-set.ts";
import { comment, name, type Nft, nft } from "./text.ts";

/**
 * Objects outlive a generation when their name does: names of static sets carry a hash of their content, names
 * of meters, pins and counters the rule's id and what it counts, so unchanged rules keep what they know.
 */
export type NftObject =
  | { readonly kind: "counter"; readonly name: string; readonly about: string }
  /** Static prefixes, by content. */
  | {
      readonly kind: "prefixes";
      readonly name: string;
      readonly family: 4;
      readonly about: string;
      readonly intervals: Intervals4;
    }
  | {
      readonly kind: "prefixes";
      readonly name: string;
      readonly family: 6;
      readonly about: string;
      readonly intervals: Intervals6;
    }
  /** New connections of each source. */
  | { readonly kind: "meter"; readonly name: string; readonly family: 4 | 6; readonly seconds: number }
  /** Addresses that our resolver gave for the names of a rule. */
  | { readonly kind: "pins"; readonly name: string; readonly family: 4 | 6; readonly about: string }
  /** `address . port` of the names of a scope, where the gate reads the name. */
  | { readonly kind: "web-pins"; readonly name: string; readonly family: 4 | 6; readonly about: string }
  /** The resolvers that the gates ask, kept by the daemon. */
  | { readonly kind: "resolvers"; readonly name: string; readonly family: 4 | 6 }
  /** How long the connection table remembers DNS that was diverted, and TCP that was closed. */
  | {
      readonly kind: "short-memory";
      readonly name: string;
      readonly family: 4 | 6;
      /** Absent in a ruleset that 0.1.0 kept. */
      readonly unansweredSeconds?: number;
    }
  | { readonly kind: "brief-tcp"; readonly name: string; readonly family: 4 | 6 }
  /** The connections of each place, or of each source of a family. */
  | { readonly kind: "room"; readonly name: string; readonly of: "place" | 4 | 6 }
  /** How fast each source begins connections. */
  | { readonly kind: "pace"; readonly name: string; readonly family: 4 | 6 }
  /** Which ends, or kinds, had their first lines in the log lately, by bucket. */
  | { readonly kind: "first-lines"; readonly name: string }
  /** The first lines of a zone or scope altogether. */
  | { readonly kind: "line-limit"; readonly name: string }
  /** Says by family that a gate answers, as long as it knocks; while a scope is only watched its DNS follows it. */
  | { readonly kind: "alive"; readonly name: string }
  /** Stamps of connections that pass without being judged again. */
  | { readonly kind: "admitted"; readonly name: string; readonly marks: readonly Nft[] }
  /** Interfaces of a scope, filled when it is applied. */
  | {
      readonly kind: "interfaces";
      readonly name: string;
      readonly about: string;
      readonly known: readonly string[];
    }
  /** A map from where and what to a rule's chain; belongs to its generation. */
  | {
      readonly kind: "verdicts";
      readonly name: string;
      readonly key: Nft;
      readonly about: string;
      readonly elements: readonly Nft[];
    };

export interface Chain {
  readonly name: string;
  readonly about: string;
  readonly rules: readonly Nft[];
}

export interface Ruleset {
  readonly generation: number;
  readonly objects: readonly NftObject[];
  readonly chains: readonly Chain[];
  /** The chains of this generation that the base chains go to. */
  readonly entry: { readonly prerouting: string; readonly output: string };
  /** Whether a gate is needed: then the chains that divert are loaded too. */
  readonly gated: boolean;
}

/** LIMIT: sources a meter remembers; beyond it new sources are over their rate, never under it. */
export const METER_SOURCES_MAX = 65_535;
/** LIMIT: addresses pinned for one rule, or addresses and ports of one scope, and family. */
export const PINS_MAX = 16_384;

/** LIMIT: buckets of a set of first lines, and so its elements. */
export const FIRST_BUCKETS = 16_384;
/** LIMIT: first lines of one zone or scope; those of ends and those of kinds apart. */
export const FIRST_LINES_PER_SECOND_MAX = 5_000;
export const FIRST_LINES_BURST = 20_000;

/** LIMIT: sources whose connections are known. Those beyond are not limited, so that nobody is shut out by it. */
export const ROOM_SOURCES_MAX = 65_535;
/** How long the connection table remembers a connection that both sides closed. */
export const CLOSED_SECONDS = 3;

/** A question that is sent again from the same port after this time is diverted anew, or passes by a dead gate. */
export const DIVERTED_DNS_SECONDS = 4;

/** Returns the declaration of an object: everything but the elements of large sets is in it. */
export function declare(object: NftObject): Nft {
  const title = name(object.name);
  switch (object.kind) {
    case "counter":
      return nft`counter ${title} { ${comment(object.about)}; }`;
    case "prefixes":
      return nft`set ${title} { type ${addressType(object.family)}; flags interval; ${comment(object.about)}; }`;
    case "meter":
      return nft`set ${title} { type ${addressType(object.family)}; size ${METER_SOURCES_MAX}; flags dynamic,timeout; timeout ${object.seconds}s; }`;
    case "pins":
      return nft`set ${title} { type ${addressType(object.family)}; size ${PINS_MAX}; flags timeout; ${comment(object.about)}; }`;
    case "web-pins":
      return nft`set ${title} { type ${addressType(object.family)} . inet_service; size ${PINS_MAX}; flags timeout; ${comment(object.about)}; }`;
    case "resolvers":
      return nft`set ${title} { type ${addressType(object.family)} . inet_proto . inet_service; flags timeout; }`;
    case "short-memory":
      return nft`ct timeout ${title} { protocol udp; l3proto ${object.family === 4 ? nft`ip` : nft`ip6`}; policy = { unreplied : ${object.unansweredSeconds ?? DIVERTED_DNS_SECONDS}, replied : ${DIVERTED_DNS_SECONDS} }; }`;
    case "first-lines":
      return nft`set ${title} { type mark; size ${FIRST_BUCKETS}; flags dynamic,timeout; timeout 1h; }`;
    case "line-limit":
      return nft`limit ${title} { rate ${FIRST_LINES_PER_SECOND_MAX}/second burst ${FIRST_LINES_BURST} packets; }`;
    case "brief-tcp":
      return nft`ct timeout ${title} { protocol tcp; l3proto ${object.family === 4 ? nft`ip` : nft`ip6`}; policy = { time_wait : ${CLOSED_SECONDS}, close : ${CLOSED_SECONDS} }; }`;
    case "room":
      return object.of === "place"
        ? nft`set ${title} { type mark; size 16; flags dynamic; }`
        : nft`set ${title} { type ${addressType(object.of)}; size ${ROOM_SOURCES_MAX}; flags dynamic; }`;
    case "pace":
      return nft`set ${title} { type ${addressType(object.family)}; size ${ROOM_SOURCES_MAX}; flags dynamic,timeout; timeout 10s; }`;
    case "alive":
      return nft`set ${title} { type nf_proto; size 4; flags dynamic,timeout; }`;
    case "interfaces":
      return nft`set ${title} { type ifname; ${comment(object.about)}; }`;
    case "admitted":
      return nft`map ${title} { type mark : verdict; }`;
    case "verdicts":
      return nft`map ${title} { typeof ${object.key} : verdict; flags interval; ${comment(object.about)}; }`;
  }
}

function addressType(family: 4 | 6): Nft {
  return family === 4 ? nft`ipv4_addr` : nft`ipv6_addr`;
}
