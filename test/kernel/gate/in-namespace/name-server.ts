/** Name servers on UDP and TCP 53 that answer from a zone, which a test changes while they run. */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, isIPv4, type Socket } from "node:net";
import type { Seen } from "../seen.ts";
import { type Moods, type ServerMood, TTL_SECONDS, type Zone, type ZoneEntry } from "../zone.ts";
import {
  type AnswerParts,
  type AnswerRecord,
  encodeAnswer,
  type Question,
  readQuestion,
  TYPE,
} from "./dns-message.ts";

/** LIMIT: aliases that are followed in one answer. */
const CHAIN_MAX = 8;

export interface NameServers {
  setZone: (zone: Zone) => void;
  setMoods: (moods: Moods) => void;
}

/** Listens on UDP of each address and on TCP of all. */
export async function serveNames(
  addresses: readonly string[],
  first: Zone,
  report: (seen: Seen) => void,
): Promise<NameServers> {
  let zone = first;
  let moods: Moods = {};
  const answerOne = (message: Buffer, { over, server, from }: Way, send: (answer: Buffer) => void): void => {
    const question = readQuestion(message);
    if (question === null) return;
    report({ kind: "dns", over, server, name: question.name, type: question.type, from, atMs: Date.now() });
    const mood = moods[server] ?? {};
    if (mood.silent === true) return;
    const answer = encodeAnswer(message, question, partsOf(zone, question, over, mood));
    if (mood.delayMs === undefined) send(answer);
    else setTimeout(() => send(answer), mood.delayMs);
  };
  const tcp = createServer((socket) =>
    readStream(socket, (message, send) =>
      answerOne(message, { over: "tcp", server: addressOf(socket), from: socket.remotePort ?? 0 }, send),
    ),
  );
  tcp.listen(53, "::");
  await Promise.all([
    once(tcp, "listening"),
    ...addresses.map((address) =>
      serveUdp(address, (message, send, from) =>
        answerOne(message, { over: "udp", server: address, from }, send),
      ),
    ),
  ]);
  return {
    setZone: (next) => {
      zone = next;
    },
    setMoods: (next) => {
      moods = next;
    },
  };
}

interface Way {
  readonly over: "udp" | "tcp";
  readonly server: string;
  readonly from: number;
}

type Take = (message: Buffer, send: (answer: Buffer) => void, from: number) => void;

async function serveUdp(address: string, take: Take): Promise<void> {
  const socket: UdpSocket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.on("message", (message, from) =>
    take(message, (answer) => socket.send(answer, from.port, from.address), from.port),
  );
  socket.bind(53, address);
  await once(socket, "listening");
}

/** RFC 7766: two bytes of length before each message. */
function readStream(socket: Socket, take: Take): void {
  const from = socket.remotePort ?? 0;
  let held: Buffer = Buffer.alloc(0);
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
      const message = held.subarray(2, 2 + held.readUInt16BE(0));
      held = held.subarray(2 + message.length);
      take(
        message,
        (answer) => {
          const length = Buffer.alloc(2);
          length.writeUInt16BE(answer.length);
          socket.write(Buffer.concat([length, answer]));
        },
        from,
      );
    }
  });
}

function partsOf(zone: Zone, { name, type }: Question, over: "udp" | "tcp", mood: ServerMood): AnswerParts {
  const entry = zone[name];
  const rcode = mood.rcode ?? entry?.rcode ?? (entry === undefined ? 3 : 0);
  if (rcode !== 0) return { rcode, truncated: false, records: [] };
  return {
    rcode,
    truncated: over === "udp" && entry?.truncated === true,
    records: recordsOf(zone, name, type),
  };
}

function recordsOf(zone: Zone, asked: string, type: number): AnswerRecord[] {
  const records: AnswerRecord[] = [];
  let name = asked;
  for (let step = 0; step < CHAIN_MAX; step += 1) {
    const entry: ZoneEntry = zone[name] ?? { records: [] };
    const alias = entry.records.find((record) => record.type === "CNAME");
    if (alias === undefined || alias.type === "TURNS") {
      records.push(
        ...entry.records.flatMap((record) => (record.type === "CNAME" ? [] : ofType(name, record, type))),
      );
      return records;
    }
    records.push({ name, type: TYPE["CNAME"] ?? 0, ttl: alias.ttl ?? TTL_SECONDS, value: alias.value });
    name = alias.value;
  }
  return records;
}

function ofType(name: string, record: ZoneEntry["records"][number], type: number): AnswerRecord[] {
  if (record.type !== "TURNS") {
    return TYPE[record.type] === type
      ? [{ name, type, ttl: record.ttl ?? TTL_SECONDS, value: record.value }]
      : [];
  }
  const value = record.values[Math.floor(Date.now() / record.everyMs) % record.values.length] ?? "";
  return TYPE[isIPv4(value) ? "A" : "AAAA"] === type ? [{ name, type, ttl: record.ttl, value }] : [];
}

/** The address of ours that the peer reached. */
export function addressOf(socket: Socket): string {
  return (socket.localAddress ?? "").replace(/^::ffff:/, "");
}
