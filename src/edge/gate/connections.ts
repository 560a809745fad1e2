/** The open connections of one scope: counted, limited, judged again when the policy changes. */
import type { Socket } from "node:net";
import type { Hostname } from "../../core/net/hostname.ts";
import type { Ip } from "../../core/net/ip.ts";

export interface OpenConnection {
  readonly host: Hostname | null;
  readonly address: Ip;
  readonly port: number;
  /** Ends both sides at once. */
  readonly cut: () => void;
}

export interface Connections {
  /** Takes a place for a client, or returns false when there is none; the place is free when it closes. */
  readonly enter: (client: Socket) => boolean;
  /** Remembers what a client is connected to, until it closes. */
  readonly opened: (client: Socket, connection: OpenConnection) => void;
  readonly open: () => Iterable<OpenConnection>;
  readonly count: () => number;
  /** Whether there is no place now, or was none a moment ago. */
  readonly isFull: () => boolean;
}

/** LIMIT: connections of one scope at once; one tenant cannot take the places of another. */
export const CONNECTIONS_MAX = 2_048;

/** How long it is told that a client found no place: what is full is full again and again. */
const FULL_TOLD_MS = 10_000;

/** Returns an empty list. */
export function createConnections(most = CONNECTIONS_MAX): Connections {
  const clients = new Map<Socket, OpenConnection | null>();
  let turnedAwayMs = Number.NEGATIVE_INFINITY;
  return {
    enter: (client) => {
      if (clients.size >= most) {
        turnedAwayMs = performance.now();
        return false;
      }
      clients.set(client, null);
      client.once("close", () => clients.delete(client));
      return true;
    },
    opened: (client, connection) => {
      if (clients.has(client)) clients.set(client, connection);
    },
    open: () => [...clients.values()].filter((connection) => connection !== null),
    count: () => clients.size,
    isFull: () => clients.size >= most || performance.now() - turnedAwayMs < FULL_TOLD_MS,
  };
}
