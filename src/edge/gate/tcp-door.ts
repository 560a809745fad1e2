/** Listening sockets of the gates, and what every client of them goes through first. */
import { createServer, type Server, type Socket } from "node:net";
import { gateDecision, type GateScope, refuse } from "./scope.ts";
import { reset } from "./dial.ts";
import type { GateDoor } from "../../core/gate/report.ts";

export interface Place {
  readonly address: string;
  readonly port: number;
}

export interface Listening {
  readonly close: () => void;
}

/** LIMIT: clients that wait to be taken. */
const BACKLOG = 1_024;

/** Opens a door: every client that finds a place is served, whatever becomes of the ones before. */
export function openTcp(
  scope: GateScope,
  door: GateDoor,
  place: Place,
  serve: (client: Socket) => Promise<void>,
): Promise<Listening> {
  let saidLimit = false;
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) => {
    client.on("error", () => client.destroy());
    if (!scope.connections.enter(client)) {
      // Said once until there is room again: the limit is what is reached, not one connection's fate.
      if (!saidLimit) refuse(scope, { door, host: null, address: null, port: 0, protocol: "tcp" }, TOO_MANY);
      saidLimit = true;
      return reset(client);
    }
    saidLimit = false;
    serve(client).catch((cause: unknown) => {
      client.destroy();
      throw cause;
    });
  });
  return listenTcp(server, place);
}

const TOO_MANY = gateDecision("limit", "this scope has as many connections open as one scope may have");

/** Binds; refuses with the errno of what could not be bound. */
export function listenTcp(server: Server, { address, port }: Place): Promise<Listening> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port, backlog: BACKLOG, ipv6Only: address.includes(":") }, () => {
      server.off("error", reject);
      server.on("error", () => undefined);
      resolve({ close: () => server.close() });
    });
  });
}
