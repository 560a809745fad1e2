/**
 * Interval elements of an nftables set as one transaction of netlink bytes, written into one buffer that is
 * used again: only the addresses change from one transaction to the next. The encoding is the one of nft(8):
 * an element for the first address, and one with the flag "interval end" for the address after the last.
 */
import { assert } from "../../../core/base/assert.ts";
import { IP4_MAX, IP6_MAX } from "../../../core/net/ip.ts";
import type { Intervals4, Intervals6 } from "../../../core/net/prefix-set.ts";
import {
  attribute,
  messageType,
  NETFILTER_HEADER_BYTES,
  nested,
  netfilterMessage,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_REQUEST,
  SUBSYSTEM,
  text,
  u32,
} from "./message.ts";

/** Attributes of linux/netfilter/nf_tables.h. */
export const NFTA = {
  listTable: 1,
  listSet: 2,
  listElements: 3,
  listElement: 1,
  elementKey: 1,
  elementFlags: 3,
  elementTimeout: 4,
  elementUserdata: 6,
  dataValue: 1,
} as const;
export const NFT_MSG_NEWSETELEM = 12;
export const NFPROTO_INET = 1;
export const NFNL_MSG_BATCH_BEGIN = 0x10;
export const NFNL_MSG_BATCH_END = 0x11;

/** LIMIT: intervals of one message: they are one attribute with a 16-bit length, 64 bytes each for IPv6. */
const MESSAGE_INTERVALS_MAX = 1000;
/**
 * LIMIT: intervals of one transaction. The lock that it holds delays every pin; but the kernel walks the whole
 * set at each commit, so that smaller transactions make a large set slow (measured: 1000 take twice as long as
 * 4000 for 100,000 intervals).
 */
export const TRANSACTION_INTERVALS_MAX = 4000;
/** LIMIT: the same while nobody pins anything, that is, while nothing of ours is in force. */
export const ALONE_INTERVALS_MAX = 100_000;

const NFT_SET_ELEM_INTERVAL_END = 1;
/** nft's note on an interval up to the last address, which has no end element: type 1, length 4, flag 1. */
const OPEN_INTERVAL_NOTE = Uint8Array.of(1, 4, 1, 0, 0, 0);

export type Intervals =
  | { readonly family: 4; readonly intervals: Intervals4 }
  | { readonly family: 6; readonly intervals: Intervals6 };

export interface IntervalTransaction {
  readonly bytes: Uint8Array;
  /** The sequence number of the last message, which the kernel acknowledges when all are in force. */
  readonly sequence: number;
}

export interface IntervalEncoder {
  /** Returns the transaction for intervals [from, to); its bytes are valid until the next call. */
  encode(from: number, to: number): IntervalTransaction;
}

/** Returns an encoder for sorted, disjoint intervals. More than `most` a call is a bug. */
export function createIntervalEncoder(
  table: string,
  set: string,
  wanted: Intervals,
  most: number,
): IntervalEncoder {
  const keys = wanted.family === 4 ? keys4(wanted.intervals) : keys6(wanted.intervals);
  const templates = templatesOf(table, set, keys.bytes);
  const bytes = new Uint8Array(transactionBytesMax(templates, most));
  const view = new DataView(bytes.buffer);
  return {
    encode(from, to) {
      assert(from < to && to - from <= most, `transaction of ${to - from} intervals`);
      let at = put(bytes, batchMarker(NFNL_MSG_BATCH_BEGIN, 0), 0);
      let sequence = 0;
      for (let index = from; index < to; index += MESSAGE_INTERVALS_MAX) {
        const end = Math.min(to, index + MESSAGE_INTERVALS_MAX);
        sequence += 1;
        const start = at;
        at = writeElements(bytes, view, start, templates, keys, index, end);
        setHeader(view, start, at, templates.head.length, sequence, end === to);
      }
      at = put(bytes, batchMarker(NFNL_MSG_BATCH_END, sequence + 1), at);
      return { bytes: bytes.subarray(0, at), sequence };
    },
  };
}

/** What is written again and again. INVARIANT: the key is the last thing in both elements. */
interface Templates {
  /** A message up to its elements. */
  readonly head: Uint8Array;
  readonly first: Uint8Array;
  readonly end: Uint8Array;
}

