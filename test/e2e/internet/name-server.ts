import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type Socket, createServer } from "node:net";
import { answerTo, readQuestion } from "./dns-message.ts";
import type { Report, Seen } from "./seen.ts";

type Over = Extract<Seen, { kind: "dns" }>["over"];

/** Answers DNS on UDP 53 of the addresses, and on TCP 53 of every address. */
export async function serveNames(addresses: readonly string[], report: Report): Promise<void> {
  await Promise.all(addresses.map((address) => serveUdp(address, report)));
  const server = createServer((socket) => serveTcp(socket, report)).listen(53, "::");
  await once(server, "listening");
}

/** Answers one message and reports the question; null for bytes that are no question. */
export function answerOne(message: Buffer, over: Over, address: string, report: Report): Buffer | null {
  const question = readQuestion(message);
  if (question === null) return null;
  report({ kind: "dns", over, address, name: question.name, type: question.type });
  return answerTo(message, question);
}

async function serveUdp(address: string, report: Report): Promise<void> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.on("message", (message, { address: to, port }) => {
    const answer = answerOne(message, "udp", address, report);
    if (answer !== null) socket.send(answer, port, to);
  });
  socket.bind(53, address);
  await once(socket, "listening");
}

/** RFC 7766: a length of two bytes before each message. */
function serveTcp(socket: Socket, report: Report): void {
  const address = addressOf(socket);
  let received: Buffer = Buffer.alloc(0);
  report({ kind: "connection", address, port: 53 });
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0);
      const answer = answerOne(received.subarray(2, end), "tcp", address, report);
      received = received.subarray(end);
      if (answer === null) continue;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(answer.length);
      socket.write(Buffer.concat([length, answer]));
    }
  });
}

/** The address of ours that the peer reached, IPv4 as IPv4. */
export function addressOf(socket: Socket): string {
  return (socket.localAddress ?? "").replace(/^::ffff:/, "");
}
