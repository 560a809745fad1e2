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

function parseIp6Value(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? "", halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? "", true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  let value = 0n;
  for (const group of [...head, ...new Array<number>(missing).fill(0), ...tail]) {
    value = (value << 16n) | BigInt(group);
  }
  return value;
}

/** 16-bit groups of one side of `::`; only the very end of an address may be dotted decimal. */
function parseGroups(text: string, dottedAllowed: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (dottedAllowed && index === parts.length - 1 && part.includes(".")) {
      const value = parseIp4Value(part);
      if (value < 0) return undefined;
      groups.push(value >>> 16, value & 0xffff);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
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
