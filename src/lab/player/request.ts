/** What a player (a process in one namespace of the lab) can be asked. JSON, one a line, both ways. */
export interface Target {
  readonly to: string;
  readonly port: number;
  readonly from?: string;
}

export type Outcome =
  | "connected"
  | "answered"
  | "echoed"
  | "refused"
  | "reset"
  | "timeout"
  | "unanswered"
  | "unreachable";

/** How one attempt ended, as the program that made it saw it. */
export interface Attempt {
  readonly outcome: Outcome;
  readonly localPort: number | null;
  /** The first words of the one who answered. */
  readonly said: string | null;
  readonly ms: number;
}

export type TcpRequest = Target & { readonly do: "tcp"; readonly deadlineMs: number; readonly keep?: string };
export type UdpRequest = Target & { readonly do: "udp"; readonly deadlineMs: number };
export type PingRequest = {
  readonly do: "ping";
  readonly to: string;
  readonly deadlineMs: number;
  /** Sent as this user, by a player that is root. */
  readonly uid?: number;
};
/** Asks for a page by name, as a program does that resolves, connects and speaks. */
export type FetchRequest = {
  readonly do: "fetch";
  readonly host: string;
  readonly scheme: "http" | "https" | "proxy";
  /** Where it connects, instead of where the name leads; then nothing is resolved. */
  readonly to?: string;
  readonly family: 4 | 6;
  /** The server that is asked for the address, as if none of ours were in the way. */
  readonly resolver: string;
  readonly proxyPort: number;
  readonly deadlineMs: number;
};
export type ResolveRequest = {
  readonly do: "resolve";
  readonly host: string;
  readonly type: "A" | "TXT";
  readonly resolver: string;
};

/** How a look-up or a fetch ended: what was said, or in which step it failed and how. */
export interface Fetched {
  readonly outcome: "fetched" | "resolved" | "unknown name" | "refused" | "alert" | "reset" | "timeout";
  readonly said: string | null;
}

export type AttemptRequest = TcpRequest | UdpRequest | PingRequest;

export type PlayerRequest =
  | AttemptRequest
  | FetchRequest
  | ResolveRequest
  /** Serves names: a resolver on a port of its own, and web sites that say who they are. */
  | {
      readonly do: "web";
      readonly resolver: { readonly address: string; readonly port: number };
      readonly zone: Readonly<Record<string, readonly string[]>>;
    }
  /** How many questions reached the resolver for names that end so. */
  | { readonly do: "asked"; readonly suffix: string }
  /** Makes the attempt in a process that this one starts. */
  | { readonly do: "child"; readonly attempt: AttemptRequest }
  /** Sends a word over a connection that was kept, and waits for its echo. */
  | { readonly do: "say"; readonly key: string; readonly deadlineMs: number }
  | {
      readonly do: "listen";
      readonly name: string;
      readonly tcp: readonly number[];
      readonly udp: readonly number[];
      readonly address?: string;
    }
  /** Calls itself something else, as everybody may. */
  | { readonly do: "rename"; readonly name: string }
  /** A service that takes connections and does not read until `drain`. */
  | { readonly do: "stall"; readonly port: number }
  /** Reads what waits at `stall` and returns the bytes of each sender, by its port. */
  | { readonly do: "drain"; readonly port: number; readonly quietMs: number }
  /** How many of these source ports were taken here. */
  | { readonly do: "heard"; readonly peerPorts: readonly number[] }
  /** How many connections and datagrams came to this player's services so far. */
  | { readonly do: "taken" }
  /** Hands `bytes` to the kernel and exits; answers nothing but the source port. */
  | (Target & { readonly do: "leave"; readonly bytes: number })
  | { readonly do: "sysctl"; readonly values: Readonly<Record<string, string>> };

export interface PlayerAnswer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** LIMIT: source ports of one player; each attempt takes the next one, so that its log line can be found. */
export const PORTS_OF_A_PLAYER = 500;
