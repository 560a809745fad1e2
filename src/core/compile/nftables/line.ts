/**
 * Which packets get a line in the log. Everything is counted; a line is given to the first of each end, to the first
 * of each kind, and to others as long as there is room. Noise about one thing then never hides another.
 *
 * A key is hashed into a fixed number of buckets, with a secret that the kernel draws by itself: such a set is never
 * full, so nobody can shut the others out by filling it.
 */
import { formatLogPrefix, NFLOG_GROUP } from "../../event/log-prefix.ts";
import type { ReasonCode, Verdict } from "../../policy/decision.ts";
import type { Place } from "./judged.ts";
import { type Chain, FIRST_BUCKETS, type NftObject } from "./ruleset.ts";
import { lineCounterName } from "./table.ts";
import { name, type Nft, nft, quoted } from "./text.ts";

/** LIMIT: lines that one end (address, protocol and port), or one kind, has for certain in an hour. */
export const FIRST_LINES_PER_HOUR = 32;
/** LIMIT: further lines of one zone or scope and verdict; they are what noise competes for. */
export const LOG_LINES_PER_SECOND_MAX = 500;
export const LOG_LINES_BURST = 1_000;

export interface LineFields {
  readonly verdict: Verdict;
  readonly observed: boolean;
  readonly reason: ReasonCode;
  readonly rule: string | null;
}

/** Returns what is counted of a packet that may get a line: all of them, so that what is not shown can be told. */
export function countLine(place: Place, verdict: Verdict): Nft {
  return nft`counter name ${quoted(lineCounterName(place.direction, place.name, verdict))}`;
}

/** Returns the sets, limits and counters that the lines of a place need. */
export function lineObjects(place: Place, verdict: Verdict): NftObject[] {
  const where = whereOf(place);
  const about = `${place.direction} ${place.name}: ${verdict}, with a line in the log or without`;
  return [
    { kind: "counter", name: lineCounterName(place.direction, place.name, verdict), about },
    { kind: "first-lines", name: `first_end/${where}` },
    { kind: "first-lines", name: `first_kind/${where}` },
    { kind: "line-limit", name: `limit_end/${where}` },
    { kind: "line-limit", name: `limit_kind/${where}` },
  ];
}

/** Returns `log ...`: one line to user space, never a verdict. */
export function line(place: Place, fields: LineFields): Nft {
  const prefix = formatLogPrefix({
    direction: place.direction,
    generation: place.generation,
    place: place.name,
    ...fields,
  });
  return nft`log prefix ${quoted(prefix)} group ${NFLOG_GROUP}`;
}

/** Returns the title of the chain that returns for a line, and ends what gets none with its verdict. */
export function linesTitle({ generation, direction, name: title }: Place, verdict: Verdict): string {
  return `g${generation}/${direction === "inbound" ? "zone" : "scope"}/${title}/line/${verdict}`;
}

/** Returns that chain. `end` is what becomes of a packet without a line: the same as with one. */
export function linesChain(place: Place, verdict: Verdict, end: Nft): Chain {
  return {
    name: linesTitle(place, verdict),
    about: "back for a line in the log; what gets none is counted",
    rules: [...earned(place, nft`return`), end],
  };
}

/**
 * Returns the rules that end a packet which has earned a line with `verdict`. What has not goes on to the next rule.
 * INVARIANT: the limit of all first lines is asked last, so that what has had its own share takes nothing of it.
 */
export function earned(place: Place, verdict: Nft, when: Nft = nft``): Nft[] {
  const first = (sort: string, key: Nft): Nft => {
    const where = `${sort}/${whereOf(place)}`;
    const bucket = nft`jhash ${key} mod ${FIRST_BUCKETS}`;
    const share = nft`limit rate ${FIRST_LINES_PER_HOUR}/hour burst ${FIRST_LINES_PER_HOUR} packets`;
    return nft`${when}add @${name(`first_${where}`)} { ${bucket} ${share} } limit name ${quoted(`limit_${where}`)} ${verdict}`;
  };
  return [
    ...endsOf(place).map((end) => first("end", nft`${end} . meta l4proto . th dport`)),
    ...kindsOf(place).map((kind) => first("kind", kind)),
    nft`${when}limit rate ${LOG_LINES_PER_SECOND_MAX}/second burst ${LOG_LINES_BURST} packets ${verdict}`,
  ];
}

function whereOf({ direction, name: title }: Place): string {
  return `${direction === "inbound" ? "in" : "out"}/${title}`;
}

/** The other end of a packet. An IPv6 source is its /64: one customer, however many addresses. */
function endsOf({ direction }: Place): readonly Nft[] {
  return direction === "inbound" ? SOURCES : [nft`ip daddr`, nft`ip6 daddr`];
}

/** Who sends, of what comes in; what is asked for, of what goes out. */
function kindsOf({ direction }: Place): readonly Nft[] {
  return direction === "inbound" ? SOURCES : [nft`meta l4proto . th dport`];
}

const SOURCES: readonly Nft[] = [nft`ip saddr`, nft`ip6 saddr and ffff:ffff:ffff:ffff::`];
