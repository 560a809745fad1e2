/**
 * The text that a logging rule gives to the kernel and that comes back with each packet: all that is known
 * about the verdict, so that an event never has to be judged a second time.
 *
 *   seawall out refuse enforced 3 agent default -
 *           direction, verdict, observed, generation, zone or scope, reason, rule
 */
import { assert } from "../base/assert.ts";
import type { ReasonCode, Verdict } from "../policy/decision.ts";
import type { Direction } from "../policy/document.ts";

/** The nfnetlink_log group of all rules of ours. */
export const NFLOG_GROUP = 18900;
/** LIMIT: NF_LOG_PREFIXLEN of the kernel is 128 with the final NUL. */
export const LOG_PREFIX_MAX_BYTES = 127;
export const PLACE_MAX_CHARS = 24;
export const RULE_ID_MAX_CHARS = 48;
/** The generation is four bits of the conntrack mark. */
export const GENERATION_MAX = 15;

export interface LogPrefix {
  readonly direction: Direction;
  readonly verdict: Verdict;
  /** True when the packet passes although `verdict` says otherwise. */
  readonly observed: boolean;
  readonly generation: number;
  /** The zone of an inbound packet, the scope of an outbound one. */
  readonly place: string;
  readonly reason: ReasonCode;
  readonly rule: string | null;
}

const MARKER = "seawall";
const DIRECTIONS = { in: "inbound", out: "outbound" } as const;
const VERDICTS = { accept: "accept", refuse: "refuse", drop: "drop" } as const satisfies Record<
  Verdict,
  Verdict
>;
const WATCHING = { enforced: false, observed: true } as const;
const REASONS = {
  "host-life": "host-life",
  guard: "guard",
  denied: "denied",
  allowed: "allowed",
  default: "default",
  "not-judged": "not-judged",
  "invalid-flow": "invalid-flow",
  "invalid-host": "invalid-host",
  "invalid-address": "invalid-address",
  "invalid-port": "invalid-port",
  "invalid-protocol": "invalid-protocol",
  "invalid-zone": "invalid-zone",
  "invalid-scope": "invalid-scope",
  "private-address": "private-address",
  "not-pinned": "not-pinned",
  "no-name": "no-name",
  "bad-request": "bad-request",
  "is-ssh": "is-ssh",
  "is-http": "is-http",
  "is-tls": "is-tls",
  "name-mismatch": "name-mismatch",
  ech: "ech",
  "record-type": "record-type",
  unresolved: "unresolved",
  unreachable: "unreachable",
  limit: "limit",
  clock: "clock",
} as const satisfies { readonly [Code in ReasonCode]: Code };

const WORD = /^[a-z0-9._-]+$/;

/**
 * Returns the prefix text for a rule, at most LOG_PREFIX_MAX_BYTES bytes of `[a-z0-9._ -]`, so that it needs
 * no escape inside nft quotes. A field that does not fit is a bug of the caller (BugError): names of a
 * policy are checked where they are parsed.
 */
export function formatLogPrefix(fields: LogPrefix): string {
  const { generation, place, rule } = fields;
  assert(Number.isInteger(generation) && generation >= 0 && generation <= GENERATION_MAX, "generation 0..15");
  assert(place.length <= PLACE_MAX_CHARS && WORD.test(place), `unusable zone or scope ${place}`);
  assert(
    rule === null || (rule !== "-" && rule.length <= RULE_ID_MAX_CHARS && WORD.test(rule)),
    `unusable rule id ${rule}`,
  );
  const text = [
    MARKER,
    fields.direction === "inbound" ? "in" : "out",
    fields.verdict,
    fields.observed ? "observed" : "enforced",
    generation,
    place,
    fields.reason,
    rule ?? "-",
  ].join(" ");
  assert(text.length <= LOG_PREFIX_MAX_BYTES, `log prefix of ${text.length} bytes`);
  return text;
}

/** Returns the fields of a prefix that formatLogPrefix made, or undefined for any other text. Never throws. */
export function parseLogPrefix(text: string): LogPrefix | undefined {
  if (text.length > LOG_PREFIX_MAX_BYTES || !text.startsWith("seawall ")) return undefined;
  const parts = text.split(" ");
  if (parts.length !== 8) return undefined;
  const direction = entry(DIRECTIONS, parts[1]);
  const verdict = entry(VERDICTS, parts[2]);
  const observed = entry(WATCHING, parts[3]);
  const generation = generationOf(parts[4]);
  const place = wordOf(parts[5], PLACE_MAX_CHARS);
  const reason = entry(REASONS, parts[6]);
  const rule = wordOf(parts[7], RULE_ID_MAX_CHARS);
  if (direction === undefined || verdict === undefined || observed === undefined) return undefined;
  if (generation === undefined || place === undefined || reason === undefined || rule === undefined)
    return undefined;
  return { direction, verdict, observed, generation, place, reason, rule: rule === "-" ? null : rule };
}

/** Own keys only: `constructor` is not a verdict. */
function entry<Value>(table: Readonly<Record<string, Value>>, key: string | undefined): Value | undefined {
  return key !== undefined && Object.hasOwn(table, key) ? table[key] : undefined;
}

function generationOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^(0|[1-9][0-9]?)$/.test(text)) return undefined;
  const value = Number(text);
  return value <= GENERATION_MAX ? value : undefined;
}

function wordOf(text: string | undefined, maxChars: number): string | undefined {
  return text !== undefined && text.length <= maxChars && WORD.test(text) ? text : undefined;
}
