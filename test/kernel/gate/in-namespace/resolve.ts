/** One DNS question, as a process without any library would ask it. */
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { Lookup, Resolved } from "../ask.ts";
import { encodeQuery, readReply, TYPE } from "./dns-message.ts";

const WAIT_MS = 3_000;

/** Resolves to what came back; never throws. */
export function resolve(lookup: Lookup): Promise<Resolved> {
  const { name, type, over, waitMs = WAIT_MS } = lookup;
  const begunMs = performance.now();
  const id = randomInt(65_536);
  const message = encodeQuery(id, name, TYPE[type] ?? Number(type));
  return new Promise((done) => {
    const tookMs = (): number => Math.round(performance.now() - begunMs);
    const end = (result: Resolved): void => {
      clearTimeout(timer);
      close();
      done(result);
    };
    const fail = (code: string): void => end({ kind: "failed", code, tookMs: tookMs() });
    const take = (bytes: Buffer): void => {
      const { rcode, truncated, records, extendedError, id: replied } = readReply(bytes);
      if (replied !== id) return;
      const values = records.map(({ value }) => value);
      end({
        kind: "answer",
        rcode,
        truncated,
        values,
        ttls: records.map(({ ttl }) => ttl),
        extendedError,
        tookMs: tookMs(),
      });
    };
    const timer = setTimeout(() => fail("timeout"), waitMs);
    const close = (over === "udp" ? askUdp : askTcp)(lookup, message, take, fail);
  });
}

type Asking = (
  lookup: Lookup,
  message: Buffer,
  take: (bytes: Buffer) => void,
  fail: (code: string) => void,
) => () => void;

const askUdp: Asking = ({ server, port = 53, from = 0 }, message, take, fail) => {
  const socket = createSocket(server.includes(":") ? "udp6" : "udp4");
  let isOpen = true;
  socket.on("message", take);
  socket.on("error", (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
  // Connected, so that a refusal by ICMP is heard.
  socket.bind(from, () => isOpen && socket.connect(port, server, () => isOpen && socket.send(message)));
  return () => {
    if (isOpen) socket.close();
    isOpen = false;
  };
};

const askTcp: Asking = ({ server, port = 53 }, message, take, fail) => {
  const socket = connect({ host: server, port });
  let held: Buffer = Buffer.alloc(0);
  socket.on("error", (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
  socket.on("close", () => fail("closed"));
  socket.on("data", (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    if (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0))
      take(held.subarray(2, 2 + held.readUInt16BE(0)));
  });
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  socket.write(Buffer.concat([length, message]));
  return () => socket.destroy();
};
