import type { Ip } from "../net/ip.ts";
import { addressOf } from "./chain.ts";
import { type Query, RCODE, read16, TYPE } from "./message.ts";
import { expandName, HEADER_BYTES, NAME_BYTES_MAX } from "./name.ts";
import type { ResourceRecord } from "./record.ts";
import { type ExtendedError, sealReply, startReply, wireTtl } from "./reply.ts";
import { readSections, type UpstreamAnswer } from "./upstream.ts";
import {
  FLAG,
  MESSAGE_BYTES_MAX,
  put16,
  putBytes,
  putNameContent,
  putRecordHead,
  type Writer,
} from "./writer.ts";

/**
 * Returns the reply to a client from what an upstream said about its question: the chain, the addresses that
 * `keepAddress` lets pass, for other types their records, each with the TTL `ttlSeconds` (null: its own); the
 * upstream's code, or SERVFAIL for a chain with a problem; over `limitBytes` TC and no records. Signatures and
 * proofs are passed on when DO was set, AD when the client asked for it by DO or AD (RFC 6840 5.8), both only
 * when nothing was removed.
 */
export function encodeForwarded(
  query: Query,
  answer: UpstreamAnswer,
  keepAddress: (ip: Ip) => boolean,
  ttlSeconds: number | null,
  limitBytes: number,
  ede: ExtendedError | null = null,
): Uint8Array {
  let isWhole = answer.complete && answer.problem === null;
  const kept = answer.records.filter((record) => {
    const ip = addressOf(record);
    const isKept = ip === null || keepAddress(ip);
    isWhole &&= isKept;
    return isKept;
  });
  const withProofs = isWhole && query.edns?.dnssecOk === true;
  const mayPass = (record: ResourceRecord): boolean =>
    withProofs || !isProofOnly(record.type) || record.type === query.question.type;
  const writer = startReply(query, limitBytes);
  for (const record of kept) {
    if (mayPass(record)) putRecord(writer, "answer", record, ttlSeconds);
  }
  for (const record of answer.authority) {
    if (isWhole && mayPass(record)) putRecord(writer, "authority", record, ttlSeconds);
  }
  const authenticData = isWhole && answer.authenticData && (withProofs || query.authenticData);
  const { truncated } = answer;
  const rcode = answer.problem === null ? answer.rcode : RCODE.servfail;
  return sealReply(writer, query, { rcode, authenticData, truncated, ede }, limitBytes);
}

function isProofOnly(type: number): boolean {
  return type === TYPE.RRSIG || type === TYPE.NSEC || type === TYPE.NSEC3 || type === TYPE.DNAME;
}

/**
 * Returns an upstream's whole message, of whatever type, as the reply to a client: id, question, RD and CD
 * are the client's, every record of the three sections is passed on with its own TTL, OPT is ours and there
 * only when the client had one. Undefined when the message is broken. For observing only: nothing is judged.
 */
export function forwardAnyType(
  query: Query,
  bytes: Uint8Array,
  length: number,
  limitBytes: number,
): Uint8Array | undefined {
  const end = Math.min(length, bytes.length, MESSAGE_BYTES_MAX);
  if (end < HEADER_BYTES || read16(bytes, 4) !== 1) return undefined;
  const name = expandName(bytes, HEADER_BYTES, end, {
    into: new Uint8Array(NAME_BYTES_MAX),
    intoAt: 0,
    pointers: "refuse",
  });
  if (name === undefined || name.next + 4 > end) return undefined;
  const flags = read16(bytes, 2);
  const truncated = (flags & FLAG.truncated) !== 0;
  const sections = readSections(bytes, name.next + 4, end);
  // A server may cut a truncated message anywhere; TC alone says what the client has to do.
  if (sections === undefined && !truncated) return undefined;
  const writer = startReply(query, limitBytes);
  for (const section of ["answer", "authority", "additional"] as const) {
    for (const record of sections?.[section] ?? []) putRecord(writer, section, record, null);
  }
  const rcode = (flags & 15) | ((sections?.upperRcode ?? 0) << 4);
  const authenticData = (flags & FLAG.authenticData) !== 0;
  return sealReply(writer, query, { rcode, authenticData, truncated, ede: null }, limitBytes);
}

function putRecord(
  writer: Writer,
  section: "answer" | "authority" | "additional",
  record: ResourceRecord,
  ttlSeconds: number | null,
): void {
  const { owner, type, class: recordClass } = record;
  const ttl = wireTtl(ttlSeconds ?? record.ttlSeconds);
  putRecordHead(writer, { owner, type, class: recordClass, ttlSeconds: ttl });
  // Of all contents only this one is shortened: RFC 3597 4 allows no more than RFC 1035's own types.
  if (record.target !== null) putNameContent(writer, record.target);
  else {
    put16(writer, record.content.length);
    putBytes(writer, record.content);
  }
  writer.counts[section] += 1;
}
