/** What a test asks a process of a user on the host to do, and what it says. One JSON object a line, both ways. */

export interface Lookup {
  readonly do: "resolve";
  readonly server: string;
  readonly name: string;
  readonly type: string;
  readonly over: "udp" | "tcp";
  readonly port?: number;
  /** The port it is asked from; any when absent. */
  readonly from?: number;
  readonly waitMs?: number;
}

export interface Target {
  readonly address: string;
  readonly port: number;
}

/** A request over TLS or without it; what comes back is the whole answer, or why there is none. */
export interface Exchange extends Target {
  readonly do: "exchange";
  /** Null: no TLS. `name: null`: a greeting without a server name. */
  readonly tls: { readonly name: string | null } | null;
  /** Bytes to send, latin1. */
  readonly text: string;
  /** Sent in pieces of so many bytes. */
  readonly pieceBytes?: number;
  readonly waitMs?: number;
}

export interface StreamWish extends Target {
  readonly do: "stream";
  readonly key: string;
  readonly tls: { readonly name: string } | null;
  readonly host: string;
}

/** Asks for names and pages of them, again and again. */
export interface LoadWish {
  readonly do: "load";
  readonly key: string;
  readonly server: string;
  readonly names: readonly {
    readonly name: string;
    readonly port: number;
    readonly tls: boolean;
    readonly type: "A" | "AAAA" /** Nobody is asked. */;
    readonly address?: string;
  }[];
  readonly everyMs: number;
  /** How long one attempt may take before it counts as failed. */
  readonly limitMs: number;
  /** Sends the question again when there is no answer, as every resolver library does. */
  readonly askAgainMs: number;
}

/** Sends packets where nothing may arrive, again and again. */
export interface HammerWish {
  readonly do: "hammer";
  readonly key: string;
  readonly targets: readonly (Target & { readonly over: "udp" | "tcp" })[];
  readonly everyMs: number;
}

export type Ask =
  | Lookup
  | Exchange
  | StreamWish
  | LoadWish
  | HammerWish
  | ({ readonly do: "datagram"; readonly text: string; readonly from?: number } & Target)
  | ({ readonly do: "listen"; readonly text: string } & Target)
  | { readonly do: "ping"; readonly address: string }
  | { readonly do: "look"; readonly key: string }
  | { readonly do: "end"; readonly key: string };

export type Resolved =
  | {
      readonly kind: "answer";
      readonly rcode: number;
      readonly truncated: boolean;
      /** Addresses, names and texts, in their order. */
      readonly values: readonly string[];
      readonly ttls: readonly number[];
      readonly extendedError: { readonly code: number; readonly text: string } | null;
      readonly tookMs: number;
    }
  | { readonly kind: "failed"; readonly code: string; readonly tookMs: number };

export type Exchanged =
  | { readonly kind: "answer"; readonly text: string }
  | { readonly kind: "failed"; readonly code: string; readonly text: string };

export interface StreamState {
  readonly ticks: number;
  readonly open: boolean;
  readonly longestSilenceMs: number;
  readonly endedMsAgo: number | null;
}

export interface LoadResult {
  readonly attempts: number;
  readonly succeeded: number;
  readonly failures: readonly { readonly name: string; readonly why: string; readonly atMs: number }[];
  /** The longest time in which nothing succeeded. */
  readonly longestGapMs: number;
  /** Addresses that were reached. */
  readonly addresses: readonly string[];
}

export interface Said {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}
