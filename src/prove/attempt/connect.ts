import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { existsSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { type Answer, ATTEMPT_MS, PORT_UNREACHABLE } from "../ask.ts";
import { attemptClock, codeOf, outcomeOf } from "./outcome.ts";
import { noteConnecting, notePort } from "./port.ts";

/** How long a datagram waits for a refusal from further away. */
const DATAGRAM_WAIT_MS = 800;

/**
 * Opens a connection and closes it. A reset is an answer of whoever took the connection: one that is refused on the
 * way is ECONNREFUSED (RFC 9293 3.10.7.3).
 */
export async function connectTo(address: string, port: number): Promise<Answer> {
  const answer = await opened(connect({ host: address, port }), (socket, done) => {
    socket.once("connect", () => done("reached", "connected"));
  });
  return answer.code === "ECONNRESET" ? { ...answer, outcome: "reached" } : answer;
}

/** Sends text and takes the first words of the other side as its answer. */
export function sayTo(address: string, port: number, text: string): Promise<Answer> {
  return opened(connect({ host: address, port }), (socket, done) => {
    socket.once("connect", () => socket.write(Buffer.from(text, "latin1")));
    socket.once("data", (words) => done("reached", "answered", words.toString("latin1")));
    socket.once("end", () => done("refused", "closed"));
  });
}

/** Connects to the first of the sockets that is there; `text` is its path. */
export function connectUnix(paths: readonly string[]): Promise<Answer> {
  const path = paths.find(existsSync);
  if (path === undefined) return Promise.resolve(attemptClock()("absent", "ENOENT"));
  return opened(connect({ path }), (socket, done) => {
    socket.once("connect", () => done("reached", "connected", path));
  }).then((answer) => ({ ...answer, text: path }));
}

export type Done = (...parts: Parameters<ReturnType<typeof attemptClock>>) => void;

function opened(socket: Socket, watch: (socket: Socket, done: Done) => void): Promise<Answer> {
  const made = attemptClock();
  noteConnecting(socket);
  return new Promise((resolve) => {
    const done: Done = (...parts) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(made(...parts));
    };
    const timer = setTimeout(() => done("silent", "ETIMEDOUT"), ATTEMPT_MS);
    socket.on("error", (error: NodeJS.ErrnoException) => done(outcomeOf(codeOf(error)), codeOf(error)));
    watch(socket, done);
  });
}

/** Sends one empty datagram: nothing of it tells anything to whom it reaches. */
export function sendDatagram(address: string, port: number): Promise<Answer> {
  return datagrams(address, port, DATAGRAM_WAIT_MS, (socket, done) => {
    socket.once("message", () => done("reached", "answered"));
    return () => socket.send(Buffer.alloc(0));
  });
}

/**
 * Opens a datagram socket to one place. `begin` returns what is done once it is there; silence until the limit is an
 * answer too. Errors may come more than once (ICMP for every datagram), the first counts.
 */
export function datagrams(
  address: string,
  port: number,
  limitMs: number,
  begin: (socket: DatagramSocket, done: Done) => () => void,
): Promise<Answer> {
  const made = attemptClock();
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  return new Promise((resolve) => {
    let isDone = false;
    const done: Done = (...parts) => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      socket.close();
      resolve(made(...parts));
    };
    const fail = (error: NodeJS.ErrnoException): void => {
      const code = codeOf(error);
      done(outcomeOf(code), code === "ECONNREFUSED" ? PORT_UNREACHABLE : code);
    };
    const timer = setTimeout(() => done("silent", "sent"), limitMs);
    socket.on("error", fail);
    const ready = begin(socket, done);
    socket.connect(port, address, (error?: Error) => {
      if (error !== undefined) return fail(error);
      notePort(socket.address().port);
      ready();
    });
  });
}

/** Listens on a free port of the loopback until this process ends; `text` is the port. */
export function listenHere(): Promise<Answer> {
  const made = attemptClock();
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.end();
  });
  return new Promise((resolve) => {
    server.once("error", (error: NodeJS.ErrnoException) => resolve(made("failed", codeOf(error))));
    server.listen({ host: "127.0.0.1", port: 0 }, () => {
      const address = server.address();
      resolve(made("reached", "listening", typeof address === "object" ? String(address?.port) : ""));
    });
  });
}
