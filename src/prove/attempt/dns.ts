import { connect } from "node:net";
import { read16, TYPE } from "../../core/dns/message.ts";
import { frameOf, parseTcpFrames } from "../../core/dns/tcp-frame.ts";
import { encodeName, expandName, NAME_BYTES_MAX } from "../../core/dns/name.ts";
import { formatIp6 } from "../../core/net/ip.ts";
import { type Answer, type Ask, ATTEMPT_MS } from "../ask.ts";
import { datagrams } from "./connect.ts";
import { attemptClock, codeOf, outcomeOf } from "./outcome.ts";
import { noteConnecting } from "./port.ts";

const PORT = 53;
/** Datagrams are lost: the question is asked again, as every resolver library does. */
const AGAIN_MS = 700;
/** RFC 8914. */
const EXTENDED_ERROR = 15;
const RECORDS_MAX = 64;
const ID = 0x5357;

type DnsAsk = Extract<Ask, { do: "dns" }>;

/** Asks one question with EDNS0 and reads code, addresses and the extended error of the reply. */
export function askName(ask: DnsAsk): Promise<Answer> {
  const question = questionOf(ask.name, ask.type);
  return ask.over === "udp" ? overUdp(ask, question) : overTcp(ask, question);
}

async function overUdp({ server }: DnsAsk, question: Uint8Array): Promise<Answer> {
  let reply: Uint8Array | null = null;
  let again: NodeJS.Timeout | undefined;
  const answer = await datagrams(server, PORT, ATTEMPT_MS, (socket, done) => {
    socket.once("close", () => clearInterval(again));
    socket.once("message", (bytes) => {
      reply = bytes;
      done("reached", "answered");
    });
    return () => {
      socket.send(question);
      again = setInterval(() => socket.send(question), AGAIN_MS);
    };
  });
  return reply === null ? answer : read(answer, reply);
}

function overTcp({ server }: DnsAsk, question: Uint8Array): Promise<Answer> {
  const made = attemptClock();
  const socket = connect({ host: server, port: PORT });
  noteConnecting(socket);
  const frames = parseTcpFrames(65_535);
  return new Promise((resolve) => {
    const done = (answer: Answer): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => done(made("silent", "ETIMEDOUT")), ATTEMPT_MS);
    socket.once("connect", () => socket.write(frameOf(question)));
    socket.on("error", (error: NodeJS.ErrnoException) => done(made(outcomeOf(codeOf(error)), codeOf(error))));
    socket.on("end", () => done(made("refused", "closed")));
    socket.on("data", (chunk: Buffer) => {
      const [reply] = frames.push(chunk).messages;
      if (reply !== undefined) done(read(made("reached", "answered"), reply));
    });
  });
}

/** RFC 1035 4.1, RFC 6891 6.1.2: one question, and that answers may have 1232 bytes. */
function questionOf(name: string, type: number): Uint8Array {
  const wire = encodeName(name) ?? new Uint8Array(1);
  const head = [ID >>> 8, ID & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
  const options = [0, 0, TYPE.OPT, 0x04, 0xd0, 0, 0, 0, 0, 0, 0];
  return Uint8Array.from([...head, ...wire, type >>> 8, type & 255, 0, 1, ...options]);
}

const scratch = new Uint8Array(NAME_BYTES_MAX);

function nameEnd(bytes: Uint8Array, at: number): number {
  const spot = { into: scratch, intoAt: 0, pointers: "follow" } as const;
  return expandName(bytes, at, bytes.length, spot)?.next ?? bytes.length;
}

function read(answer: Answer, bytes: Uint8Array): Answer {
  const addresses: string[] = [];
  let ede: string | null = null;
  let at = nameEnd(bytes, 12) + 4;
  const answers = read16(bytes, 6);
  const records = Math.min(answers + read16(bytes, 8) + read16(bytes, 10), RECORDS_MAX);
  for (let one = 0; one < records && at < bytes.length; one += 1) {
    const head = nameEnd(bytes, at);
    const type = read16(bytes, head);
    const content = bytes.subarray(head + 10, head + 10 + read16(bytes, head + 8));
    if (one < answers && type === TYPE.A && content.length === 4) addresses.push([...content].join("."));
    if (one < answers && type === TYPE.AAAA && content.length === 16)
      addresses.push(formatIp6(BigInt(`0x${Buffer.from(content).toString("hex")}`)));
    if (type === TYPE.OPT) ede = extendedError(content) ?? ede;
    at = head + 10 + content.length;
  }
  const rcode = read16(bytes, 2) & 15;
  return { ...answer, code: `rcode ${rcode}`, dns: { rcode, addresses, ede } };
}

function extendedError(options: Uint8Array): string | null {
  for (let at = 0; at + 4 <= options.length; at += 4 + read16(options, at + 2)) {
    if (read16(options, at) !== EXTENDED_ERROR) continue;
    return Buffer.from(options.subarray(at + 6, at + 4 + read16(options, at + 2)))
      .toString("utf8")
      .slice(0, 500);
  }
  return null;
}
