import type { Ip } from "./ip.ts";
import { parsePrefix, type Prefix } from "./prefix.ts";
import { containsIp, type PrefixSet, prefixSetOf, subtractSet, unionSets } from "./prefix-set.ts";

/** Returns the set of prefixes written in our own source; a misspelt one is a bug. */
export function fixedSet(texts: readonly string[]): PrefixSet {
  return prefixSetOf(
    texts.map((text): Prefix => {
      const parsed = parsePrefix(text);
      if (!parsed.ok) throw new TypeError(`not a prefix: ${text}`);
      return parsed.prefix;
    }),
  );
}

/** IANA IPv4 and IPv6 special-purpose registries (RFC 6890 and successors): not globally reachable. */
const SPECIAL = fixedSet([
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
]);

/** Only 2000::/3 is global unicast; these parts of it are not reachable, or carry an IPv4 address inside. */
const SPECIAL6_INSIDE = fixedSet(["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]);
const GLOBAL6 = subtractSet(fixedSet(["2000::/3"]), SPECIAL6_INSIDE);
const NAT64 = fixedSet(["64:ff9b::/96"]);

/**
 * Whether the address is one of the public internet. A NAT64 address (RFC 6052, well-known prefix) is judged
 * by the IPv4 address inside it.
 */
export function isPublicIp(ip: Ip): boolean {
  if (ip.family === 4) return !containsIp(SPECIAL, ip);
  if (containsIp(NAT64, ip)) return isPublicIp({ family: 4, value: Number(ip.value & 0xffff_ffffn) });
  return containsIp(GLOBAL6, ip);
}

/** The set of the same IPv4 networks reached through the NAT64 and 6to4 prefixes, and the networks themselves. */
export function withEmbedded(texts: readonly string[]): PrefixSet {
  const embedded = texts.flatMap((text) => {
    const [address = "", bits = "32"] = text.split("/");
    if (address.includes(":")) return [];
    const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
    const high = ((a << 8) | b).toString(16);
    const low = ((c << 8) | d).toString(16);
    return [`64:ff9b::${high}:${low}/${96 + Number(bits)}`, `2002:${high}:${low}::/${16 + Number(bits)}`];
  });
  return unionSets([fixedSet(texts), fixedSet(embedded)]);
}
