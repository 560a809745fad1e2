import { MARK_MASK } from "./mark.ts";

/** LIMIT: characters of a rule that is shown. */
const SHOWN_CHARS_MAX = 120;

/**
 * Returns the rules of a listing (nft, iptables-save) that can set a bit of the connection mark that is ours.
 * A rule that copies a packet's mark, or clears bits, is none: at worst it makes us judge a connection again.
 */
export function foreignStamps(listing: string): string[] {
  return listing
    .split("\n")
    .filter((line) => setsConstant(line).some((value) => (value & MARK_MASK) !== 0))
    .map((line) => line.trim().slice(0, SHOWN_CHARS_MAX));
}

/** The bits that a rule sets: `ct mark set 0x..`, `... or 0x..`, `--set-xmark VALUE/MASK`, `--set-mark VALUE`. */
function setsConstant(line: string): number[] {
  const values: number[] = [];
  const native = /ct mark set (.*)$/.exec(line)?.[1];
  if (native !== undefined) {
    const first = /^(0x[0-9a-f]+|\d+)\b/.exec(native)?.[1];
    const added = [...native.matchAll(/(?:\bor\b|\||\bxor\b|\^) (0x[0-9a-f]+)/g)].map((match) => match[1]);
    for (const text of [first, ...added]) if (text !== undefined) values.push(Number(text));
  }
  if (/CONNMARK/.test(line)) {
    for (const match of line.matchAll(/--(?:set-xmark|set-mark|or-mark) (0x[0-9a-f]+|\d+)/g)) {
      values.push(Number(match[1]));
    }
  }
  return values;
}
