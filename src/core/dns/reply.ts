import { unreachable } from "../base/assert.ts";
import type { Ip } from "../net/ip.ts";
import { CLASS_IN, type Query, RCODE, TYPE } from "./message.ts";
import {
  FLAG,
  MESSAGE_BYTES_MAX,
  OPT_BYTES,
  put16,
  put32,
  put8,
  putNameContent,
  putOpt,
  putQuestion,
  putRecordHead,
  sealMessage,
  startMessage,
  UDP_PAYLOAD_BYTES,
  type Writer,
} from "./writer.ts";

/** RFC 8914: why, as a registered code and as text for people. The text is cut to what fits. */
export interface ExtendedError {
  readonly code: number;
  readonly text: string;
}

/** IANA Extended DNS Error codes that the gate gives (RFC 8914 4). */
export const EXTENDED_ERROR = {
  other: 0,
  blocked: 15,
  filtered: 17,
  notReady: 14,
  networkError: 23,
} as const;

export type Reply =
  | {
      readonly kind: "addresses";
      /** Targets of CNAME records in order, from the question's name on; the addresses are the last one's. */
      readonly chain: readonly string[];
      /** Only those of the family that was asked for are sent; both for ANY. */
      readonly addresses: readonly Ip[];
      readonly ttlSeconds: number;
      readonly authenticData: boolean;
      readonly ede: ExtendedError | null;
    }
  /** NXDOMAIN, or NOERROR for a name without the type asked for, with an SOA record so that it is cached briefly. */
  | {
      readonly kind: "negative";
      readonly rcode: typeof RCODE.nxdomain | typeof RCODE.noerror;
      /** At most SOA_SECONDS_MAX. */
      readonly soaSeconds: number;
      readonly ede: ExtendedError | null;
    }
  /** NOERROR and nothing else. */
  | { readonly kind: "empty"; readonly ede: ExtendedError | null }
  /** SERVFAIL, REFUSED, NOTIMP ...: nobody caches it. */
  | { readonly kind: "failure"; readonly rcode: number; readonly ede: ExtendedError | null };

/** LIMIT: what we deny may be listed a moment later, so no cache keeps it longer. */
export const SOA_SECONDS_MAX = 5;
/** RFC 2181 8. */
const TTL_SECONDS_MAX = 0x7fff_ffff;
/** RFC 1035 4.2.1: what every client can take over UDP. */
const UDP_BYTES_MIN = 512;
const OPTION_EXTENDED_ERROR = 15;
/** LIMIT: longer reasons are cut, whatever room there is. */
const EXTENDED_TEXT_BYTES_MAX = 512;
/** Option code, option length and info code of an extended error (RFC 8914 2). */
const EXTENDED_ERROR_BYTES = 6;

/**
 * Returns the most bytes that a reply may have: over UDP what the client says it can take, but never under
 * 512 (RFC 6891 6.2.3), never over 1232 (RFC 9715), and 512 without EDNS; 65535 over TCP.
 */
export function replyLimitBytes(query: Query, transport: "udp" | "tcp"): number {
  if (transport === "tcp") return MESSAGE_BYTES_MAX;
  if (query.edns === null) return UDP_BYTES_MIN;
  return Math.max(UDP_BYTES_MIN, Math.min(query.edns.udpSize, UDP_PAYLOAD_BYTES));
}

/**
 * Returns the whole reply. The question is echoed byte for byte, RD and CD are copied, RA is set, OPT and in
 * it the extended error only when the query had one. What is over `limitBytes` (512 at least) comes back
 * without records and with TC set, so that the client asks again over TCP (RFC 2181 9).
 */
export function encodeReply(query: Query, reply: Reply, limitBytes: number): Uint8Array {
  const writer = startReply(query, limitBytes);
  switch (reply.kind) {
    case "addresses":
      putAddresses(writer, query, reply);
      return sealReply(writer, query, { ...reply, rcode: RCODE.noerror }, limitBytes);
    case "negative":
      putOwnSoa(writer, query, Math.min(reply.soaSeconds, SOA_SECONDS_MAX));
      return sealReply(writer, query, { ...reply, authenticData: false }, limitBytes);
    case "empty":
      return sealReply(writer, query, { ...reply, rcode: RCODE.noerror, authenticData: false }, limitBytes);
    case "failure":
      return sealReply(writer, query, { ...reply, authenticData: false }, limitBytes);
    default:
      return unreachable(reply);
  }
}

