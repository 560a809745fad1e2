import { formatPrefix, type Prefix, parsePrefix, prefixEnd } from "../../net/prefix.ts";
import { prefixesOf, prefixSetOf } from "../../net/prefix-set.ts";
import { domainToASCII } from "node:url";
import type { Span } from "../../base/diagnostic.ts";
import { formatIp, parseIp } from "../../net/ip.ts";
import { shown } from "./node.ts";
import { fail, note, type Walk, warn } from "./walk.ts";

/** Whether a term is meant as an address or prefix, in whatever spelling. */
export function looksLikeAddress(text: string): boolean {
  const bare = text.replace(/\.$/, "");
  if (/^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[^/]*)?(?:\/.*)?$/.test(bare)) return true;
  if (/^\[[0-9A-Fa-f:.]*(?:%.*)?\]$/.test(bare)) return true;
  return /^[0-9A-Fa-fxX.]*$/.test(bare.replace(/\/.*$/, "")) && endsInNumber(bare.replace(/\/.*$/, ""));
}

function endsInNumber(text: string): boolean {
  return /(?:^|\.)(?:[0-9]+|0[xX][0-9A-Fa-f]*)$/.test(text);
}

/** Returns the network of an address or prefix term, or null with an error. Host bits are a warning. */
export function readPrefix(walk: Walk, text: string, span: Span): Prefix | null {
  const bracketed = /^\[(.*:.*)\]$/.exec(text);
  const parsed = parsePrefix(bracketed?.[1] ?? text);
  if (!parsed.ok) {
    addressProblem(walk, parsed.problem, text, span);
    return null;
  }
  if (parsed.hadHostBits) {
    const network = formatPrefix(parsed.prefix);
    const message = `${shown(text)} has host bits set; it is read as the network \`${network}\``;
    warn(walk, "host-bits", span, message, `write \`${network}\`, or the address without a length`);
  }
  return parsed.prefix;
}

function addressProblem(walk: Walk, problem: "address" | "length", text: string, span: Span): void {
  const [address = "", length = ""] = text.split("/", 2);
  if (problem === "length") {
    const most = address.includes(":") ? 128 : 32;
    const help = /^255\.|^0\.0\.0\.0$/.test(length)
      ? "write the mask as a length, for example `/24`"
      : `the length after the slash is a plain number 0-${most}`;
    return fail(walk, "prefix-length", span, `${shown(text)} has no valid prefix length`, help);
  }
  if (address.includes("%")) {
    const help = "zone ids are not part of a policy; remove the `%` and what follows";
    return fail(walk, "address", span, `${shown(text)} has a zone id`, help);
  }
  const meant = otherSpelling(address);
  const help =
    meant === null
      ? "write IPv4 as four numbers 0-255, IPv6 as in `2001:db8::1`"
      : `some programs read it as \`${meant}\`; write that if it is what you mean`;
  return fail(walk, "address", span, `${shown(text)} is not an address in strict spelling`, help);
}

/** What a URL parser (WHATWG, like inet_aton) makes of a number that is no strict address. */
function otherSpelling(address: string): string | null {
  if (!/^[0-9A-Fa-fxX.]+$/.test(address)) return null;
  const ip = parseIp(domainToASCII(address));
  return ip === undefined ? null : formatIp(ip);
}

const AGGREGATE_ADDRESSES_MIN = 4;

/** A notice for single addresses of one list that together are exactly a network (at least four). */
export function noteAggregates(walk: Walk, prefixes: readonly Prefix[], span: Span): void {
  const singles = prefixes.filter((prefix) => prefix.bits === (prefix.base.family === 4 ? 32 : 128));
  if (singles.length < AGGREGATE_ADDRESSES_MIN) return;
  for (const network of prefixesOf(prefixSetOf(singles))) {
    const width = network.base.family === 4 ? 32 : 128;
    const count = 2 ** (width - network.bits);
    if (count < AGGREGATE_ADDRESSES_MIN) continue;
    const message = `${count} single addresses are exactly \`${formatPrefix(network)}\``;
    const ends = `${formatIp(network.base)} to ${formatIp(prefixEnd(network))}`;
    note(walk, "aggregate", span, message, `replace ${ends} by that network`);
  }
}
