/** NAT64 prefixes (RFC 6052) and how a network tells its own (RFC 7050). */
import type { Ip, Ip4 } from "../net/ip.ts";

export interface Nat64 {
  readonly prefix: bigint;
  readonly bits: 32 | 40 | 48 | 56 | 64 | 96;
}

export const WELL_KNOWN: Nat64 = { prefix: 0x64_ff9bn << 96n, bits: 96 };
/** What RFC 7050 asks for, and the addresses that only a NAT64 answers it with. */
export const DISCOVERY_NAME = "ipv4only.arpa";
const DISCOVERY_ADDRESSES: readonly number[] = [0xc000_00aa, 0xc000_00ab];
const LENGTHS = [96, 64, 56, 48, 40, 32] as const;

/** Returns the IPv4 address inside an IPv6 address of the well-known prefix or of the network's own, or null. */
export function embeddedIp4(ip: Ip, own: Nat64 | null): Ip4 | null {
  if (ip.family === 4) return null;
  for (const nat64 of own === null ? [WELL_KNOWN] : [WELL_KNOWN, own]) {
    if (isInside(ip.value, nat64)) return { family: 4, value: extract(ip.value, nat64.bits) };
  }
  return null;
}

/** Returns the prefix behind an answer to DISCOVERY_NAME, or null when it is none. */
export function discover(answer: Ip): Nat64 | null {
  if (answer.family === 4) return null;
  for (const bits of LENGTHS) {
    if (!DISCOVERY_ADDRESSES.includes(extract(answer.value, bits))) continue;
    const shift = BigInt(128 - bits);
    return { prefix: (answer.value >> shift) << shift, bits };
  }
  return null;
}

function isInside(value: bigint, { prefix, bits }: Nat64): boolean {
  const shift = BigInt(128 - bits);
  return value >> shift === prefix >> shift;
}

/** RFC 6052 2.2: bits 64..71 are skipped, so the address stands around them. */
function extract(value: bigint, bits: Nat64["bits"]): number {
  if (bits === 96) return Number(value & 0xffff_ffffn);
  const octet = (at: number): number => Number((value >> BigInt(120 - 8 * at)) & 255n);
  const found: number[] = [];
  for (let at = bits / 8; found.length < 4; at += 1) if (at !== 8) found.push(octet(at));
  return found.reduce((sum, one) => sum * 256 + one, 0);
}
