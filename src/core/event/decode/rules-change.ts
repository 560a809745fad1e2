/**
 * What a transaction of nf_tables changed, from the messages of the multicast group NFNLGRP_NFTABLES: one for each
 * thing made or deleted, and NEWGEN at the end, which says who did it.
 */
import { type TableFamily, tableFamily } from "../../drift/family.ts";
import { shownName } from "../../drift/shown.ts";
import { eachAttribute, eachMessage } from "./netlink.ts";

type TouchedKind = "table" | "chain" | "rule" | "set" | "element" | "object" | "flowtable";

/** Everything of one kind that a transaction did to one table. */
export interface Touched {
  readonly family: TableFamily;
  /** As it may be shown, see shownName. */
  readonly table: string;
  readonly what: TouchedKind;
  readonly action: "new" | "deleted";
  /** Messages of the kernel: one a thing, but one may hold several elements. */
  readonly count: number;
}

export interface RulesTransaction {
  /** The kernel's number of the ruleset that it made. */
  readonly generation: number;
  /** The task that sent it, numbered as in the first pid namespace; 0 where an old kernel does not say. */
  readonly pid: number;
  /** The netlink port that it was sent from, mostly the process id in the sender's own pid namespace. */
  readonly port: number;
  /** The task's name, at most 15 characters. */
  readonly program: string;
  readonly touched: readonly Touched[];
  /** Messages beyond TOUCHED_MAX, of which only the number is known. */
  readonly untold: number;
}

export interface RulesDecoder {
  /** Reads the first `length` bytes of a datagram and hands on each transaction that ends in it. Never throws. */
  (bytes: Uint8Array, length: number, onTransaction: (transaction: RulesTransaction) => void): void;
}

/** LIMIT: lines of one transaction's summary. */
export const TOUCHED_MAX = 64;

const SUBSYSTEM_NFTABLES = 10;
const NFGENMSG_BYTES = 4;
/** Of a netlink header, counted back from its payload. */
const PORT_BEFORE_PAYLOAD = 4;
const NFT_MSG_NEWGEN = 15;
const NFTA_GEN = { id: 1, pid: 2, program: 3 } as const;
/** The first attribute of every other message names the table. */
const NFTA_TABLE = 1;
const ATTRIBUTE_HEADER_BYTES = 4;

/** Messages of linux/netfilter/nf_tables.h, without those of NFT_MSG_GET. */
const KINDS: Readonly<Record<number, readonly [Touched["what"], Touched["action"]]>> = {
  0: ["table", "new"],
  2: ["table", "deleted"],
  3: ["chain", "new"],
  5: ["chain", "deleted"],
  6: ["rule", "new"],
  8: ["rule", "deleted"],
  9: ["set", "new"],
  11: ["set", "deleted"],
  12: ["element", "new"],
  14: ["element", "deleted"],
  18: ["object", "new"],
  20: ["object", "deleted"],
  22: ["flowtable", "new"],
  24: ["flowtable", "deleted"],
};

/**
 * Returns a decoder that keeps at most one transaction under way, in TOUCHED_MAX lines. Where the kernel dropped
 * messages, the summaries beside the gap may lack what was in them.
 */
export function createRulesDecoder(): RulesDecoder {
  const pending = createSummary();
  return (bytes, length, onTransaction) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    eachMessage(view, length, (type, from, to) => {
      if (type >>> 8 !== SUBSYSTEM_NFTABLES || to - from < NFGENMSG_BYTES) return;
      const port = view.getUint32(from - PORT_BEFORE_PAYLOAD, true);
      if ((type & 0xff) !== NFT_MSG_NEWGEN) pending.add(bytes, type & 0xff, port, from, to);
      else onTransaction({ ...readGeneration(view, from + NFGENMSG_BYTES, to), port, ...pending.take(port) });
    });
  };
}

interface Summary {
  add(bytes: Uint8Array, message: number, port: number, from: number, to: number): void;
  /** Returns what was added from this port, and begins anew. */
  take(port: number): Pick<RulesTransaction, "touched" | "untold">;
}

interface Line {
  readonly message: number;
  readonly family: number;
  /** A copy of the table attribute's bytes, header included: the reader uses its buffer again. */
  readonly name: Uint8Array;
  count: number;
}

/**
 * INVARIANT: a message like the one before costs a comparison of bytes and no memory: pins of the gates and floods
 * of elements are counted, never decoded.
 */
function createSummary(): Summary {
  let lines: Line[] = [];
  let untold = 0;
  let sender = 0;
  let last: Line | undefined;
  const begin = (port: number): void => {
    lines = [];
    untold = 0;
    sender = port;
    last = undefined;
  };
  const lineOf = (message: number, family: number, name: Uint8Array): Line | undefined => {
    const known = lines.find((line) => isLike(line, message, family, name, 0, name.length));
    if (known !== undefined || lines.length >= TOUCHED_MAX) return known;
    const line = { message, family, name: Uint8Array.from(name), count: 0 };
    lines.push(line);
    return line;
  };
  return {
    add(bytes, message, port, from, to) {
      if (KINDS[message] === undefined) return;
      // The end of another sender's transaction was lost: what it did is not this one's.
      if (port !== sender) begin(port);
      const family = bytes[from] ?? 0;
      const at = from + NFGENMSG_BYTES;
      if (last === undefined || !isLike(last, message, family, bytes, at, to))
        last = lineOf(message, family, tableAttribute(bytes, at, to));
      if (last === undefined) untold += 1;
      else last.count += 1;
    },
    take(port) {
      if (port !== sender) begin(port);
      const summary = { touched: lines.flatMap(touchedBy), untold };
      begin(port);
      return summary;
    },
  };
}

function isLike(line: Line, message: number, family: number, bytes: Uint8Array, at: number, to: number) {
  const { name } = line;
  if (line.message !== message || line.family !== family || name.length > to - at) return false;
  for (let index = 0; index < name.length; index += 1) if (name[index] !== bytes[at + index]) return false;
  return name.length > 0 || at === to;
}

/** The bytes of the attribute at `at` when it is a whole one that names a table, else none. */
function tableAttribute(bytes: Uint8Array, at: number, to: number): Uint8Array {
  const size = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  const type = (bytes[at + 2] ?? 0) | ((bytes[at + 3] ?? 0) << 8);
  const isWhole = to - at >= ATTRIBUTE_HEADER_BYTES && size >= ATTRIBUTE_HEADER_BYTES && size <= to - at;
  return isWhole && type === NFTA_TABLE ? bytes.subarray(at, at + size) : new Uint8Array();
}

function touchedBy({ message, family, name, count }: Line): Touched[] {
  const kind = KINDS[message];
  if (kind === undefined) return [];
  const [what, action] = kind;
  const table = shownName(textOf(name.subarray(Math.min(ATTRIBUTE_HEADER_BYTES, name.length))));
  return [{ family: tableFamily(family), table, what, action, count }];
}

function readGeneration(view: DataView, from: number, to: number) {
  let generation = 0;
  let pid = 0;
  let program = "";
  eachAttribute(view, from, to, (type, start, end) => {
    if (type === NFTA_GEN.program)
      program = shownName(textOf(new Uint8Array(view.buffer, view.byteOffset + start, end - start)));
    else if (end - start < 4) return;
    else if (type === NFTA_GEN.id) generation = view.getUint32(start, false);
    else if (type === NFTA_GEN.pid) pid = view.getUint32(start, false);
  });
  return { generation, pid, program };
}

/** A string ends with a NUL. */
function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
