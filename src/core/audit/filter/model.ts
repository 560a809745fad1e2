/** A packet filter as far as the audit reads it: what it cannot read is kept as such, never guessed. */

export type Field =
  | "in"
  | "out"
  | "family"
  | "protocol"
  | "port"
  | "original-port"
  | "source4"
  | "source6"
  | "destination4"
  | "destination6"
  /** Whether the packet is for this host: `local`, `unicast` (fib in nft(8), addrtype in iptables-extensions(8)). */
  | "destination-type"
  | "state"
  | "nat"
  | "mark";

export type Value = string | number | bigint;

/** Values from `first` to `last`; for names both are the same, and a final `*` stands for any rest. */
export interface Span {
  readonly first: Value;
  readonly last: Value;
}

export type Term =
  | {
      readonly kind: "field";
      readonly field: Field;
      readonly negated: boolean;
      readonly any: readonly Span[];
    }
  /** Something that is not modelled: it may match or not. */
  | { readonly kind: "opaque" };

export type Verdict =
  | { readonly kind: "accept" }
  | { readonly kind: "drop" }
  | { readonly kind: "return" }
  | { readonly kind: "jump"; readonly chain: string }
  | { readonly kind: "goto"; readonly chain: string }
  /** A map of verdicts: the first entry that matches decides. */
  | {
      readonly kind: "map";
      readonly entries: readonly { readonly terms: readonly Term[]; readonly verdict: Verdict }[];
    }
  /** A verdict that is not modelled: it may accept, drop, or go on. */
  | { readonly kind: "opaque" };

export interface Rule {
  readonly terms: readonly Term[];
  /** Null when the rule only counts, logs or marks. */
  readonly verdict: Verdict | null;
}

export type Hook = "prerouting" | "input" | "forward" | "output" | "postrouting" | "ingress";

export interface BaseChain {
  readonly hook: Hook;
  readonly priority: number;
  readonly policy: "accept" | "drop";
  readonly chain: string;
  readonly type: string;
}

export interface Table {
  /** As a person names it: `inet seawall`, `iptables filter`. */
  readonly name: string;
  readonly family: "ip" | "ip6" | "inet";
  readonly chains: ReadonlyMap<string, readonly Rule[]>;
  readonly base: readonly BaseChain[];
}

/** What is known of one packet; a field that it does not have (an IPv6 source of an IPv4 packet) is missing. */
export type Packet = ReadonlyMap<Field, Value>;

/** What may happen to a packet. More than one when a rule that is not modelled stands in its way. */
export interface Possible {
  readonly accept: boolean;
  readonly drop: boolean;
  /** The chain that drops it, when one certainly does: `inet filter input`. */
  readonly by: string | null;
}