function writeElements(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  { head, first, end }: Templates,
  keys: Keys,
  from: number,
  to: number,
): number {
  let at = put(bytes, head, start);
  // nft begins a set that does not hold address 0 with an end there.
  if (from === 0 && !keys.holdsZero) at = put(bytes, end, at);
  for (let index = from; index < to; index += 1) {
    at = put(bytes, first, at);
    keys.writeFirst(view, at - keys.bytes, index);
    if (keys.isOpen(index)) {
      at = closeOpen(bytes, view, at, first.length);
    } else {
      at = put(bytes, end, at);
      keys.writeAfterLast(view, at - keys.bytes, index);
    }
  }
  return at;
}

function put(bytes: Uint8Array, part: Uint8Array, at: number): number {
  bytes.set(part, at);
  return at + part.length;
}

/** Turns the start element before `at` into an open interval. */
function closeOpen(bytes: Uint8Array, view: DataView, at: number, elementBytes: number): number {
  const note = attribute(NFTA.elementUserdata, OPEN_INTERVAL_NOTE);
  view.setUint16(at - elementBytes, elementBytes + note.length, true);
  return put(bytes, note, at);
}

interface Keys {
  readonly bytes: 4 | 16;
  readonly holdsZero: boolean;
  /** True for an interval up to the last address of the family: there is no address after it. */
  isOpen(index: number): boolean;
  writeFirst(view: DataView, at: number, index: number): void;
  writeAfterLast(view: DataView, at: number, index: number): void;
}

function keys4({ first, last }: Intervals4): Keys {
  return {
    bytes: 4,
    holdsZero: first[0] === 0,
    isOpen: (index) => last[index] === IP4_MAX,
    writeFirst: (view, at, index) => view.setUint32(at, first[index] ?? 0),
    writeAfterLast: (view, at, index) => view.setUint32(at, (last[index] ?? 0) + 1),
  };
}

function keys6({ first, last }: Intervals6): Keys {
  const write = (view: DataView, at: number, value: bigint): void => {
    view.setBigUint64(at, value >> 64n);
    view.setBigUint64(at + 8, value & 0xffff_ffff_ffff_ffffn);
  };
  return {
    bytes: 16,
    holdsZero: first[0] === 0n,
    isOpen: (index) => last[index] === IP6_MAX,
    writeFirst: (view, at, index) => write(view, at, first[index] ?? 0n),
    writeAfterLast: (view, at, index) => write(view, at, (last[index] ?? 0n) + 1n),
  };
}

export function elementKey(key: Uint8Array): Uint8Array {
  return nested(NFTA.elementKey, [attribute(NFTA.dataValue, key)]);
}

/** A marker that begins or ends a transaction of nftables. */
export function batchMarker(type: number, sequence: number): Uint8Array {
  const resource = SUBSYSTEM.nftables;
  return netfilterMessage({ type, flags: NLM_F_REQUEST, sequence, family: 0, resource, attributes: [] });
}

function templatesOf(table: string, set: string, keyBytes: number): Templates {
  const head = netfilterMessage({
    type: messageType(SUBSYSTEM.nftables, NFT_MSG_NEWSETELEM),
    flags: NLM_F_REQUEST | NLM_F_CREATE,
    sequence: 0,
    family: NFPROTO_INET,
    resource: 0,
    attributes: [
      attribute(NFTA.listTable, text(table)),
      attribute(NFTA.listSet, text(set)),
      nested(NFTA.listElements, []),
    ],
  });
  const key = elementKey(new Uint8Array(keyBytes));
  const endFlag = attribute(NFTA.elementFlags, u32(NFT_SET_ELEM_INTERVAL_END));
  return { head, first: nested(NFTA.listElement, [key]), end: nested(NFTA.listElement, [endFlag, key]) };
}

function transactionBytesMax({ head, first, end }: Templates, most: number): number {
  const messages = Math.ceil(most / MESSAGE_INTERVALS_MAX);
  const elements = most * (first.length + end.length) + end.length;
  return messages * head.length + elements + 2 * NETFILTER_HEADER_BYTES;
}

/** Fills in what depends on the elements; only the last message of a transaction is acknowledged. */
function setHeader(
  view: DataView,
  start: number,
  end: number,
  headBytes: number,
  sequence: number,
  isLast: boolean,
) {
  view.setUint32(start, end - start, true);
  view.setUint16(start + 6, NLM_F_REQUEST | NLM_F_CREATE | (isLast ? NLM_F_ACK : 0), true);
  view.setUint32(start + 8, sequence, true);
  view.setUint16(start + headBytes - 4, end - start - headBytes + 4, true);
}
