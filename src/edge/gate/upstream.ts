/** Asks the resolvers: UDP with random ports, ids and case; TCP when it is cut; the next one when one is silent. */
import { randomFillSync } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { connect } from "node:net";
import {
  type Asked,
  askedOf,
  encodeQuestion,
  isInOtherCase,
  parseUpstream,
  type UpstreamAnswer,
} from "../../core/dns/upstream.ts";
import { frameOf, parseTcpFrames } from "../../core/dns/tcp-frame.ts";

import type { ResolverHealth } from "../../core/gate/health.ts";
import { createResolverHealth, type Outcome } from "./resolver-health.ts";
import { asGiven } from "./udp.ts";

export interface ResolverAddress {
  readonly address: string;
  readonly port: number;
}

export interface UpstreamQuestion {
  readonly name: string;
  readonly type: number;
  readonly dnssecOk: boolean;
  readonly checkingDisabled: boolean;
}

export type UpstreamReply =
  | { readonly ok: true; readonly answer: UpstreamAnswer; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly problem: "timeout" | "malformed" | "busy" }
  | { readonly ok: false; readonly problem: "unsent"; readonly errno: string };

export interface Upstream {
  readonly ask: (question: UpstreamQuestion) => Promise<UpstreamReply>;
  readonly setServers: (servers: readonly ResolverAddress[]) => void;
  /** How each resolver answered lately. */
  readonly health: () => ResolverHealth[];
  readonly close: () => void;
}

/** LIMIT: how long one resolver is waited for. */
export const ANSWER_WAIT_MS = 1_500;
/** LIMIT: rounds over all resolvers before a question fails. */
const ROUNDS_MAX = 2;
/** LIMIT: questions on the way at once: more than all scopes together may have (SCOPE_ASKING_MAX each). */
const ASKING_MAX = 16_384;
/** LIMIT: bytes we take over UDP; what is longer comes over TCP (RFC 9715). */
const UDP_BYTES = 1_232;
/** Sockets a resolver is asked from, each on a random port, and how many questions one is used for. */
const SOCKETS = 8;
const QUESTIONS_PER_SOCKET = 2_000;
const CASE_BYTES = 32;
const MESSAGE_BYTES_MAX = 65_535;

/** Returns a client for resolvers in order of preference; the one that answered last is asked first. */
export function createUpstream(initial: readonly ResolverAddress[]): Upstream {
  let servers = initial;
  let preferred = 0;
  let asking = 0;
  let isClosed = false;
  const pools = new Map<string, Pool>();
  const health = createResolverHealth();
  const poolOf = (server: ResolverAddress): Pool => {
    const key = `${server.address} ${server.port}`;
    const pool = pools.get(key) ?? createPool(server, () => health.noteCase(server.address, server.port));
    pools.set(key, pool);
    return pool;
  };
  const ask = async (question: UpstreamQuestion): Promise<UpstreamReply> => {
    let worst: UpstreamReply = { ok: false, problem: "timeout" };
    for (let attempt = 0; attempt < servers.length * ROUNDS_MAX; attempt += 1) {
      const at = (preferred + attempt) % servers.length;
      const server = servers[at];
      // What is still waited for when it closes must not open a socket again.
      if (server === undefined || isClosed) break;
      const reply = await askOne(server, poolOf(server), question);
      const outcome = outcomeOf(reply);
      if (outcome !== null) health.note(server.address, server.port, outcome);
      if (reply.ok && !isServerFailure(reply.answer)) {
        preferred = at;
        return reply;
      }
      if (reply.ok || !worst.ok) worst = reply;
    }
    return worst;
  };
  return {
    ask: async (question) => {
      if (asking >= ASKING_MAX) return { ok: false, problem: "busy" };
      asking += 1;
      try {
        return await ask(question);
      } finally {
        asking -= 1;
      }
    },
    setServers: (wanted) => {
      servers = wanted;
      preferred = 0;
      health.keep(wanted);
    },
    health: () => health.all(),
    close: () => {
      isClosed = true;
      for (const pool of pools.values()) pool.close();
      pools.clear();
    },
  };
}

function outcomeOf(reply: UpstreamReply): Outcome | null {
  if (reply.ok) return { kind: "answered", rcode: reply.answer.rcode };
  switch (reply.problem) {
    case "timeout":
      return { kind: "silent" };
    case "malformed":
      return { kind: "malformed" };
    case "unsent":
      return { kind: "unsent", errno: reply.errno };
    case "busy":
      return null;
  }
}

/** SERVFAIL and REFUSED are the resolver's own trouble: another may know. */
function isServerFailure({ rcode }: UpstreamAnswer): boolean {
  return rcode === 2 || rcode === 5;
}

async function askOne(
  server: ResolverAddress,
  pool: Pool,
  question: UpstreamQuestion,
): Promise<UpstreamReply> {
  const random = nextRandom();
  const message = encodeQuestion(random.readUInt16BE(), question.name, question.type, {
    dnssecOk: question.dnssecOk,
    checkingDisabled: question.checkingDisabled,
    authenticData: true,
    udpSize: UDP_BYTES,
    caseBits: random.subarray(2),
  });
  const asked = askedOf(message);
  const reply = await pool.ask(asked, message);
  return reply.ok && reply.answer.truncated ? askOverTcp(server, asked, message) : reply;
}

