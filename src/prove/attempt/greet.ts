import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { connect as secure } from "node:tls";
import { type Answer, type Ask, ATTEMPT_MS } from "../ask.ts";
import { attemptClock, codeOf } from "./outcome.ts";
import { noteConnecting } from "./port.ts";

/**
 * Greets by TLS and closes once keys are agreed, or tells how it was ended. Certificates are not looked at: the
 * question is whether the greeting comes through.
 */
export function greet({ address, port, name, pieceBytes }: Extract<Ask, { do: "tls" }>): Promise<Answer> {
  const made = attemptClock();
  const socket = connect({ host: address, port, noDelay: true });
  noteConnecting(socket);
  const wire = pieceBytes === null ? socket : inPieces(socket, pieceBytes);
  const greeting = secure({
    socket: wire,
    rejectUnauthorized: false,
    ...(name === null ? {} : { servername: name }),
  });
  return new Promise((resolve) => {
    const done = (...parts: Parameters<typeof made>): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(made(...parts));
    };
    const ended = (code: string): void => {
      // An alert is an answer of whoever read the greeting; access_denied is what our gate says (RFC 8446 6.2).
      if (/^ERR_SSL|EPROTO/.test(code) && !code.includes("ACCESS_DENIED")) return done("reached", code);
      done(["ENETUNREACH", "EADDRNOTAVAIL"].includes(code) ? "absent" : "refused", code);
    };
    const timer = setTimeout(() => done("silent", "ETIMEDOUT"), ATTEMPT_MS);
    for (const one of [socket, greeting])
      one.on("error", (error: NodeJS.ErrnoException) => ended(codeOf(error)));
    socket.on("close", () => ended("closed"));
    greeting.once("secureConnect", () => done("reached", greeting.getProtocol() ?? "TLS"));
  });
}

/** Each piece is a segment of its own: the next is written once the kernel took the one before. */
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
  });
  socket.on("data", (chunk: Buffer) => {
    if (!wire.push(chunk)) socket.pause();
  });
  socket.on("end", () => wire.push(null));
  wire.on("error", () => socket.destroy());
  return wire;
}
