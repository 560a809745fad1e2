/** An address, parsed once. IPv4 is an unsigned 32-bit number, IPv6 a 128-bit bigint. */
export type Ip = Ip4 | Ip6;
export interface Ip4 {
  readonly family: 4;
  readonly value: number;
}
export interface Ip6 {
  readonly family: 6;
  readonly value: bigint;
}

export const IP4_MAX = 0xffff_ffff;
export const IP6_MAX = (1n << 128n) - 1n;
const MAPPED_PREFIX = 0xffffn;
const IP6_TEXT_MAX = 45;

/**
 * Returns the address that `text` spells, or undefined. Strict dotted decimal (no octal, hex, short or
 * one-number forms, which inet_aton(3) would read) and RFC 4291 section 2.2 text without zone id.
 * An IPv4-mapped IPv6 address (RFC 4291 2.5.5.2) comes back as the IPv4 address it is.
 */
export function parseIp(text: string): Ip | undefined {
  const value4 = parseIp4Value(text);
  if (value4 >= 0) return { family: 4, value: value4 };
  if (text.length > IP6_TEXT_MAX || !text.includes(":")) return undefined;
  const value6 = parseIp6Value(text);
  if (value6 === undefined) return undefined;
  if (value6 >> 32n === MAPPED_PREFIX) return { family: 4, value: Number(value6 & 0xffff_ffffn) };
  return { family: 6, value: value6 };
}

/** Returns the unsigned value of strict dotted decimal text, or -1. No allocation: this is on hot paths. */
export function parseIp4Value(text: string): number {
  const length = text.length;
  if (length < 7 || length > 15) return -1;
  let value = 0;
  let octet = -1;
  let dots = 0;
  for (let at = 0; at < length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 46) {
      if (octet < 0) return -1;
      value = value * 256 + octet;
      octet = -1;
      dots += 1;
    } else {
      const digit = code - 48;
      if (digit < 0 || digit > 9 || octet === 0) return -1;
      octet = octet < 0 ? digit : octet * 10 + digit;
      if (octet > 255) return -1;
    }
  }
  return dots === 3 && octet >= 0 ? value * 256 + octet : -1;
}

const DOT = 46;
const COLON = 58;
/** Scratch of parseIp6Value: one address at a time, and never kept. */
const groupScratch = new Uint16Array(8);
const words = new Uint32Array(4);
const halves = new BigUint64Array(words.buffer);

/** One pass over the text; what stands behind `::` is moved to the end afterwards. */
function parseIp6Value(text: string): bigint | undefined {
  let count = 0;
  let gap = -1;
  let at = 0;
  if (text.startsWith("::")) {
    gap = 0;
    at = 2;
  }
  while (at < text.length) {
    if (count === 8) return undefined;
    const end = groupEnd(text, at);
    if (text.charCodeAt(end) === DOT) {
      const value = parseIp4Value(text.slice(at));
      if (value < 0 || count > 6) return undefined;
      groupScratch[count] = value >>> 16;
      groupScratch[count + 1] = value & 0xffff;
      count += 2;
      break;
    }
    if (end === at || end - at > 4) return undefined;
    groupScratch[count] = hexValue(text, at, end);
    count += 1;
    if (end === text.length) break;
    if (text.charCodeAt(end) !== COLON || end + 1 === text.length) return undefined;
    at = end + 1;
    if (text.charCodeAt(at) !== COLON) continue;
    if (gap >= 0) return undefined;
    gap = count;
    at += 1;
  }
  return joinGroups(count, gap);
}

/** The end of the hexadecimal digits from `at`. */
function groupEnd(text: string, at: number): number {
  let end = at;
  while (end < text.length && hexDigit(text.charCodeAt(end)) >= 0) end += 1;
  return end;
}

function hexValue(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at += 1) value = (value << 4) | hexDigit(text.charCodeAt(at));
  return value;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 97 && code <= 102) return code - 87;
  return code >= 65 && code <= 70 ? code - 55 : -1;
}

function joinGroups(count: number, gap: number): bigint | undefined {
  if (gap < 0 ? count !== 8 : count > 7) return undefined;
  const tail = gap < 0 ? 0 : count - gap;
  for (let at = 7; gap >= 0 && at >= gap; at -= 1) {
    groupScratch[at] = 7 - at < tail ? (groupScratch[count - 8 + at] ?? 0) : 0;
  }
  for (let word = 0; word < 4; word += 1) {
    words[3 - word] = ((groupScratch[2 * word] ?? 0) << 16) | (groupScratch[2 * word + 1] ?? 0);
  }
  return ((halves[1] ?? 0n) << 64n) | (halves[0] ?? 0n);
}

/** Whether the address is of the host's own loopback (RFC 1122 3.2.1.3, RFC 4291 2.5.3). */
export function isLoopback(ip: Ip): boolean {
  return ip.family === 4 ? ip.value >>> 24 === 127 : ip.value === 1n;
}

/** Returns canonical text: dotted decimal, or RFC 5952. */
export function formatIp(ip: Ip): string {
  return ip.family === 4 ? formatIp4(ip.value) : formatIp6(ip.value);
}

export function formatIp4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

export function formatIp6(value: bigint): string {
  const groups: number[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(Number((value >> shift) & 0xffffn));
  const run = longestZeroRun(groups);
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(":");
  if (run === undefined) return hex(groups);
  return `${hex(groups.slice(0, run.start))}::${hex(groups.slice(run.start + run.length))}`;
}

/** RFC 5952 4.2: the first longest run of at least two zero groups is shortened. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } | undefined {
  let best: { start: number; length: number } | undefined;
  let start = 0;
  for (let at = 0; at <= groups.length; at += 1) {
    if (groups[at] === 0) continue;
    const length = at - start;
    if (length >= 2 && length > (best?.length ?? 0)) best = { start, length };
    start = at + 1;
  }
  return best;
}
