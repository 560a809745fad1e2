/** The chains that end a packet's way: one for each rule, the denials, the defaults. */
import { formatLogPrefix, NFLOG_GROUP } from "../../event/log-prefix.ts";
import type { ReasonCode, Verdict } from "../../policy/decision.ts";
import type { Denial, Direction, Rate } from "../../policy/document.ts";
import type { ResolvedInboundRule, ResolvedOutboundRule } from "../../policy/resolved.ts";
import { MARK_FOREIGN_MASK, markOf, SCOPE_REJUDGED } from "./mark.ts";
import type { Chain, NftObject } from "./ruleset.ts";
import { hex32, name, type Nft, nft, quoted } from "./text.ts";

/** LIMIT: log lines of one rule; what is beyond is still counted by the rule's counter. */
export const LOG_LINES_PER_SECOND_MAX = 500;
export const LOG_LINES_BURST = 1_000;

/** Where a packet is judged: a zone (inbound) or a scope (outbound) of one generation. */
export interface Place {
  readonly direction: Direction;
  readonly generation: number;
  /** Name of the zone or scope. */
  readonly name: string;
  /** Scope bits of the mark. */
  readonly scope: number;
  /** Whether the direction is only watched. */
  readonly watching: boolean;
}

export function placeTitle(place: Place): string {
  return `g${place.generation}/${place.direction === "inbound" ? "zone" : "scope"}/${place.name}`;
}

/** Returns the name of a rule's chain. No id, zone or scope holds a `/`, so no two titles are the same. */
export function ruleTitle(place: Place, id: string): string {
  return `${placeTitle(place)}/rule/${id}`;
}

interface LogFields {
  readonly verdict: Verdict;
  readonly observed: boolean;
  readonly reason: ReasonCode;
  readonly rule: string | null;
}

/**
 * Returns `limit ... log ...`: one line to user space, never a verdict. It stands behind the counter of the same
 * rule, which has counted when the limit breaks the rule off.
 */
export function log(place: Place, fields: LogFields): Nft {
  const prefix = formatLogPrefix({
    direction: place.direction,
    generation: place.generation,
    place: place.name,
    ...fields,
  });
  return nft`limit rate ${LOG_LINES_PER_SECOND_MAX}/second burst ${LOG_LINES_BURST} packets log prefix ${quoted(prefix)} group ${NFLOG_GROUP}`;
}

export function counterOf(key: string, about: string): NftObject {
  return { kind: "counter", name: `count_${key}`, about };
}

/**
 * `ct mark set`: our field to generation and scope, everybody else's bits as they are. A rule of its own: a packet
 * without a connection (a bad checksum, an unknown protocol) has no mark, and must still reach the `accept`.
 */
function stamp(place: Place, expires: boolean): Nft {
  const scope = expires ? SCOPE_REJUDGED : place.scope;
  return nft`ct mark set ct mark and ${hex32(MARK_FOREIGN_MASK)} or ${hex32(markOf(place.generation, scope))}`;
}

export interface RuleChains {
  readonly chains: readonly Chain[];
  readonly objects: readonly NftObject[];
  /** The chain to go to. */
  readonly entry: string;
}

type Rule = ResolvedInboundRule | ResolvedOutboundRule;

/** Returns the chain of an allow: log and count a new connection, stamp it, accept. Returns where it does not admit. */
export function allowChains(rule: Rule, place: Place): RuleChains {
  const title = ruleTitle(place, rule.id);
  const counter = counterOf(rule.id, `allow ${rule.id}: ${rule.why}`);
  const line = log(place, { verdict: "accept", observed: place.watching, reason: "allowed", rule: rule.id });
  const admit: Nft[] = [
    nft`ct state new counter name ${quoted(counter.name)} ${line}`,
    stamp(place, rule.expiresMs !== null),
    nft`accept`,
  ];
  const expiry = rule.expiresMs === null ? [] : [nft`meta time >= ${expirySeconds(rule.expiresMs)} return`];
  const rate = "rate" in rule ? rule.rate : null;
  const about = `allow ${rule.id}: ${rule.why}`;
  if (rate === null) {
    return {
      entry: title,
      objects: [counter],
      chains: [{ name: title, about, rules: [...expiry, ...admit] }],
    };
  }
  const admitTitle = `${title}/admit`;
  const meters = meterObjects(rule.id, rate);
  return {
    entry: title,
    objects: [counter, ...meters],
    chains: [
      { name: title, about, rules: [...expiry, ...meterRules(rate, meters, admitTitle)] },
      { name: admitTitle, about: `${about} (within its rate)`, rules: admit },
    ],
  };
}

const SECONDS: Record<Rate["per"], number> = { second: 1, minute: 60, hour: 3_600, day: 86_400 };

function meterObjects(id: string, rate: Rate): [NftObject, NftObject] {
  const spec = `${rate.count}per${rate.per}`;
  const seconds = Math.max(10, SECONDS[rate.per] * 2);
  return [
    { kind: "meter", name: `rate4_${id}_${spec}`, family: 4, seconds },
    { kind: "meter", name: `rate6_${id}_${spec}`, family: 6, seconds },
  ];
}

