import { expandName, HEADER_BYTES, NAME_BYTES_MAX, spellName } from "./name.ts";
import {
  FLAG,
  MESSAGE_BYTES_MAX,
  putOpt,
  putQuestion,
  sealMessage,
  startMessage,
  UDP_PAYLOAD_BYTES,
} from "./writer.ts";

/** IANA DNS resource record types that Seawall names. */
export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  NULL: 10,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  DNAME: 39,
  OPT: 41,
  RRSIG: 46,
  NSEC: 47,
  NSEC3: 50,
  SVCB: 64,
  HTTPS: 65,
  ANY: 255,
} as const;

/** IANA DNS response codes; those above 15 exist only with EDNS (RFC 6891 6.1.3). */
export const RCODE = {
  noerror: 0,
  formerr: 1,
  servfail: 2,
  nxdomain: 3,
  notimp: 4,
  refused: 5,
  badvers: 16,
} as const;

export const CLASS_IN = 1;

export interface Question {
  /** Lower case, no trailing dot, "" for the root; bytes that no host name has as `\DDD`. */
  readonly text: string;
  /** The name as it was asked, in its own case. */
  readonly wire: Uint8Array;
  readonly type: number;
  readonly class: number;
}

/** What the OPT record of a query says (RFC 6891 6.1.2). */
export interface Edns {
  /** As the client wrote it, in bytes; replyLimitBytes judges it. */
  readonly udpSize: number;
  readonly dnssecOk: boolean;
  readonly version: number;
}

export interface Query {
  readonly id: number;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
  readonly authenticData: boolean;
  readonly question: Question;
  readonly edns: Edns | null;
}

/** Why a message is no query to answer. `short` and `response` are met with silence. */
export type QueryProblem = "short" | "response" | "opcode" | "counts" | "question" | "additional" | "version";

/** `reply` is complete and ready to be sent; null: silence is right. */
export type QueryParse =
  | { readonly ok: true; readonly query: Query }
  | { readonly ok: false; readonly problem: QueryProblem; readonly reply: Uint8Array | null };

const nameScratch = new Uint8Array(NAME_BYTES_MAX);

/**
 * Reads a query (RFC 1035 4.1, RFC 6891): one question, nothing but one OPT record behind it, any class and
 * type. Refused with NOTIMP: another opcode. With BADVERS: EDNS above version 0. With FORMERR: everything
 * else, such as two questions (RFC 9619), a pointer in the question, answers, a second OPT, bytes behind the
 * end. Never throws and never reads behind `length`.
 */
export function parseQuery(bytes: Uint8Array, length = bytes.length): QueryParse {
  const end = Math.min(length, bytes.length, MESSAGE_BYTES_MAX);
  if (end < HEADER_BYTES) return { ok: false, problem: "short", reply: null };
  const flags = read16(bytes, 2);
  // SECURITY: a reply to a reply lets two servers talk to each other for ever.
  if ((flags & FLAG.response) !== 0) return { ok: false, problem: "response", reply: null };
  const head: Head = { id: read16(bytes, 0), flags, question: null, edns: null };
  if (((flags >>> 11) & 15) !== 0) return refused(head, "opcode", RCODE.notimp);
  if (read16(bytes, 4) !== 1 || read16(bytes, 6) !== 0 || read16(bytes, 8) !== 0)
    return refused(head, "counts", RCODE.formerr);
  const name = expandName(bytes, HEADER_BYTES, end, { into: nameScratch, intoAt: 0, pointers: "refuse" });
  if (name === undefined || name.next + 4 > end) return refused(head, "question", RCODE.formerr);
  const question: Question = {
    text: spellName(nameScratch),
    wire: bytes.slice(HEADER_BYTES, name.next),
    type: read16(bytes, name.next),
    class: read16(bytes, name.next + 2),
  };
  const edns = readAdditional(bytes, name.next + 4, end);
  if (edns === undefined) return refused({ ...head, question }, "additional", RCODE.formerr);
  if (edns !== null && edns.version !== 0)
    return refused({ ...head, question, edns }, "version", RCODE.badvers);
  return {
    ok: true,
    query: {
      id: head.id,
      recursionDesired: (flags & FLAG.recursionDesired) !== 0,
      checkingDisabled: (flags & FLAG.checkingDisabled) !== 0,
      authenticData: (flags & FLAG.authenticData) !== 0,
      question,
      edns,
    },
  };
}

/** The OPT record, null when there is none, undefined when anything else stands there. */
function readAdditional(bytes: Uint8Array, from: number, end: number): Edns | null | undefined {
  const count = read16(bytes, 10);
  if (count === 0) return from === end ? null : undefined;
  if (count !== 1 || from + 11 > end || bytes[from] !== 0) return undefined;
  if (read16(bytes, from + 1) !== TYPE.OPT) return undefined;
  if (from + 11 + read16(bytes, from + 9) !== end || !optionsFit(bytes, from + 11, end)) return undefined;
  return {
    udpSize: read16(bytes, from + 3),
    version: bytes[from + 6] ?? 0,
    dnssecOk: (read16(bytes, from + 7) & 0x8000) !== 0,
  };
}

/** Whether the options fill [from, end) exactly (RFC 6891 6.1.2). */
function optionsFit(bytes: Uint8Array, from: number, end: number): boolean {
  let at = from;
  while (at + 4 <= end) at += 4 + read16(bytes, at + 2);
  return at === end;
}

interface Head {
  readonly id: number;
  readonly flags: number;
  readonly question: Question | null;
  readonly edns: Edns | null;
}

/** RFC 1035 4.1.1: opcode and RD are copied; the question only when it could be read. */
function refused(head: Head, problem: QueryProblem, rcode: number): QueryParse {
  const writer = startMessage(MESSAGE_BYTES_MAX);
  if (head.question !== null) putQuestion(writer, head.question);
  if (head.edns !== null)
    putOpt(writer, { udpSize: UDP_PAYLOAD_BYTES, rcode, dnssecOk: head.edns.dnssecOk, option: null });
  const copied = head.flags & (0x7800 | FLAG.recursionDesired | FLAG.checkingDisabled);
  const flags = copied | FLAG.response | FLAG.recursionAvailable | (rcode & 15);
  return { ok: false, problem, reply: sealMessage(writer, head.id, flags) };
}

/** The unsigned 16 bits at `at`; 0 for what is not there. */
export function read16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
