/**
 * Sets of addresses as sorted, disjoint, non-adjacent intervals, one list a family. All set algebra of the
 * policy (union, except, membership) is done here, on whole sets, before any packet or flow is judged.
 */
import { formatIp, IP4_MAX, IP6_MAX, type Ip } from "./ip.ts";
import { formatPrefix, type Prefix, prefixEnd } from "./prefix.ts";

export interface Intervals4 {
  readonly first: Uint32Array;
  readonly last: Uint32Array;
}
export interface Intervals6 {
  readonly first: readonly bigint[];
  readonly last: readonly bigint[];
}
export interface PrefixSet {
  readonly v4: Intervals4;
  readonly v6: Intervals6;
  /** For each /16: the position of the first interval that ends in it or later. Null for small sets. */
  readonly index4: Uint32Array | null;
}

const NO_INTERVALS4: Intervals4 = { first: new Uint32Array(0), last: new Uint32Array(0) };
const NO_INTERVALS6: Intervals6 = { first: [], last: [] };
/** Below this a plain binary search is as fast as the index and its 256 KiB are not worth it. */
const INDEX_INTERVALS_MIN = 64;

export const EMPTY_SET: PrefixSet = { v4: NO_INTERVALS4, v6: NO_INTERVALS6, index4: null };
export const EVERY_ADDRESS: PrefixSet = {
  v4: { first: new Uint32Array([0]), last: new Uint32Array([IP4_MAX]) },
  v6: { first: [0n], last: [IP6_MAX] },
  index4: null,
};

/** Returns the set of all addresses of the prefixes, merged. */
export function prefixSetOf(prefixes: readonly Prefix[]): PrefixSet {
  const pairs4: number[] = [];
  const pairs6: [bigint, bigint][] = [];
  for (const prefix of prefixes) {
    const end = prefixEnd(prefix);
    if (prefix.base.family === 4 && end.family === 4) pairs4.push(prefix.base.value, end.value);
    else if (prefix.base.family === 6 && end.family === 6) pairs6.push([prefix.base.value, end.value]);
  }
  return build(merge4(pairs4), merge6(pairs6));
}

/** The same as prefixSetOf for intervals: first, last, first, last ... in any order. */
export function intervalSetOf(pairs4: readonly number[], pairs6: [bigint, bigint][]): PrefixSet {
  return build(merge4(pairs4), merge6(pairs6));
}

export function unionSets(sets: readonly PrefixSet[]): PrefixSet {
  const [only] = sets;
  if (only !== undefined && sets.length === 1) return only;
  const pairs4: number[] = [];
  const pairs6: [bigint, bigint][] = [];
  for (const set of sets) {
    set.v4.first.forEach((first, at) => pairs4.push(first, set.v4.last[at] ?? first));
    set.v6.first.forEach((first, at) => pairs6.push([first, set.v6.last[at] ?? first]));
  }
  return build(merge4(pairs4), merge6(pairs6));
}

/** Returns what is in `set` and not in `taken`. */
export function subtractSet(set: PrefixSet, taken: PrefixSet): PrefixSet {
  if (isEmptySet(taken)) return set;
  const kept4 = subtractPairs(
    Array.from(set.v4.first, (first, at): [number, number] => [first, set.v4.last[at] ?? first]),
    Array.from(taken.v4.first, (first, at): [number, number] => [first, taken.v4.last[at] ?? first]),
    (value) => value - 1,
    (value) => value + 1,
  );
  const kept6 = subtractPairs(
    set.v6.first.map((first, at): [bigint, bigint] => [first, set.v6.last[at] ?? first]),
    taken.v6.first.map((first, at): [bigint, bigint] => [first, taken.v6.last[at] ?? first]),
    (value) => value - 1n,
    (value) => value + 1n,
  );
  return build(merge4(kept4.flat()), merge6(kept6));
}

/** Both lists are sorted; `before` and `after` are the neighbours of an address. */
function subtractPairs<Value extends number | bigint>(
  kept: readonly [Value, Value][],
  taken: readonly [Value, Value][],
  before: (value: Value) => Value,
  after: (value: Value) => Value,
): [Value, Value][] {
  const left: [Value, Value][] = [];
  let at = 0;
  for (const [first, last] of kept) {
    let from = first;
    while ((taken[at]?.[1] ?? first) < first) at += 1;
    for (let scan = at; scan < taken.length; scan += 1) {
      const hole = taken[scan];
      if (hole === undefined || hole[0] > last || from > last) break;
      if (hole[0] > from) left.push([from, before(hole[0])]);
      from = after(hole[1]);
    }
    if (from <= last) left.push([from, last]);
  }
  return left;
}

export function containsIp(set: PrefixSet, ip: Ip): boolean {
  return ip.family === 4 ? containsIp4(set, ip.value) : containsIp6(set.v6, ip.value);
}

