/** DNS of a scope over UDP and TCP on one address and port. */
import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";
import { frameOf, parseTcpFrames } from "../../core/dns/tcp-frame.ts";
import { answerQuery } from "./dns-answer.ts";
import type { GateScope } from "./scope.ts";
import type { Listening } from "./tcp-door.ts";
import { listenTcp, type Place } from "./tcp-door.ts";

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
  const counter = { waiting: 0 };
  const udp = await openUdp(scope, place, counter);
  try {
    const tcp = await listenTcp(
      createServer((socket) => serveStream(scope, socket, counter)),
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

interface Counter {
  waiting: number;
}

function openUdp(scope: GateScope, { address, port }: Place, counter: Counter): Promise<Listening> {
  const type = address.includes(":") ? "udp6" : "udp4";
  const socket = createSocket({ type, ipv6Only: type === "udp6", recvBufferSize: RECEIVE_BYTES });
  socket.on("message", (bytes, from) => {
    if (counter.waiting >= QUERIES_MAX) return;
    counter.waiting += 1;
    void answerQuery(scope, bytes, "udp")
      .then((reply) => {
        if (reply !== null) socket.send(reply, from.port, from.address, () => undefined);
      })
      .finally(() => {
        counter.waiting -= 1;
      });
  });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off("error", reject);
      socket.on("error", () => undefined);
      resolve({ close: () => socket.close() });
    });
  });
}

function serveStream(scope: GateScope, socket: Socket, counter: Counter): void {
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
      if (waiting >= PIPELINED_MAX || counter.waiting >= QUERIES_MAX) return void socket.destroy();
      waiting += 1;
      counter.waiting += 1;
      void answerQuery(scope, message, "tcp")
        .then((reply) => {
          if (reply === null) socket.destroy();
          else if (!socket.destroyed) socket.write(frameOf(reply));
        })
        .finally(() => {
          waiting -= 1;
          counter.waiting -= 1;
        });
    }
    if (!read.ok) socket.destroy();
  });
}
