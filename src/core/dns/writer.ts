import { assert } from "../base/assert.ts";
import { HEADER_BYTES, labelBytes } from "./name.ts";

/** The longest message there is: its length has 16 bits over TCP (RFC 1035 4.2.2). */
export const MESSAGE_BYTES_MAX = 65_535;
/** Pointers have 14 bits (RFC 1035 4.1.4). */
const POINTER_TARGET_END = 0x4000;
/** RFC 9715: what we say that we can take, and the most that we send, over UDP. */
export const UDP_PAYLOAD_BYTES = 1232;
/** RFC 6891 6.1.2: the root's name, type, class, TTL and length of an OPT record without options. */
export const OPT_BYTES = 11;
const TYPE_OPT = 41;
const DNSSEC_OK = 0x8000;

/** Header bits of the second 16-bit word (RFC 1035 4.1.1, RFC 4035 3.2). */
export const FLAG = {
  response: 0x8000,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  authenticData: 0x0020,
  checkingDisabled: 0x0010,
} as const;

/** A message while it is written. Nothing is ever written behind the limit: `full` says that it would have been. */
export interface Writer {
  readonly bytes: Uint8Array;
  readonly limit: number;
  at: number;
  full: boolean;
  /** Where each name, and each end of one, was written. */
  readonly names: Map<string, number>;
  readonly counts: { question: number; answer: number; authority: number; additional: number };
}

/** Scratch of one message at a time; sealMessage hands out a copy. */
const scratch = new Uint8Array(MESSAGE_BYTES_MAX);

/** Starts a message of at most `limit` bytes; the one before must have been sealed. */
export function startMessage(limit: number): Writer {
  return {
    bytes: scratch,
    limit: Math.min(limit, MESSAGE_BYTES_MAX),
    at: HEADER_BYTES,
    full: false,
    names: new Map(),
    counts: { question: 0, answer: 0, authority: 0, additional: 0 },
  };
}

/** Writes the header and returns a copy of the message. */
export function sealMessage(writer: Writer, id: number, flags: number): Uint8Array {
  const { question, answer, authority, additional } = writer.counts;
  [id, flags, question, answer, authority, additional].forEach((word, at) => {
    writer.bytes[2 * at] = word >>> 8;
    writer.bytes[2 * at + 1] = word;
  });
  return writer.bytes.slice(0, writer.at);
}

export function put8(writer: Writer, value: number): void {
  if (hasRoom(writer, 1)) writer.bytes[writer.at++] = value;
}

export function put16(writer: Writer, value: number): void {
  if (!hasRoom(writer, 2)) return;
  writer.bytes[writer.at++] = value >>> 8;
  writer.bytes[writer.at++] = value;
}

export function put32(writer: Writer, value: number): void {
  put16(writer, value >>> 16);
  put16(writer, value & 0xffff);
}

export function putBytes(writer: Writer, bytes: ArrayLike<number>): void {
  if (!hasRoom(writer, bytes.length)) return;
  writer.bytes.set(bytes, writer.at);
  writer.at += bytes.length;
}

function hasRoom(writer: Writer, count: number): boolean {
  if (writer.at + count > writer.limit) writer.full = true;
  return !writer.full;
}

/** Writes the one question; later names may point into it. `text` is what `wire` spells. */
export function putQuestion(
  writer: Writer,
  { wire, text, type, class: asked }: { wire: Uint8Array; text: string; type: number; class: number },
): void {
  let rest = text;
  for (let at = 0; rest !== ""; at += (wire[at] ?? 0) + 1) {
    writer.names.set(rest, writer.at + at);
    rest = behindFirstLabel(rest);
  }
  putBytes(writer, wire);
  put16(writer, type);
  put16(writer, asked);
  writer.counts.question = 1;
}

/** Writes a name of spellName's text, shortened by pointers to what stands in the message already. */
export function putName(writer: Writer, text: string): void {
  let rest = text;
  while (rest !== "") {
    const known = writer.names.get(rest);
    if (known !== undefined) return put16(writer, 0xc000 | known);
    if (writer.at < POINTER_TARGET_END) writer.names.set(rest, writer.at);
    const after = behindFirstLabel(rest);
    const label = after === "" ? rest : rest.slice(0, -after.length - 1);
    const bytes = labelBytes(label);
    assert(bytes !== undefined, "a name that is written comes from a parser");
    put8(writer, bytes.length);
    putBytes(writer, bytes);
    rest = after;
  }
  put8(writer, 0);
}

function behindFirstLabel(text: string): string {
  const dot = text.indexOf(".");
  return dot < 0 ? "" : text.slice(dot + 1);
}

/** Writes owner, type, class and TTL; the caller goes on with the length and the content. */
export function putRecordHead(
  writer: Writer,
  {
    owner,
    type,
    class: recordClass,
    ttlSeconds,
  }: { owner: string; type: number; class: number; ttlSeconds: number },
): void {
  putName(writer, owner);
  put16(writer, type);
  put16(writer, recordClass);
  put32(writer, ttlSeconds);
}

/** Writes a name as the whole content of a record, its length before it. */
export function putNameContent(writer: Writer, text: string): void {
  const lengthAt = writer.at;
  put16(writer, 0);
  putName(writer, text);
  if (writer.full) return;
  const length = writer.at - lengthAt - 2;
  writer.bytes[lengthAt] = length >>> 8;
  writer.bytes[lengthAt + 1] = length;
}

/** Writes the OPT record (RFC 6891 6.1.2) with at most one option. */
export function putOpt(writer: Writer, { udpSize, rcode, dnssecOk, option }: OptFields): void {
  put8(writer, 0);
  put16(writer, TYPE_OPT);
  put16(writer, udpSize);
  put8(writer, rcode >>> 4);
  put8(writer, 0);
  put16(writer, dnssecOk ? DNSSEC_OK : 0);
  put16(writer, option === null ? 0 : 4 + option.content.length);
  writer.counts.additional += 1;
  if (option === null) return;
  put16(writer, option.code);
  put16(writer, option.content.length);
  putBytes(writer, option.content);
}

export interface OptFields {
  readonly udpSize: number;
  /** The whole code; its upper eight bits stand here, the lower four in the header. */
  readonly rcode: number;
  readonly dnssecOk: boolean;
  readonly option: { readonly code: number; readonly content: Uint8Array } | null;
}
