/** What the name servers of a test say. A test may change it at any moment. */
export type ZoneRecord =
  | { readonly type: "A" | "AAAA" | "CNAME" | "TXT"; readonly value: string; readonly ttl?: number }
  /** One address at a time, the next one after each interval. */
  | {
      readonly type: "TURNS";
      readonly values: readonly string[];
      readonly everyMs: number;
      readonly ttl: number;
    };

export interface ZoneEntry {
  readonly records: readonly ZoneRecord[];
  /** Sent instead of an answer. */
  readonly rcode?: number;
  /** An answer over UDP says only that there is more (RFC 1035 4.1.1, TC). */
  readonly truncated?: boolean;
}

export type Zone = Readonly<Record<string, ZoneEntry>>;

/** How a server behaves, whatever it is asked. */
export interface ServerMood {
  readonly silent?: boolean;
  readonly delayMs?: number;
  readonly rcode?: number;
}

export type Moods = Readonly<Record<string, ServerMood>>;

export const TTL_SECONDS = 60;

export const RESOLVER = "203.0.113.1";
export const SECOND_RESOLVER = "203.0.113.2";
/** Resolvers that nobody named: nothing may come to them. */
export const OTHER_RESOLVER4 = "8.8.8.8";
export const OTHER_RESOLVER6 = "2001:4860:4860::8888";

/** Where the listed names are, and their neighbours on the same address. */
export const SITE4 = "93.184.215.14";
export const SITE6 = "2606:2800:21f:cb07::14";
/** Where no listed name is. */
export const ELSEWHERE4 = "45.33.32.156";
export const ELSEWHERE6 = "2600:3c01::f03c:91ff";
/** What a rule with `private: true` may reach. */
export const PRIVATE4 = "10.1.2.4";
/** A public address of the host itself. */
export const OWN_PUBLIC4 = "23.192.228.80";
export const METADATA = "169.254.169.254";
/** Where a listed name is alone. */
export const THIRD4 = "140.82.112.5";
/** More places for names that move. */
export const PLACES: readonly string[] = Array.from({ length: 20 }, (_, at) => `151.101.0.${at + 1}`);

export const ADDRESSES: readonly string[] = [
  SECOND_RESOLVER,
  OTHER_RESOLVER4,
  OTHER_RESOLVER6,
  SITE4,
  SITE6,
  ELSEWHERE4,
  ELSEWHERE6,
  METADATA,
  PRIVATE4,
  THIRD4,
  "10.1.2.3",
  ...PLACES,
];

const both = (v4: string, v6: string): ZoneEntry => ({
  records: [
    { type: "A", value: v4 },
    { type: "AAAA", value: v6 },
  ],
});
const only = (...values: readonly string[]): ZoneEntry => ({
  records: values.map((value) => ({ type: value.includes(":") ? "AAAA" : "A", value })),
});

/** What every world begins with. */
export const ZONE: Zone = {
  "good.example.com": both(SITE4, SITE6),
  "second.example.com": both(SITE4, SITE6),
  "v4.example.com": only(SITE4),
  "v6.example.com": only(SITE6),
  "third.example.com": only(THIRD4),
  "neighbour.example.net": both(SITE4, SITE6),
  "evil.example.net": both(ELSEWHERE4, ELSEWHERE6),
  "api.example.org": both(SITE4, SITE6),
  "deep.api.example.org": both(SITE4, SITE6),
  "denied.example.org": both(SITE4, SITE6),
  "alias.example.com": { records: [{ type: "CNAME", value: "edge.cdn.example.net" }] },
  "alias-to-private.example.com": { records: [{ type: "CNAME", value: "rfc1918.example.com" }] },
  "edge.cdn.example.net": only(SITE4),
  "rfc1918.example.com": only("10.1.2.3"),
  "loopback.example.com": only("127.0.0.1"),
  "metadata.example.com": only(METADATA),
  "own.example.com": only(OWN_PUBLIC4),
  "own6.example.com": only("2001:db8:1::10"),
  "six-to-four.example.com": only("2002:0a01:0203::1"),
  "mapped.example.com": only("::ffff:10.1.2.3"),
  "nat64.example.com": only("64:ff9b::a01:203"),
  "shared.example.com": only("100.64.1.1"),
  "half.example.com": only(SITE4, "10.1.2.3"),
  "private.example.com": only(PRIVATE4),
  "text.example.com": {
    records: [
      { type: "TXT", value: "hello" },
      { type: "A", value: SITE4 },
    ],
  },
  "long.example.com": { ...only(SITE4), truncated: true },
  "turning.example.com": { records: [{ type: "TURNS", values: PLACES, everyMs: 1_000, ttl: 1 }] },
  "slow.example.com": { records: [{ type: "TURNS", values: PLACES, everyMs: 5_000, ttl: 4 }] },
  "lasting.example.com": { records: [{ type: "A", value: SITE4, ttl: 86_400 }] },
  "many.example.com": {
    records: Array.from({ length: 200 }, (_, at) => ({
      type: "A",
      value: at === 0 ? SITE4 : `151.101.1.${at + 1}`,
    })),
    truncated: true,
  },
  "broken.example.com": { records: [], rcode: 2 },
};
