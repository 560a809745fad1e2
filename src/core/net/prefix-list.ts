/** Long lists of prefixes as text, one a line: read in one pass, because there may be half a million of them. */
import { parseIp4Value } from "./ip.ts";
import { parsePrefix, prefixEnd } from "./prefix.ts";
import { intervalSetOf, type PrefixSet } from "./prefix-set.ts";

export type PrefixListParse =
  | { readonly ok: true; readonly set: PrefixSet; readonly count: number }
  | { readonly ok: false; readonly line: number };

/** Returns the set of a list (`#` begins a comment), or the first line that is no address or prefix. */
export function parsePrefixList(text: string): PrefixListParse {
  const pairs4: number[] = [];
  const pairs6: [bigint, bigint][] = [];
  let line = 0;
  for (let at = 0; at <= text.length; ) {
    const newline = text.indexOf("\n", at);
    const end = newline < 0 ? text.length : newline;
    line += 1;
    if (!addWord(text.slice(at, end), pairs4, pairs6)) return { ok: false, line };
    at = end + 1;
  }
  return { ok: true, set: intervalSetOf(pairs4, pairs6), count: pairs4.length / 2 + pairs6.length };
}

function addWord(raw: string, pairs4: number[], pairs6: [bigint, bigint][]): boolean {
  if (addPlain4(raw, pairs4)) return true;
  const hash = raw.indexOf("#");
  const word = (hash < 0 ? raw : raw.slice(0, hash)).trim();
  if (word === "") return true;
  const parsed = parsePrefix(word);
  if (!parsed.ok) return false;
  const { base } = parsed.prefix;
  const last = prefixEnd(parsed.prefix);
  if (base.family === 4 && last.family === 4) pairs4.push(base.value, last.value);
  else if (base.family === 6 && last.family === 6) pairs6.push([base.value, last.value]);
  return true;
}

/** Most lines: IPv4 with a length of one or two digits and nothing else. False for all others. */
function addPlain4(word: string, pairs4: number[]): boolean {
  const slash = word.length - (word.charCodeAt(word.length - 2) === SLASH ? 2 : 3);
  if (slash < 7 || word.charCodeAt(slash) !== SLASH) return false;
  const bits = decimal(word, slash + 1);
  const value = parseIp4Value(word.slice(0, slash));
  if (value < 0 || bits < 1 || bits > 32) return false;
  const size = 2 ** (32 - bits);
  const first = value - (value % size);
  pairs4.push(first, first + size - 1);
  return true;
}

/** One or two digits without a leading zero to the end of the text, else -1. */
function decimal(text: string, from: number): number {
  let value = 0;
  for (let at = from; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9 || (digit === 0 && at === from)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

const SLASH = 47;
