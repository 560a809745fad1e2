/** Bytes there and back, over TCP or TLS, whole or in pieces. */
import { createSocket } from "node:dgram";
import { connect, createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { Exchange, Exchanged, Target } from "../ask.ts";

const WAIT_MS = 4_000;
/** After the last byte of an answer; a kept-alive connection does not end by itself. */
const QUIET_MS = 300;

/** Resolves to everything that came back until the other side ended or was quiet; never throws. */
export function exchange({
  address,
  port,
  tls,
  text,
  pieceBytes,
  waitMs = WAIT_MS,
}: Exchange): Promise<Exchanged> {
  const socket = connect({ host: address, port, noDelay: true });
  const wire = pieceBytes === undefined ? socket : inPieces(socket, pieceBytes);
  const end = tls === null ? wire : secured(wire, tls.name);
  return new Promise((done) => {
    let heard = "";
    let quiet: NodeJS.Timeout | undefined;
    const finish = (result: Exchanged): void => {
      clearTimeout(timer);
      clearTimeout(quiet);
      socket.destroy();
      done(result);
    };
    const fail = (code: string): void => finish({ kind: "failed", code, text: heard });
    const over = (): void => (heard === "" ? fail("closed") : finish({ kind: "answer", text: heard }));
    const timer = setTimeout(() => fail("timeout"), waitMs);
    for (const one of new Set([socket, end])) {
      one.on("error", (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    }
    end.on("data", (chunk: Buffer) => {
      heard += chunk.toString("latin1");
      clearTimeout(quiet);
      quiet = setTimeout(over, QUIET_MS);
    });
    end.on("end", over);
    end.on("close", over);
    end.write(Buffer.from(text, "latin1"));
  });
}

/** The certificate is not what these tests are about. */
export function secured(wire: Duplex, name: string | null): Duplex {
  return connectTls({
    socket: wire,
    rejectUnauthorized: false,
    ...(name === null ? {} : { servername: name }),
  });
}

/** Each piece is written for itself, after the one before it was taken by the kernel. */
function inPieces(socket: Socket, bytes: number): Duplex {
  const wire = new Duplex({
    read: () => socket.resume(),
    write: (chunk: Buffer, _encoding, done) => {
      const send = (at: number): void => {
        if (at >= chunk.length) return done();
        socket.write(chunk.subarray(at, at + bytes), () => setImmediate(send, at + bytes));
      };
      send(0);
    },
    final: (done) => {
      socket.end();
      done();
    },
  });
  socket.on("data", (chunk: Buffer) => {
    if (!wire.push(chunk)) socket.pause();
  });
  socket.on("end", () => wire.push(null));
  socket.on("error", (error) => wire.destroy(error));
  return wire;
}

/** Sends one datagram; resolves to what the kernel says about it at once or a moment later. */
export function sendDatagram({ address, port }: Target, text: string, from = 0): Promise<string> {
  return new Promise((done) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    const finish = (said: string): void => {
      clearTimeout(timer);
      socket.close();
      done(said);
    };
    const timer = setTimeout(() => finish("nothing"), QUIET_MS);
    socket.once("error", (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
    socket.on("message", (bytes) => finish(`answer ${bytes.toString("latin1")}`));
    socket.bind(from, () => socket.connect(port, address, () => socket.send(text)));
  });
}

/** A program of this user that says something to whoever connects. */
export function listenOn({ address, port }: Target, text: string): Promise<true> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.end(text);
  });
  return new Promise((done, fail) => {
    server.once("error", fail);
    server.listen({ host: address, port }, () => done(true));
  });
}
