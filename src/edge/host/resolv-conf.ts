/** The resolvers of this host, resolv.conf(5). */
import { readFileSync } from "node:fs";
import { formatIp, isLoopback, parseIp } from "../../core/net/ip.ts";

/** LIMIT: resolvers that are asked; glibc takes three. */
const RESOLVERS_MAX = 8;
const FILE_CHARS_MAX = 65_536;

/** Returns the addresses of the `nameserver` lines in their order. A file that cannot be read names none. */
export function readResolvers(path = "/etc/resolv.conf"): string[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8").slice(0, FILE_CHARS_MAX);
  } catch {
    return [];
  }
  const found = text.split("\n").flatMap((line) => {
    const address = /^\s*nameserver\s+(\S+)/.exec(line)?.[1];
    const ip = address === undefined ? undefined : parseIp(address);
    return ip === undefined ? [] : [formatIp(ip)];
  });
  return [...new Set(found)].slice(0, RESOLVERS_MAX);
}

/** Returns those of them that are on this host itself. */
export function loopbackResolvers(path?: string): string[] {
  return readResolvers(path).filter((text) => {
    const ip = parseIp(text);
    return ip !== undefined && isLoopback(ip);
  });
}
