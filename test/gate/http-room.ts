/** A room with a web server on port 80 that the test speaks for, and two names that lead to it. */
import assert from "node:assert/strict";
import type { Place } from "../../src/edge/gate/tcp-door.ts";
import { until } from "./patience.ts";
import { openRoom, type Room } from "./room.ts";
import { type Wire, wireOf } from "./wire.ts";

export const NAME = "api.example.com";
export const OTHER = "other.example.com";
export const PORT = 80;
export const REPLY = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

export interface HttpRoom {
  readonly room: Room;
  readonly origin: Place;
  /** Connections that came to the server. */
  readonly arrived: readonly Wire[];
  /** Waits for the first connection, or the one with this number. */
  readonly server: (count?: number) => Promise<Wire>;
  /** Everything that came to the server. */
  readonly seen: () => string;
}

/** Opens one. The names are private on purpose: the server stands on the loopback. */
export async function openHttpRoom(): Promise<HttpRoom> {
  const arrived: Wire[] = [];
  const names: Record<string, string[]> = {};
  const room = await openRoom({ rules: [`allow: [${NAME}, ${OTHER}], port: 80, private: true`], names });
  const origin = await room.startServer((socket) => void arrived.push(wireOf(socket)), PORT);
  names[NAME] = [origin.address];
  names[OTHER] = [origin.address];
  const server = async (count = 1): Promise<Wire> => {
    await until(() => arrived.length >= count);
    const wire = arrived[count - 1];
    assert.ok(wire !== undefined);
    return wire;
  };
  return { room, origin, arrived, server, seen: () => arrived.map((one) => one.text()).join("") };
}

/** Returns a request for a path. */
export function get(host: string, path = "/"): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
}
