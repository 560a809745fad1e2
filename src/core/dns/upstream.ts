import { assert } from "../base/assert.ts";
import { type ChainRead, NOTHING, readChain } from "./chain.ts";
import { CLASS_IN, read16, TYPE } from "./message.ts";
import { encodeName, HEADER_BYTES, spellName } from "./name.ts";
import { readRecords, RECORDS_MAX, type ResourceRecord } from "./record.ts";
import { FLAG, MESSAGE_BYTES_MAX, putOpt, putQuestion, sealMessage, startMessage } from "./writer.ts";

export interface QuestionOptions {
  readonly dnssecOk: boolean;
  readonly checkingDisabled: boolean;
  /** RFC 6840 5.7: asks for AD without asking for signatures. */
  readonly authenticData?: boolean;
  /** Bytes that we take over UDP. */
  readonly udpSize: number;
  /** Random bytes, one bit a letter (a set bit is upper case), the lowest bit first; letters beyond stay lower. */
  readonly caseBits?: Uint8Array;
}

/** What was asked: a reply to anything else is not ours. */
export interface Asked {
  readonly id: number;
  /** The name as it was sent, in its random case. */
  readonly question: Uint8Array;
  readonly type: number;
}

/** `mismatch`: not the reply to what was asked, so keep waiting. `malformed`: the reply, but broken. */
export type UpstreamParse =
  | { readonly ok: true; readonly answer: UpstreamAnswer }
  | { readonly ok: false; readonly problem: "mismatch" | "malformed" };

export interface UpstreamAnswer extends ChainRead {
  /** With the upper bits of OPT (RFC 6891 6.1.3). */
  readonly rcode: number;
  /** Nothing of a truncated answer is read: ask again over TCP. */
  readonly truncated: boolean;
  readonly authenticData: boolean;
}

/**
 * Returns the message that asks for `name` (a Hostname, or the text of a question), RD set, with EDNS.
 * The name's letters take their case from `caseBits` (draft-vixie-dnsext-dns0x20), which a forger has to guess.
 */
export function encodeQuestion(id: number, name: string, type: number, options: QuestionOptions): Uint8Array {
  const lower = encodeName(name);
  assert(lower !== undefined, "an upstream question's name comes from a parser");
  const wire = options.caseBits === undefined ? lower : mixCase(lower, options.caseBits);
  const writer = startMessage(MESSAGE_BYTES_MAX);
  putQuestion(writer, { wire, text: "", type, class: CLASS_IN });
  putOpt(writer, { udpSize: options.udpSize, rcode: 0, dnssecOk: options.dnssecOk, option: null });
  const flags =
    FLAG.recursionDesired |
    (options.checkingDisabled ? FLAG.checkingDisabled : 0) |
    (options.authenticData === true ? FLAG.authenticData : 0);
  return sealMessage(writer, id, flags);
}

/** Length bytes are below 64, so that no one of them is taken for a letter. */
function mixCase(lower: Uint8Array, bits: Uint8Array): Uint8Array {
  let letter = 0;
  return lower.map((byte) => {
    if (byte < 97 || byte > 122) return byte;
    const isUpper = (((bits[letter >>> 3] ?? 0) >>> (letter & 7)) & 1) === 1;
    letter += 1;
    return isUpper ? byte - 32 : byte;
  });
}

/** Returns what a message of encodeQuestion asks, for parseUpstream. */
export function askedOf(message: Uint8Array): Asked {
  let at = HEADER_BYTES;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) at += 1 + length;
  return {
    id: read16(message, 0),
    question: message.slice(HEADER_BYTES, at + 1),
    type: read16(message, at + 1),
  };
}

/**
 * Reads the reply to what was asked. Ours is only what has the id, QR, opcode 0 and exactly the question that
 * was sent, in its case (RFC 5452 9.1). Of the answers only those count that belong to the asked name or to
 * its chain of at most CHAIN_MAX CNAME records. Never throws and never reads behind `length`.
 */
export function parseUpstream(bytes: Uint8Array, length: number, asked: Asked): UpstreamParse {
  const end = Math.min(length, bytes.length, MESSAGE_BYTES_MAX);
  if (!isReplyTo(bytes, end, asked)) return { ok: false, problem: "mismatch" };
  const flags = read16(bytes, 2);
  const head = { rcode: flags & 15, truncated: false, authenticData: (flags & FLAG.authenticData) !== 0 };
  // Servers cut anywhere (RFC 2181 9): half of an answer is none.
  if ((flags & FLAG.truncated) !== 0)
    return { ok: true, answer: { ...NOTHING, ...head, truncated: true, authenticData: false } };
  const sections = readSections(bytes, HEADER_BYTES + asked.question.length + 4, end);
  if (sections === undefined) return { ok: false, problem: "malformed" };
  const rcode = head.rcode | (sections.upperRcode << 4);
  const read = readChain(sections, { name: spellName(asked.question), type: asked.type, rcode });
  return { ok: true, answer: { ...head, rcode, ...read } };
}

/** Whether a message would be the reply to what was asked, were it not for the case of the name. Never throws. */
export function isInOtherCase(bytes: Uint8Array, length: number, asked: Asked): boolean {
  const end = Math.min(length, bytes.length, MESSAGE_BYTES_MAX);
  const lower = asked.question.map(lowerCase);
  const told = bytes.slice(0, end);
  const last = Math.min(end, HEADER_BYTES + lower.length);
  for (let at = HEADER_BYTES; at < last; at += 1) told[at] = lowerCase(told[at] ?? 0);
  return !isReplyTo(bytes, end, asked) && isReplyTo(told, end, { ...asked, question: lower });
}

/** Length bytes are below 64, so that no one of them is taken for a letter. */
function lowerCase(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte + 32 : byte;
}

function isReplyTo(bytes: Uint8Array, end: number, { id, question, type }: Asked): boolean {
  const behind = HEADER_BYTES + question.length;
  if (end < behind + 4 || read16(bytes, 0) !== id) return false;
  // QR set and opcode 0.
  if (read16(bytes, 2) >>> 11 !== 16 || read16(bytes, 4) !== 1) return false;
  for (let at = 0; at < question.length; at += 1) {
    if (bytes[HEADER_BYTES + at] !== question[at]) return false;
  }
  return read16(bytes, behind) === type && read16(bytes, behind + 2) === CLASS_IN;
}

export interface Sections {
  readonly answer: readonly ResourceRecord[];
  readonly authority: readonly ResourceRecord[];
  /** Without OPT. */
  readonly additional: readonly ResourceRecord[];
  readonly upperRcode: number;
}

/** The three sections from `from` on; undefined when one record is broken or bytes are left over. */
export function readSections(bytes: Uint8Array, from: number, end: number): Sections | undefined {
  const counts = [read16(bytes, 6), read16(bytes, 8), read16(bytes, 10)] as const;
  if (counts[0] + counts[1] + counts[2] > RECORDS_MAX) return undefined;
  const answer = readRecords(bytes, from, end, counts[0]);
  const authority = answer && readRecords(bytes, answer.next, end, counts[1]);
  const additional = authority && readRecords(bytes, authority.next, end, counts[2]);
  if (additional?.next !== end) return undefined;
  const opt = additional.records.find(({ type }) => type === TYPE.OPT);
  return {
    answer: answer?.records ?? [],
    authority: authority?.records ?? [],
    additional: additional.records.filter(({ type }) => type !== TYPE.OPT),
    upperRcode: opt === undefined ? 0 : opt.ttlBits >>> 24,
  };
}
