/** Both halves of RFC 1035, as much as these tests ask, written apart from the product's own codec. */
import { isIPv4 } from "node:net";

const HEADER_BYTES = 12;
const OPT = 41;
/** RFC 8914. */
const EXTENDED_ERROR = 15;
export const TYPE: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  NULL: 10,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SVCB: 64,
  HTTPS: 65,
  ANY: 255,
};

export interface Question {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  /** Where the question ends. */
  readonly end: number;
}

export interface AnswerRecord {
  readonly name: string;
  readonly type: number;
  readonly ttl: number;
  /** An address, a name, or the text. */
  readonly value: string;
}

export interface Reply {
  readonly id: number;
  readonly rcode: number;
  readonly truncated: boolean;
  readonly records: readonly AnswerRecord[];
  readonly extendedError: { readonly code: number; readonly text: string } | null;
}

/** Returns a query with EDNS0, as resolvers of today send it. */
export function encodeQuery(id: number, name: string, type: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(0x0100, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(1, 10);
  const options = Buffer.from([0, 0, OPT, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, encodeName(name), pair(type, 1), options]);
}

/** Returns the one question; null for bytes that hold none. */
export function readQuestion(message: Buffer): Question | null {
  if (message.length < HEADER_BYTES + 5) return null;
  const { name, end } = readName(message, HEADER_BYTES);
  if (end + 4 > message.length) return null;
  return {
    id: message.readUInt16BE(0),
    name: name.toLowerCase(),
    type: message.readUInt16BE(end),
    end: end + 4,
  };
}

export interface AnswerParts {
  readonly rcode: number;
  readonly truncated: boolean;
  readonly records: readonly AnswerRecord[];
}

/** Returns the answer to a question. Without a record it carries an SOA, as RFC 2308 wants it. */
export function encodeAnswer(
  message: Buffer,
  question: Question,
  { rcode, truncated, records }: AnswerParts,
): Buffer {
  const header = Buffer.from(message.subarray(0, HEADER_BYTES));
  const authority = records.length === 0 && (rcode === 0 || rcode === 3) ? [START_OF_AUTHORITY] : [];
  header.writeUInt16BE(0x8180 | rcode | (truncated ? 0x0200 : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(truncated ? 0 : records.length, 6);
  header.writeUInt16BE(authority.length, 8);
  header.writeUInt16BE(0, 10);
  return Buffer.concat([
    header,
    message.subarray(HEADER_BYTES, question.end),
    ...(truncated ? [] : records.map(encodeRecord)),
    ...authority,
  ]);
}

/** Reads what a server replied. Throws for bytes that are no reply. */
export function readReply(message: Buffer): Reply {
  let at = readName(message, HEADER_BYTES).end + 4;
  const count = message.readUInt16BE(6);
  const sections = count + message.readUInt16BE(8) + message.readUInt16BE(10);
  const records: AnswerRecord[] = [];
  let extendedError: Reply["extendedError"] = null;
  for (let one = 0; one < sections; one += 1) {
    const { name, end } = readName(message, at);
    const type = message.readUInt16BE(end);
    const from = end + 10;
    const to = from + message.readUInt16BE(end + 8);
    if (one < count)
      records.push({
        name,
        type,
        ttl: message.readUInt32BE(end + 4),
        value: readValue(message, type, from, to),
      });
    if (type === OPT) extendedError = readExtendedError(message.subarray(from, to)) ?? extendedError;
    at = to;
  }
  const flags = message.readUInt16BE(2);
  return {
    id: message.readUInt16BE(0),
    rcode: flags & 15,
    truncated: (flags & 0x0200) !== 0,
    records,
    extendedError,
  };
}

function readExtendedError(options: Buffer): Reply["extendedError"] {
  for (let at = 0; at + 4 <= options.length; at += 4 + options.readUInt16BE(at + 2)) {
    if (options.readUInt16BE(at) !== EXTENDED_ERROR) continue;
    const value = options.subarray(at + 4, at + 4 + options.readUInt16BE(at + 2));
    return { code: value.readUInt16BE(0), text: value.toString("utf8", 2) };
  }
  return null;
}

function readName(message: Buffer, from: number): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = from;
  let end: number | null = null;
  for (let steps = 0; steps < 128; steps += 1) {
    const length = message[at] ?? 0;
    if (length >= 0xc0) {
      end ??= at + 2;
      at = message.readUInt16BE(at) & 0x3fff;
      continue;
    }
    if (length === 0) return { name: labels.join("."), end: end ?? at + 1 };
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  throw new Error("a name without end");
}

function readValue(message: Buffer, type: number, from: number, to: number): string {
  const content = message.subarray(from, to);
  if (type === TYPE["A"]) return [...content].join(".");
  if (type === TYPE["AAAA"]) return formatIp6(content);
  if (type === TYPE["CNAME"]) return readName(message, from).name;
  return content.toString("latin1", 1);
}

function formatIp6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16));
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

function encodeRecord({ name, type, ttl, value }: AnswerRecord): Buffer {
  const content = encodeValue(type, value);
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt32BE(ttl, 4);
  fixed.writeUInt16BE(content.length, 8);
  return Buffer.concat([encodeName(name), fixed, content]);
}

function encodeValue(type: number, value: string): Buffer {
  if (type === TYPE["A"]) return Buffer.from(value.split(".").map(Number));
  if (type === TYPE["AAAA"]) return encodeIp6(value);
  if (type === TYPE["CNAME"]) return encodeName(value);
  const text = Buffer.from(value, "latin1");
  return Buffer.concat([Buffer.from([text.length]), text]);
}

/** Returns the sixteen bytes of an address. */
export function encodeIp6(text: string): Buffer {
  const [front = "", back = ""] = text.split("::");
  const groups = (part: string): string[] =>
    (part === "" ? [] : part.split(":")).flatMap((group) => {
      if (!isIPv4(group)) return [group.padStart(4, "0")];
      const hex = Buffer.from(group.split(".").map(Number)).toString("hex");
      return [hex.slice(0, 4), hex.slice(4)];
    });
  const [head, tail] = [groups(front), groups(back)];
  const missing = text.includes("::") ? 8 - head.length - tail.length : 0;
  return Buffer.from([...head, ...Array.from({ length: missing }, () => "0000"), ...tail].join(""), "hex");
}

function encodeName(name: string): Buffer {
  const labels = name === "" ? [] : name.split(".");
  const parts = labels.map((label) =>
    Buffer.concat([Buffer.from([label.length]), Buffer.from(label, "latin1")]),
  );
  return Buffer.concat([...parts, Buffer.from([0])]);
}

function pair(first: number, second: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16BE(first, 0);
  bytes.writeUInt16BE(second, 2);
  return bytes;
}

/** `. 5 IN SOA . . 1 5 5 5 5`: a denial holds for five seconds. */
const START_OF_AUTHORITY = Buffer.from(
  ["00", "0006", "0001", "00000005", "0016", "00", "00", "00000001", "00000005".repeat(4)].join(""),
  "hex",
);
