/** A resolver for the gate to ask: over UDP and TCP, answers as the test says, and remembers every question. */
import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";
import { parseQuery, type Query, RCODE, TYPE } from "../../src/core/dns/message.ts";
import { encodeReply, type Reply } from "../../src/core/dns/reply.ts";
import { frameOf, parseTcpFrames } from "../../src/core/dns/tcp-frame.ts";
import { parseIp } from "../../src/core/net/ip.ts";
import { freshAddress, listen } from "./place.ts";

export type Transport = "udp" | "tcp";

export interface Heard {
  readonly query: Query;
  readonly transport: Transport;
  /** The name in the case in which it was sent. */
  readonly spelled: string;
}

/** Bytes to send, `silent`, or a reply; several messages one after the other. */
export type Reaction = Reply | "silent" | readonly Uint8Array[];
export type React = (heard: Heard) => Reaction | Promise<Reaction>;

export interface NameServer {
  readonly address: string;
  readonly port: number;
  readonly heard: readonly Heard[];
  react: React;
  readonly close: () => Promise<void>;
}

const UDP_BYTES = 1_232;
const TCP_BYTES = 65_535;

/** Starts one on an address of its own. */
export async function startNameServer(react: React): Promise<NameServer> {
  const address = freshAddress();
  const heard: Heard[] = [];
  const sockets = new Set<Socket>();
  const tcp = createServer((socket) => {
    sockets.add(socket.on("close", () => sockets.delete(socket)));
    const frames = parseTcpFrames(TCP_BYTES);
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      for (const message of frames.push(chunk).messages) {
        void respond(message, "tcp", TCP_BYTES, (bytes) => socket.write(frameOf(bytes)));
      }
    });
  });
  const port = await listen(tcp, address);
  const udp = createSocket("udp4");
  const respond = async (
    bytes: Uint8Array,
    transport: Transport,
    limit: number,
    send: (reply: Uint8Array) => void,
  ): Promise<void> => {
    const parsed = parseQuery(bytes);
    if (!parsed.ok) throw new Error(`the gate asked what is no query: ${parsed.problem}`);
    const one = { query: parsed.query, transport, spelled: spelledOf(parsed.query.question.wire) };
    heard.push(one);
    const reaction = await server.react(one);
    if (reaction === "silent") return;
    if (!("kind" in reaction)) return reaction.forEach(send);
    send(encodeReply(parsed.query, reaction, limit));
  };
  udp.on("message", (bytes, from) => {
    void respond(bytes, "udp", UDP_BYTES, (reply) => udp.send(reply, from.port, from.address));
  });
  await new Promise<void>((resolve) => udp.bind(port, address, resolve));
  const server: NameServer = {
    address,
    port,
    heard,
    react,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise((resolve) => tcp.close(resolve)),
      ]);
    },
  };
  return server;
}

function spelledOf(wire: Uint8Array): string {
  const labels: string[] = [];
  for (let at = 0, length = wire[0] ?? 0; length > 0; length = wire[at] ?? 0) {
    labels.push(Buffer.from(wire.subarray(at + 1, at + 1 + length)).toString("latin1"));
    at += 1 + length;
  }
  return labels.join(".");
}

/** Returns an answer of addresses in text. */
export function addresses(texts: readonly string[], ttlSeconds = 300, chain: readonly string[] = []): Reply {
  const ips = texts.map((text) => {
    const ip = parseIp(text);
    if (ip === undefined) throw new TypeError(`not an address: ${text}`);
    return ip;
  });
  return { kind: "addresses", chain, addresses: ips, ttlSeconds, authenticData: false, ede: null };
}

export const NO_SUCH_NAME: Reply = { kind: "negative", rcode: RCODE.nxdomain, soaSeconds: 5, ede: null };
export const NO_SUCH_RECORD: Reply = { kind: "negative", rcode: RCODE.noerror, soaSeconds: 5, ede: null };
export const SERVER_FAILURE: Reply = { kind: "failure", rcode: RCODE.servfail, ede: null };

/** Answers from a table of names: what is not in it does not exist, and what has no address of a family is empty. */
export function zone(names: Readonly<Record<string, readonly string[]>>, ttlSeconds = 300): React {
  return ({ query: { question } }) => {
    const texts = names[question.text];
    if (texts === undefined) return NO_SUCH_NAME;
    const isWanted = (text: string): boolean => text.includes(":") === (question.type === TYPE.AAAA);
    const found = question.type === TYPE.A || question.type === TYPE.AAAA ? texts.filter(isWanted) : [];
    return found.length === 0 ? NO_SUCH_RECORD : addresses(found, ttlSeconds);
  };
}
