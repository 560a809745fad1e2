/** The resolvers of this host, resolv.conf(5). */
import { readFileSync } from "node:fs";
import { formatIp, isLoopback, parseIp } from "../../core/net/ip.ts";

/** LIMIT: resolvers that are asked; glibc takes three. */
const RESOLVERS_MAX = 8;
const FILE_CHARS_MAX = 65_536;

/** A `nameserver` line that is not asked, and why. SECURITY: the text is as it stands in the file. */
export interface LeftResolver {
  readonly text: string;
  readonly why: string;
}

export interface ResolvConf {
  /** Addresses, in the order of the file. */
  readonly resolvers: readonly string[];
  readonly left: readonly LeftResolver[];
}

/** LIMIT: characters of a line that are shown. */
const SHOWN_CHARS_MAX = 64;

/** Returns the resolvers of the `nameserver` lines. A file that cannot be read names none. */
export function readResolvConf(path = "/etc/resolv.conf"): ResolvConf {
  let text: string;
  try {
    text = readFileSync(path, "utf8").slice(0, FILE_CHARS_MAX);
  } catch {
    return { resolvers: [], left: [] };
  }
  const resolvers: string[] = [];
  const left: LeftResolver[] = [];
  for (const line of text.split("\n")) {
    const address = /^\s*nameserver\s+(\S+)/.exec(line)?.[1];
    if (address === undefined) continue;
    const ip = parseIp(address);
    const shown = address.slice(0, SHOWN_CHARS_MAX);
    if (ip === undefined) left.push({ text: shown, why: whyNot(address) });
    else if (resolvers.includes(formatIp(ip))) continue;
    else if (resolvers.length < RESOLVERS_MAX) resolvers.push(formatIp(ip));
    else left.push({ text: shown, why: `no more than ${RESOLVERS_MAX} are` });
  }
  return { resolvers, left };
}

function whyNot(address: string): string {
  const isScoped = address.includes("%") && parseIp(address.split("%")[0] ?? "") !== undefined;
  return isScoped ? "it has a zone id, which no gate can use yet" : "it is no address";
}

/** Returns the addresses of the `nameserver` lines in their order. A file that cannot be read names none. */
export function readResolvers(path?: string): string[] {
  return [...readResolvConf(path).resolvers];
}

/** Returns those of them that are on this host itself. */
export function loopbackResolvers(path?: string): string[] {
  return readResolvers(path).filter((text) => {
    const ip = parseIp(text);
    return ip !== undefined && isLoopback(ip);
  });
}
