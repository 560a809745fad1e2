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
export type AttemptRequest = TcpRequest | UdpRequest | PingRequest;

export type PlayerRequest =
  | AttemptRequest
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
  /** A service that takes connections and does not read until `drain`. */
  | { readonly do: "stall"; readonly port: number }
  /** Reads what waits at `stall` and returns the bytes of each sender, by its port. */
  | { readonly do: "drain"; readonly port: number; readonly quietMs: number }
  /** How many of these source ports were taken here. */
  | { readonly do: "heard"; readonly peerPorts: readonly number[] }
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
