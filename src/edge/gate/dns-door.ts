/** DNS of a scope over UDP and TCP on one address and port. */
import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";
import { frameOf, parseTcpFrames } from "../../core/dns/tcp-frame.ts";
import { answerQuery } from "./dns-answer.ts";
import { type Asked, gateDecision, type GateScope, refuse } from "./scope.ts";
import type { Listening } from "./tcp-door.ts";
import { listenTcp, type Place } from "./tcp-door.ts";
import { asGiven } from "./udp.ts";

/** LIMIT: queries of one scope on the way at once; more are not answered, and the client asks again. */
export const QUERIES_MAX = 1_024;
/** LIMIT: bytes of a query; no real one is half as long. */
const QUERY_BYTES_MAX = 4_096;
/** LIMIT: how long a TCP client may be silent (RFC 7766 6.2.3 leaves it to the server). */
const TCP_IDLE_MS = 10_000;
/** LIMIT: queries of one TCP connection on the way at once. */
const PIPELINED_MAX = 64;
const RECEIVE_BYTES = 4_194_304;

/** Binds both. Resolves when they are ready; refuses with the errno of what could not be bound. */
export async function openDns(scope: GateScope, place: Place): Promise<Listening> {
  const room = createRoom(scope);
  const udp = await openUdp(scope, place, room);
  try {
    const tcp = await listenTcp(
      createServer((socket) => serveStream(scope, socket, room)),
      place,
    );
    return {
      close: () => {
        udp.close();
        tcp.close();
      },
    };
  } catch (cause) {
    udp.close();
    throw cause;
  }
}

/** The places for queries. */
interface Room {
  /** Takes a place, or returns false when there is none. */
  readonly enter: () => boolean;
  readonly leave: () => void;
}

const ASKED: Asked = { door: "dns", host: null, address: null, port: 53, protocol: "udp" };
const TOO_MANY = gateDecision("limit", "this scope has as many DNS queries open as one scope may have");

function createRoom(scope: GateScope): Room {
  let waiting = 0;
  let isSaid = false;
  return {
    enter: () => {
      if (waiting < QUERIES_MAX) {
        waiting += 1;
        return true;
      }
      // Said once until half of the places are free again: the limit is what is reached, not one query's fate.
      if (!isSaid) refuse(scope, ASKED, TOO_MANY);
      isSaid = true;
      return false;
    },
    leave: () => {
      waiting -= 1;
      if (waiting < QUERIES_MAX / 2) isSaid = false;
    },
  };
}

function openUdp(scope: GateScope, { address, port }: Place, room: Room): Promise<Listening> {
  const type = address.includes(":") ? "udp6" : "udp4";
  const socket = createSocket({
    type,
    ipv6Only: type === "udp6",
    recvBufferSize: RECEIVE_BYTES,
    lookup: asGiven,
  });
  let isOpen = true;
  socket.on("message", (bytes, from) => {
    if (!room.enter()) return;
    void answerQuery(scope, bytes, "udp")
      .then((reply) => {
        // The door may have closed while the resolver was asked.
        if (reply !== null && isOpen) socket.send(reply, from.port, from.address, () => undefined);
      })
      .finally(room.leave);
  });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off("error", reject);
      socket.on("error", () => undefined);
      resolve({
        close: () => {
          isOpen = false;
          socket.close();
        },
      });
    });
  });
}

function serveStream(scope: GateScope, socket: Socket, room: Room): void {
  if (!scope.connections.enter(socket)) {
    socket.destroy();
    return;
  }
  const frames = parseTcpFrames(QUERY_BYTES_MAX);
  let waiting = 0;
  socket.on("error", () => socket.destroy());
  socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    const read = frames.push(chunk);
    for (const message of read.messages) {
      if (waiting >= PIPELINED_MAX || !room.enter()) return void socket.destroy();
      waiting += 1;
      void answerQuery(scope, message, "tcp")
        .then((reply) => {
          if (reply === null) socket.destroy();
          else if (!socket.destroyed) socket.write(frameOf(reply));
        })
        .finally(() => {
          waiting -= 1;
          room.leave();
        });
    }
    if (!read.ok) socket.destroy();
  });
}