function putAddresses(
  writer: Writer,
  { question }: Query,
  { chain, addresses, ttlSeconds }: Extract<Reply, { kind: "addresses" }>,
): void {
  const common = { class: CLASS_IN, ttlSeconds: wireTtl(ttlSeconds) };
  let owner = question.text;
  for (const target of chain) {
    putRecordHead(writer, { ...common, owner, type: TYPE.CNAME });
    putNameContent(writer, target);
    writer.counts.answer += 1;
    owner = target;
  }
  for (const ip of addresses) {
    const type = ip.family === 4 ? TYPE.A : TYPE.AAAA;
    if (question.type !== type && question.type !== TYPE.ANY) continue;
    putRecordHead(writer, { ...common, owner, type });
    putIpContent(writer, ip);
    writer.counts.answer += 1;
  }
}

function putIpContent(writer: Writer, ip: Ip): void {
  if (ip.family === 4) {
    put16(writer, 4);
    put32(writer, ip.value);
    return;
  }
  put16(writer, 16);
  for (let shift = 96n; shift >= 0n; shift -= 32n) put32(writer, Number((ip.value >> shift) & 0xffff_ffffn));
}

/** RFC 2308 3: TTL and MINIMUM say how long the denial may be kept. Nobody is named: MNAME and RNAME are the root. */
function putOwnSoa(writer: Writer, { question }: Query, seconds: number): void {
  const ttlSeconds = wireTtl(seconds);
  putRecordHead(writer, { owner: question.text, type: TYPE.SOA, class: question.class, ttlSeconds });
  put16(writer, 22);
  put8(writer, 0);
  put8(writer, 0);
  for (const field of [1, ttlSeconds, ttlSeconds, ttlSeconds, ttlSeconds]) put32(writer, field);
  writer.counts.authority += 1;
}

/** Seconds as a TTL: whole, not negative, at most 2^31 - 1 (RFC 2181 8). */
export function wireTtl(seconds: number): number {
  return seconds > 0 ? Math.min(Math.floor(seconds), TTL_SECONDS_MAX) : 0;
}

/** Starts a reply with the question in it and room kept for OPT. */
export function startReply(query: Query, limitBytes: number): Writer {
  const writer = startMessage(wholeLimit(limitBytes) - (query.edns === null ? 0 : OPT_BYTES));
  putQuestion(writer, query.question);
  return writer;
}

export interface ReplyEnd {
  readonly rcode: number;
  readonly authenticData: boolean;
  readonly ede: ExtendedError | null;
  /** Set when what is passed on was cut already. */
  readonly truncated?: boolean;
}

/** Ends a reply of startReply: without records when they did not fit, with OPT when the query had one. */
export function sealReply(started: Writer, query: Query, end: ReplyEnd, limitBytes: number): Uint8Array {
  const { question, edns } = query;
  const truncated = started.full || end.truncated === true;
  const writer: Writer = { ...started, limit: wholeLimit(limitBytes), full: false };
  if (started.full) {
    writer.at = 12 + question.wire.length + 4;
    Object.assign(writer.counts, { answer: 0, authority: 0, additional: 0 });
  }
  // RFC 6891 6.1.3: without OPT there are no codes above 15.
  const rcode = edns === null && end.rcode > 15 ? RCODE.servfail : end.rcode;
  if (edns !== null) {
    const room = writer.limit - writer.at - OPT_BYTES - EXTENDED_ERROR_BYTES;
    const option = end.ede === null || room < 0 ? null : extendedErrorOption(end.ede, room);
    putOpt(writer, { udpSize: UDP_PAYLOAD_BYTES, rcode, dnssecOk: edns.dnssecOk, option });
  }
  const flags =
    FLAG.response |
    FLAG.recursionAvailable |
    (truncated ? FLAG.truncated : 0) |
    (query.recursionDesired ? FLAG.recursionDesired : 0) |
    (query.checkingDisabled ? FLAG.checkingDisabled : 0) |
    (end.authenticData && !started.full ? FLAG.authenticData : 0) |
    (rcode & 15);
  return sealMessage(writer, query.id, flags);
}

function extendedErrorOption(
  ede: ExtendedError,
  textBytesMax: number,
): { code: number; content: Uint8Array } {
  const content = new Uint8Array(2 + Math.min(textBytesMax, EXTENDED_TEXT_BYTES_MAX));
  content[0] = ede.code >>> 8;
  content[1] = ede.code;
  // encodeInto never splits a character.
  const { written } = new TextEncoder().encodeInto(ede.text, content.subarray(2));
  return { code: OPTION_EXTENDED_ERROR, content: content.subarray(0, 2 + written) };
}

function wholeLimit(limitBytes: number): number {
  return Math.max(UDP_BYTES_MIN, Math.min(limitBytes, MESSAGE_BYTES_MAX));
}
