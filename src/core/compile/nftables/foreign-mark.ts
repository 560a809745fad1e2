import { MARK_MASK } from "./mark.ts";

/** LIMIT: characters of a rule that is shown. */
const SHOWN_CHARS_MAX = 120;

/**
 * Returns the rules of a listing (nft, iptables-save) that may set a bit of the connection mark that is ours: a
 * constant that has one, an expression whose value is not written there, and a copy of the packet's mark where
 * some rule may give packets such a mark. Clearing bits is no stamp: at worst a connection is judged again.
 */
export function foreignStamps(listing: string): string[] {
  const lines = listing.split("\n");
  const copiesMatter = lines.some((line) => marksPackets(line));
  return lines
    .filter((line) => stampsConnection(line, copiesMatter))
    .map((line) => line.trim().slice(0, SHOWN_CHARS_MAX));
}

function stampsConnection(line: string, copiesMatter: boolean): boolean {
  const native = /\bct mark set (.*)$/.exec(line)?.[1];
  if (native !== undefined) {
    if (copiesPacketMark(native)) return copiesMatter && !isFixedBefore(line);
    return mayHaveOurBits(native, /^ct mark\b/);
  }
  if (!line.includes("CONNMARK")) return false;
  if (line.includes("--save-mark")) return copiesMatter && (savedBits(line) & MARK_MASK) !== 0;
  return hasOurConstant(line, /--(?:set-xmark|set-mark|or-mark|xor-mark) (0x[0-9a-f]+|\d+)/g);
}

/** Whether a rule gives packets a mark that may have our bits; a copy of the connection's adds nothing. */
function marksPackets(line: string): boolean {
  const native = /\bmeta mark set (.*)$/.exec(line)?.[1];
  if (native !== undefined) return mayHaveOurBits(native, /^(?:ct|meta) mark\b/);
  if (!/-j MARK\b/.test(line)) return false;
  return hasOurConstant(line, /--(?:set-xmark|set-mark|or-mark|xor-mark) (0x[0-9a-f]+|\d+)/g);
}

/** `0x10000000`, `ct mark | 0x20000000`, or something whose value is not to be seen. */
function mayHaveOurBits(expression: string, harmlessStart: RegExp): boolean {
  const start = /^(0x[0-9a-f]+|\d+)\b/.exec(expression)?.[1];
  if (start === undefined && !harmlessStart.test(expression)) return true;
  const added = hasOurConstant(expression, /(?:\bor\b|\||\bxor\b|\^) (0x[0-9a-f]+|\d+)/g);
  return added || (start !== undefined && (Number(start) & MARK_MASK) !== 0);
}

function copiesPacketMark(expression: string): boolean {
  return /^(?:meta )?mark\b/.test(expression);
}

/** wg-quick copies a mark that the same rule has just compared: `meta mark 0x0000ca6c ct mark set meta mark`. */
function isFixedBefore(line: string): boolean {
  const compared = /\bmark (0x[0-9a-f]+) ct mark set /.exec(line)?.[1];
  return compared !== undefined && (Number(compared) & MARK_MASK) === 0;
}

function savedBits(line: string): number {
  const mask = /--(?:ctmask|mask) (0x[0-9a-f]+)/.exec(line)?.[1];
  return mask === undefined ? -1 : Number(mask);
}

function hasOurConstant(text: string, pattern: RegExp): boolean {
  return [...text.matchAll(pattern)].some((match) => (Number(match[1]) & MARK_MASK) !== 0);
}
