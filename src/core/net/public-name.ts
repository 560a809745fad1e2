import { parse as parseSuffix } from "tldts";
import type { Hostname } from "./hostname.ts";

/** On the list of public suffixes, and yet no name of the public internet: RFC 7686 (onion), RFC 3172 and 8375 (arpa). */
const NOT_PUBLIC: ReadonlySet<string> = new Set(["onion", "arpa"]);

/**
 * Returns whether a name can belong to somebody on the public internet: one label or more below a suffix of the
 * ICANN section (publicsuffix.org). `printer`, `nas.lan` and `db.internal` cannot.
 */
export function isPublicName(host: Hostname): boolean {
  const { domain, isIcann } = parseSuffix(host);
  return domain !== null && isIcann === true && !NOT_PUBLIC.has(host.slice(host.lastIndexOf(".") + 1));
}