/** Random bytes are drawn for many questions at once: each draw is a call into the kernel. */
const randomPool = Buffer.alloc((2 + CASE_BYTES) * 240);
let randomAt = randomPool.length;

function nextRandom(): Buffer {
  if (randomAt >= randomPool.length) {
    randomFillSync(randomPool);
    randomAt = 0;
  }
  randomAt += 2 + CASE_BYTES;
  return randomPool.subarray(randomAt - 2 - CASE_BYTES, randomAt);
}

interface Waiting {
  readonly asked: Asked;
  readonly end: (reply: UpstreamReply) => void;
}

interface Pool {
  readonly ask: (asked: Asked, message: Uint8Array) => Promise<UpstreamReply>;
  readonly close: () => void;
}

interface PoolSocket {
  readonly socket: Socket;
  readonly waiting: Map<number, Waiting[]>;
  used: number;
}

function createPool(server: ResolverAddress, onOtherCase: () => void): Pool {
  const open = new Set<PoolSocket>();
  const sockets: (PoolSocket | undefined)[] = Array.from({ length: SOCKETS }, () => undefined);
  let turn = 0;
  const next = (): PoolSocket => {
    turn = (turn + 1) % SOCKETS;
    const found = sockets[turn];
    if (found !== undefined && found.used < QUESTIONS_PER_SOCKET) return found;
    if (found !== undefined) retire(found);
    const made = openSocket(server, open, onOtherCase);
    sockets[turn] = made;
    return made;
  };
  /** One that is not used any more stays until everything it waits for is answered or over. */
  const retire = (old: PoolSocket): void => {
    setTimeout(() => closeSocket(old, open), ANSWER_WAIT_MS * 2).unref();
  };
  return {
    ask: (asked, message) =>
      new Promise((resolve) => {
        const from = next();
        from.used += 1;
        const end = (reply: UpstreamReply): void => {
          clearTimeout(timer);
          remove(from.waiting, asked.id, waiting);
          resolve(reply);
        };
        const waiting: Waiting = { asked, end };
        const timer = setTimeout(() => end({ ok: false, problem: "timeout" }), ANSWER_WAIT_MS);
        const others = from.waiting.get(asked.id);
        if (others === undefined) from.waiting.set(asked.id, [waiting]);
        else others.push(waiting);
        from.socket.send(message, server.port, server.address, (error) => {
          if (error !== null) end({ ok: false, problem: "unsent", errno: errnoOf(error) });
        });
      }),
    close: () => {
      for (const one of open) closeSocket(one, open);
    },
  };
}

function errnoOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return code !== undefined && /^E[A-Z0-9]{1,20}$/.test(code) ? code : "EIO";
}

function openSocket(server: ResolverAddress, open: Set<PoolSocket>, onOtherCase: () => void): PoolSocket {
  const socket = createSocket({
    type: server.address.includes(":") ? "udp6" : "udp4",
    recvBufferSize: 1_048_576,
    lookup: asGiven,
  });
  const made: PoolSocket = { socket, waiting: new Map(), used: 0 };
  open.add(made);
  socket.on("message", (bytes, from) => {
    // SECURITY: only the resolver itself is listened to (RFC 5452 9.1).
    if (from.port !== server.port || !isSameAddress(from.address, server.address)) return;
    const id = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
    for (const { asked, end } of made.waiting.get(id) ?? []) {
      const read = parseUpstream(bytes, bytes.length, asked);
      if (read.ok) end({ ok: true, answer: read.answer, bytes });
      else if (read.problem === "malformed") end({ ok: false, problem: "malformed" });
      else if (isInOtherCase(bytes, bytes.length, asked)) onOtherCase();
    }
  });
  // A resolver that is not there answers with ICMP; the question then waits for its time or the next resolver.
  socket.on("error", () => undefined);
  return made;
}

function isSameAddress(left: string, right: string): boolean {
  return left === right || left.split("%")[0] === right;
}

function closeSocket(one: PoolSocket, open: Set<PoolSocket>): void {
  if (!open.delete(one)) return;
  one.socket.close();
}

function remove(waiting: Map<number, Waiting[]>, id: number, one: Waiting): void {
  const rest = (waiting.get(id) ?? []).filter((other) => other !== one);
  if (rest.length === 0) waiting.delete(id);
  else waiting.set(id, rest);
}

function askOverTcp(server: ResolverAddress, asked: Asked, message: Uint8Array): Promise<UpstreamReply> {
  return new Promise((resolve) => {
    const frames = parseTcpFrames(MESSAGE_BYTES_MAX);
    const socket = connect({ host: server.address, port: server.port });
    const end = (reply: UpstreamReply): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(reply);
    };
    const timer = setTimeout(() => end({ ok: false, problem: "timeout" }), ANSWER_WAIT_MS);
    socket.on("error", () => end({ ok: false, problem: "timeout" }));
    socket.on("close", () => end({ ok: false, problem: "timeout" }));
    socket.on("data", (chunk: Buffer) => {
      const read = frames.push(chunk);
      for (const bytes of read.messages) {
        const parsed = parseUpstream(bytes, bytes.length, asked);
        if (parsed.ok) end({ ok: true, answer: parsed.answer, bytes });
        else if (parsed.problem === "malformed") end({ ok: false, problem: "malformed" });
      }
    });
    socket.write(frameOf(message));
  });
}
