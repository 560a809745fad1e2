import { CLASS_IN, read16, TYPE } from "./message.ts";
import { expandName, NAME_BYTES_MAX, spellName } from "./name.ts";

/** A record of an upstream's message, every name in it without pointers. */
export interface ResourceRecord {
  /** As spellName writes it. */
  readonly owner: string;
  readonly type: number;
  readonly class: number;
  /** The four bytes as they stand: OPT keeps other things in them. */
  readonly ttlBits: number;
  /** 0 for a TTL of 2^31 and more (RFC 2181 8). */
  readonly ttlSeconds: number;
  readonly content: Uint8Array;
  /** Where a CNAME leads; null for every other type. */
  readonly target: string | null;
}

/** LIMIT: records of one message that are read; a message that says it has more is malformed to us. */
export const RECORDS_MAX = 256;
const nameScratch = new Uint8Array(NAME_BYTES_MAX);

/**
 * What stands before, how many names, and whether more stands behind, in the types whose content may hold
 * pointers (RFC 1035 3.3, RFC 3597 4). All others are copied as they are.
 */
const LAYOUT: ReadonlyMap<number, Layout> = new Map([
  ...each([TYPE.NS, 3, 4, TYPE.CNAME, 7, 8, 9, TYPE.PTR, TYPE.DNAME], { before: 0, names: 1, behind: 0 }),
  ...each([TYPE.SOA], { before: 0, names: 2, behind: 20 }),
  // MINFO, RP; then AFSDB, RT; then PX.
  ...each([14, 17], { before: 0, names: 2, behind: 0 }),
  ...each([TYPE.MX, 18, 21], { before: 2, names: 1, behind: 0 }),
  ...each([26], { before: 2, names: 2, behind: 0 }),
  ...each([TYPE.SRV], { before: 6, names: 1, behind: 0 }),
  // SIG, NXT.
  ...each([24, TYPE.RRSIG], { before: 18, names: 1, behind: "any" }),
  ...each([30, TYPE.NSEC], { before: 0, names: 1, behind: "any" }),
]);

interface Layout {
  readonly before: number;
  readonly names: number;
  readonly behind: number | "any";
}

function each(types: readonly number[], layout: Layout): readonly (readonly [number, Layout])[] {
  return types.map((type) => [type, layout]);
}

export interface RecordsRead {
  readonly records: readonly ResourceRecord[];
  readonly next: number;
}

/**
 * Reads `count` records from `from` on. Undefined when one does not end before `end`, has a bad name, or its
 * content is not as long as its type says.
 */
export function readRecords(
  bytes: Uint8Array,
  from: number,
  end: number,
  count: number,
): RecordsRead | undefined {
  if (count > RECORDS_MAX) return undefined;
  const records: ResourceRecord[] = [];
  const owners = new Map<number, string>();
  let at = from;
  for (let left = count; left > 0; left -= 1) {
    // Nearly all owners are one pointer to a place that was read before.
    const pointer = read16(bytes, at);
    const known = at + 2 <= end ? owners.get(pointer) : undefined;
    const next = known === undefined ? readOwner(bytes, at, end) : at + 2;
    if (next < 0 || next + 10 > end) return undefined;
    const owner = known ?? spellName(nameScratch);
    if (pointer >= 0xc000) owners.set(pointer, owner);
    const start = next + 10;
    const type = read16(bytes, next);
    const recordClass = read16(bytes, next + 2);
    const ttl = read16(bytes, next + 4) * 65_536 + read16(bytes, next + 6);
    at = start + read16(bytes, next + 8);
    if (at > end) return undefined;
    const content = expandContent(bytes, start, at, type);
    if (content === undefined || (recordClass === CLASS_IN && !hasRightLength(type, content.length)))
      return undefined;
    const target = type === TYPE.CNAME ? spellName(content) : null;
    records.push({
      owner,
      type,
      class: recordClass,
      ttlBits: ttl,
      ttlSeconds: ttl > 0x7fff_ffff ? 0 : ttl,
      content,
      target,
    });
  }
  return { records, next: at };
}

/** Where the owner that is now in the scratch ends, or -1. */
function readOwner(bytes: Uint8Array, from: number, end: number): number {
  return expandName(bytes, from, end, { into: nameScratch, intoAt: 0, pointers: "follow" })?.next ?? -1;
}

function hasRightLength(type: number, length: number): boolean {
  if (type === TYPE.A) return length === 4;
  return type === TYPE.AAAA ? length === 16 : true;
}

function expandContent(bytes: Uint8Array, from: number, to: number, type: number): Uint8Array | undefined {
  const layout = LAYOUT.get(type);
  if (layout === undefined) return bytes.slice(from, to);
  if (from + layout.before > to) return undefined;
  const into = new Uint8Array(layout.before + layout.names * NAME_BYTES_MAX + (to - from));
  into.set(bytes.subarray(from, from + layout.before));
  let at = from + layout.before;
  let written = layout.before;
  for (let left = layout.names; left > 0; left -= 1) {
    const name = expandName(bytes, at, to, { into, intoAt: written, pointers: "follow" });
    if (name === undefined) return undefined;
    at = name.next;
    written += name.wireBytes;
  }
  if (layout.behind !== "any" && to - at !== layout.behind) return undefined;
  into.set(bytes.subarray(at, to), written);
  return into.slice(0, written + to - at);
}