/** Membership of an IPv4 value: one index step and a short binary search. No allocation. */
export function containsIp4(set: PrefixSet, value: number): boolean {
  const { first, last } = set.v4;
  let low = 0;
  let high = first.length - 1;
  if (set.index4 !== null) {
    const slot = value >>> 16;
    low = set.index4[slot] ?? 0;
    high = Math.min(high, set.index4[slot + 1] ?? high);
  }
  while (low <= high) {
    const middle = (low + high) >>> 1;
    if ((last[middle] ?? 0) < value) low = middle + 1;
    else if ((first[middle] ?? 0) > value) high = middle - 1;
    else return true;
  }
  return false;
}

function containsIp6(intervals: Intervals6, value: bigint): boolean {
  let low = 0;
  let high = intervals.first.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    if ((intervals.last[middle] ?? 0n) < value) low = middle + 1;
    else if ((intervals.first[middle] ?? 0n) > value) high = middle - 1;
    else return true;
  }
  return false;
}

export function isEmptySet(set: PrefixSet): boolean {
  return set.v4.first.length === 0 && set.v6.first.length === 0;
}

export function intervalCount(set: PrefixSet): number {
  return set.v4.first.length + set.v6.first.length;
}

/** Returns the set as the fewest prefixes, IPv4 first, in address order. */
export function prefixesOf(set: PrefixSet): Prefix[] {
  const prefixes: Prefix[] = [];
  set.v4.first.forEach((first, at) => {
    const last = set.v4.last[at] ?? first;
    let from = first;
    while (from <= last) {
      let bits = 32;
      while (bits > 0 && from % 2 ** (33 - bits) === 0 && from + 2 ** (33 - bits) - 1 <= last) bits -= 1;
      prefixes.push({ base: { family: 4, value: from }, bits });
      from += 2 ** (32 - bits);
    }
  });
  set.v6.first.forEach((first, at) => {
    const last = set.v6.last[at] ?? first;
    let from = first;
    while (from <= last) {
      let bits = 128;
      while (bits > 0) {
        const size = 1n << BigInt(129 - bits);
        if (from % size !== 0n || from + size - 1n > last) break;
        bits -= 1;
      }
      prefixes.push({ base: { family: 6, value: from }, bits });
      from += 1n << BigInt(128 - bits);
    }
  });
  return prefixes;
}

/** Returns `first-last`, or a prefix or address where the interval is one. */
export function formatInterval(first: Ip, last: Ip): string {
  const set =
    first.family === 4 && last.family === 4
      ? build({ first: Uint32Array.of(first.value), last: Uint32Array.of(last.value) }, NO_INTERVALS6)
      : first.family === 6 && last.family === 6
        ? build(NO_INTERVALS4, { first: [first.value], last: [last.value] })
        : EMPTY_SET;
  const [prefix, another] = prefixesOf(set);
  if (prefix !== undefined && another === undefined) return formatPrefix(prefix);
  return `${formatIp(first)}-${formatIp(last)}`;
}

function build(v4: Intervals4, v6: Intervals6): PrefixSet {
  return { v4, v6, index4: v4.first.length >= INDEX_INTERVALS_MIN ? buildIndex(v4) : null };
}

function buildIndex(v4: Intervals4): Uint32Array {
  const index = new Uint32Array(65_537);
  let at = 0;
  for (let slot = 0; slot < 65_536; slot += 1) {
    while (at < v4.last.length && (v4.last[at] ?? 0) < slot * 65_536) at += 1;
    index[slot] = at;
  }
  index[65_536] = v4.first.length;
  return index;
}

/** `pairs` is first, last, first, last ... in any order. */
function merge4(pairs: readonly number[]): Intervals4 {
  const count = pairs.length / 2;
  // Both ends in one exact double, so that a typed-array sort does the work: 32 bits of start, 21 of rank.
  const order = Float64Array.from({ length: count }, (_, at) => (pairs[2 * at] ?? 0) * 2_097_152 + at).sort();
  const first = new Uint32Array(count);
  const last = new Uint32Array(count);
  let size = 0;
  for (const key of order) {
    const at = key % 2_097_152;
    const from = pairs[2 * at] ?? 0;
    const to = pairs[2 * at + 1] ?? 0;
    const previous = size === 0 ? -2 : (last[size - 1] ?? 0);
    if (size > 0 && from <= previous + 1) {
      if (to > previous) last[size - 1] = to;
    } else {
      first[size] = from;
      last[size] = to;
      size += 1;
    }
  }
  return { first: first.slice(0, size), last: last.slice(0, size) };
}

function merge6(pairs: [bigint, bigint][]): Intervals6 {
  pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  const first: bigint[] = [];
  const last: bigint[] = [];
  for (const [from, to] of pairs) {
    const previous = last.at(-1);
    if (previous !== undefined && from <= previous + 1n) {
      if (to > previous) last[last.length - 1] = to;
    } else {
      first.push(from);
      last.push(to);
    }
  }
  return { first, last };
}