/** An IPv6 source is its /64: one customer, however many addresses. A full meter admits nobody new. */
function meterRules(rate: Rate, [v4, v6]: readonly [NftObject, NftObject], admit: string): Nft[] {
  const limit = nft`limit rate ${rate.count}/${ratePer(rate)} burst ${rate.count} packets`;
  return [
    nft`ct state established goto ${name(admit)}`,
    nft`update @${name(v4.name)} { ip saddr ${limit} } goto ${name(admit)}`,
    nft`update @${name(v6.name)} { ip6 saddr and ffff:ffff:ffff:ffff:: ${limit} } goto ${name(admit)}`,
  ];
}

function ratePer(rate: Rate): Nft {
  switch (rate.per) {
    case "second":
      return nft`second`;
    case "minute":
      return nft`minute`;
    case "hour":
      return nft`hour`;
    case "day":
      return nft`day`;
  }
}

/** nft reads `meta time` as seconds since the epoch; rounded up, so an allow never ends before its time. */
export function expirySeconds(expiresMs: number): number {
  return Math.ceil(expiresMs / 1_000);
}

/** Returns the chain of an enforced deny. */
export function denyChains(rule: Rule, place: Place): RuleChains {
  const title = ruleTitle(place, rule.id);
  const about = `deny ${rule.id}: ${rule.why}`;
  const counter = counterOf(rule.id, about);
  const line = log(place, { verdict: rule.denial, observed: false, reason: "denied", rule: rule.id });
  const rules = [
    nft`counter name ${quoted(counter.name)} ${line}`,
    nft`goto ${denialChain(place, rule.denial)}`,
  ];
  return { entry: title, objects: [counter], chains: [{ name: title, about, rules }] };
}

/** Returns the chain of a deny that is only watched: it logs what enforce would say. */
export function watchChains(rule: Rule, place: Place, passes: boolean): RuleChains {
  const title = ruleTitle(place, rule.id);
  const about = `watch ${rule.id} (would ${rule.denial}): ${rule.why}`;
  const counter = counterOf(rule.id, about);
  const line = log(place, { verdict: rule.denial, observed: true, reason: "denied", rule: rule.id });
  const rules = [nft`ct state new counter name ${quoted(counter.name)} ${line}`];
  if (passes) rules.push(stamp(place, false), nft`accept`);
  return { entry: title, objects: [counter], chains: [{ name: title, about, rules }] };
}

/** Returns what happens to a packet that no rule of the place decides. */
export function defaultChain(place: Place, denial: Denial): RuleChains {
  const title = `${placeTitle(place)}/default`;
  const counter = counterOf(
    `default/${place.direction}/${place.name}`,
    `${place.direction} ${place.name}: no rule matched`,
  );
  const line = log(place, { verdict: denial, observed: place.watching, reason: "default", rule: null });
  const watched = [
    nft`ct state new counter name ${quoted(counter.name)} ${line}`,
    stamp(place, false),
    nft`accept`,
  ];
  const enforced = [
    nft`counter name ${quoted(counter.name)} ${line}`,
    nft`goto ${denialChain(place, denial)}`,
  ];
  const about = place.watching
    ? `no rule matched: only watched, would ${denial}`
    : `no rule matched: ${denial}`;
  return {
    entry: title,
    objects: [counter],
    chains: [{ name: title, about, rules: place.watching ? watched : enforced }],
  };
}

/** Returns the chain of a guard; with an accepted risk it steps aside until that expires. */
export function guardChains(
  guard: { readonly id: string; readonly why: string; readonly liftedUntilMs: number | null },
  place: Place,
  denial: Denial,
): RuleChains {
  const title = ruleTitle(place, guard.id);
  const counter = counterOf(guard.id, `${guard.id}: ${guard.why}`);
  const lifted =
    guard.liftedUntilMs === null ? [] : [nft`meta time < ${expirySeconds(guard.liftedUntilMs)} return`];
  const line = log(place, { verdict: denial, observed: false, reason: "guard", rule: guard.id });
  const rules = [
    ...lifted,
    nft`counter name ${quoted(counter.name)} ${line}`,
    nft`goto ${denialChain(place, denial)}`,
  ];
  return {
    entry: title,
    objects: [counter],
    chains: [{ name: title, about: `${guard.id}: ${guard.why}`, rules }],
  };
}

/** How a denial looks on the wire, for all places of a generation. */
export function denialChains(generation: number): Chain[] {
  return [
    {
      name: denialTitle(generation, "refuse"),
      about: "answered: TCP reset, ICMP unreachable for the rest",
      rules: [nft`meta l4proto tcp reject with tcp reset`, nft`reject with icmpx type port-unreachable`],
    },
    { name: denialTitle(generation, "drop"), about: "not answered", rules: [nft`drop`] },
  ];
}

export function denialTitle(generation: number, denial: Denial): string {
  return `g${generation}/${denial}`;
}

function denialChain({ generation }: Place, denial: Denial): Nft {
  return name(denialTitle(generation, denial));
}
