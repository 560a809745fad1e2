import { formatIp, IP4_MAX, IP6_MAX, type Ip, parseIp } from "./ip.ts";

/** A network. `base` has no host bits set. */
export interface Prefix {
  readonly base: Ip;
  readonly bits: number;
}

export type PrefixParse =
  | { readonly ok: true; readonly prefix: Prefix; readonly hadHostBits: boolean }
  | { readonly ok: false; readonly problem: "address" | "length" };

/**
 * Returns the network that `text` spells (`10.0.0.0/8`, `2001:db8::/32`, or a bare address as a /32 or /128).
 * Host bits are cleared and reported. Refuses what parseIp refuses, leading zeros and lengths out of range.
 */
export function parsePrefix(text: string): PrefixParse {
  const slash = text.indexOf("/");
  const address = slash < 0 ? text : text.slice(0, slash);
  const ip = parseIp(address);
  if (ip === undefined) return { ok: false, problem: "address" };
  const width = ip.family === 4 ? 32 : 128;
  if (slash < 0) return { ok: true, prefix: { base: ip, bits: width }, hadHostBits: false };
  const lengthText = text.slice(slash + 1);
  if (!/^(0|[1-9][0-9]{0,2})$/.test(lengthText)) return { ok: false, problem: "length" };
  // A mapped address is IPv4 (parseIp folds it), so its length is counted from the mapped prefix.
  const mapped = ip.family === 4 && address.includes(":");
  const bits = Number(lengthText) - (mapped ? 96 : 0);
  if (bits < 0 || bits > width) return { ok: false, problem: "length" };
  const base = clearHostBits(ip, bits);
  return { ok: true, prefix: { base, bits }, hadHostBits: base.value !== ip.value };
}

function clearHostBits(ip: Ip, bits: number): Ip {
  if (ip.family === 4) {
    const size = 2 ** (32 - bits);
    return { family: 4, value: ip.value - (ip.value % size) };
  }
  const hostBits = BigInt(128 - bits);
  return { family: 6, value: (ip.value >> hostBits) << hostBits };
}

/** The last address of the network. */
export function prefixEnd(prefix: Prefix): Ip {
  if (prefix.base.family === 4) {
    return { family: 4, value: Math.min(IP4_MAX, prefix.base.value + 2 ** (32 - prefix.bits) - 1) };
  }
  const size = 1n << BigInt(128 - prefix.bits);
  const end = prefix.base.value + size - 1n;
  return { family: 6, value: end > IP6_MAX ? IP6_MAX : end };
}

/** Returns `base/bits`, or the bare address when it is a single one. */
export function formatPrefix(prefix: Prefix): string {
  const width = prefix.base.family === 4 ? 32 : 128;
  return prefix.bits === width ? formatIp(prefix.base) : `${formatIp(prefix.base)}/${prefix.bits}`;
}
