/** A client of a DNS door. */
import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { connect } from "node:net";
import { read16, TYPE } from "../../src/core/dns/message.ts";
import { encodeName } from "../../src/core/dns/name.ts";
import { frameOf, parseTcpFrames } from "../../src/core/dns/tcp-frame.ts";
import { askedOf, parseUpstream, type UpstreamAnswer } from "../../src/core/dns/upstream.ts";
import { FLAG, putOpt, putQuestion, sealMessage, startMessage } from "../../src/core/dns/writer.ts";
import { formatIp } from "../../src/core/net/ip.ts";
import type { Place } from "../../src/edge/gate/tcp-door.ts";

export interface QueryOptions {
  readonly type?: number;
  readonly class?: number;
  readonly id?: number;
  /** Null: no EDNS. */
  readonly udpSize?: number | null;
  readonly dnssecOk?: boolean;
}

/** Returns a query for a name, letters as they are written. */
export function query(name: string, options: QueryOptions = {}): Uint8Array {
  const { type = TYPE.A, id = 0x1234, udpSize = 1_232, dnssecOk = false } = options;
  const lower = encodeName(name.toLowerCase());
  assert.ok(lower !== undefined, name);
  const wire = Uint8Array.from(lower);
  let at = 0;
  for (const label of name.split(".").filter((one) => one !== "")) {
    wire.set(Buffer.from(label, "latin1"), at + 1);
    at += 1 + label.length;
  }
  const writer = startMessage(4_096);
  putQuestion(writer, { wire, text: "", type, class: options.class ?? 1 });
  if (udpSize !== null) putOpt(writer, { udpSize, rcode: 0, dnssecOk, option: null });
  return sealMessage(writer, id, FLAG.recursionDesired);
}

export interface Told {
  readonly bytes: Uint8Array;
  readonly answer: UpstreamAnswer;
  readonly addresses: readonly string[];
  /** The text of the extended error, "" for none. */
  readonly why: string;
}

/** Reads a reply; fails when it is none to this query, case included. */
export function told(sent: Uint8Array, bytes: Uint8Array): Told {
  const parsed = parseUpstream(bytes, bytes.length, askedOf(sent));
  assert.ok(parsed.ok, parsed.ok ? "" : `the reply is ${parsed.problem}`);
  const text = Buffer.from(bytes).toString("latin1");
  return {
    bytes,
    answer: parsed.answer,
    addresses: parsed.answer.addresses.map(formatIp),
    why: /seawall sw-[^\0]*/.exec(text)?.[0] ?? "",
  };
}

/** A socket that asks over UDP; every reply is given to whoever asked with its id. */
export interface UdpClient {
  readonly ask: (message: Uint8Array) => Promise<Uint8Array>;
  readonly send: (message: Uint8Array) => void;
  readonly received: readonly Uint8Array[];
  readonly close: () => void;
}

export function udpClient({ address, port }: Place): UdpClient {
  const socket: Socket = createSocket({ type: "udp4", recvBufferSize: 1_048_576 });
  const waiting = new Map<number, (bytes: Uint8Array) => void>();
  const received: Uint8Array[] = [];
  socket.on("message", (bytes) => {
    received.push(bytes);
    waiting.get(read16(bytes, 0))?.(bytes);
  });
  const send = (message: Uint8Array): void => socket.send(message, port, address);
  return {
    received,
    send,
    ask: (message) =>
      new Promise((resolve) => {
        waiting.set(read16(message, 0), resolve);
        send(message);
      }),
    close: () => socket.close(),
  };
}

/** Asks once over UDP. */
export async function askUdp(place: Place, name: string, options: QueryOptions = {}): Promise<Told> {
  const client = udpClient(place);
  const message = query(name, options);
  try {
    return told(message, await client.ask(message));
  } finally {
    client.close();
  }
}

/** Sends bytes over TCP in these pieces, and resolves to `count` replies, or fewer when the door ends it. */
export function exchangeTcp(
  { address, port }: Place,
  pieces: readonly Uint8Array[],
  count: number,
): Promise<Uint8Array[]> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, noDelay: true });
    const frames = parseTcpFrames(65_535);
    const replies: Uint8Array[] = [];
    const finish = (): void => {
      socket.destroy();
      resolve(replies);
    };
    socket.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNREFUSED" ? reject(error) : finish(),
    );
    socket.on("close", finish);
    socket.on("data", (chunk) => {
      replies.push(...frames.push(chunk).messages);
      if (replies.length >= count) finish();
    });
    const sendFrom = (at: number): void => {
      const piece = pieces[at];
      if (piece === undefined || socket.destroyed) return;
      socket.write(piece, () => setImmediate(() => sendFrom(at + 1)));
    };
    socket.once("connect", () => sendFrom(0));
  });
}

/** Asks once over TCP. */
export async function askTcp(place: Place, name: string, options: QueryOptions = {}): Promise<Told> {
  const message = query(name, options);
  const [reply] = await exchangeTcp(place, [frameOf(message)], 1);
  assert.ok(reply !== undefined, "the door ended the connection");
  return told(message, reply);
}
