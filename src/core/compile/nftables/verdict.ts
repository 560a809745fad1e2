/** The chains that end a packet's way: one for each rule, the denials, the defaults. */
import type { Verdict } from "../../policy/decision.ts";
import type { Denial, Rate } from "../../policy/document.ts";
import type { ResolvedInboundRule, ResolvedOutboundRule } from "../../policy/resolved.ts";
import { countLine, earned, line, type LineFields, lineObjects, linesTitle } from "./line.ts";
import { MARK_FOREIGN_MASK, markOf, SCOPE_REJUDGED } from "./mark.ts";
import { type Place, placeTitle } from "./judged.ts";
import { askRoom } from "./room.ts";
import type { Chain, NftObject } from "./ruleset.ts";
import { hex32, name, type Nft, nft, quoted } from "./text.ts";

/** Returns the name of a rule's chain. No id, zone or scope holds a `/`, so no two titles are the same. */
export function ruleTitle(place: Place, id: string): string {
  return `${placeTitle(place)}/rule/${id}`;
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
  /** The verdict whose chain of lines it asks. */
  readonly asks: Verdict;
}

type Rule = ResolvedInboundRule | ResolvedOutboundRule;

interface Told {
  readonly objects: readonly NftObject[];
  readonly rules: readonly Nft[];
}

/** Returns what counts each new connection under `counter`, tells of it and passes. */
function tellNew(place: Place, counter: NftObject, fields: LineFields, before: Nft): Told {
  const count = nft`counter name ${quoted(counter.name)} ${countLine(place, fields.verdict)}`;
  return {
    objects: [counter, ...lineObjects(place, fields.verdict)],
    rules: [
      ...askRoom(place),
      before,
      nft`ct state new ${count} jump ${name(linesTitle(place, "accept"))}`,
      nft`ct state new ${line(place, fields)}`,
      nft`accept`,
    ],
  };
}

/** Returns the chain of an allow: log and count a new connection, stamp it, accept. Returns where it does not admit. */
export function allowChains(rule: Rule, place: Place): RuleChains {
  const title = ruleTitle(place, rule.id);
  const about = `allow ${rule.id}: ${rule.why}`;
  const fields = { verdict: "accept", observed: place.watching, reason: "allowed", rule: rule.id } as const;
  const counter = counterOf(rule.id, about);
  const { objects, rules: admit } = tellNew(place, counter, fields, stamp(place, rule.expiresMs !== null));
  const expiry = rule.expiresMs === null ? [] : [nft`meta time >= ${expirySeconds(rule.expiresMs)} return`];
  const rate = "rate" in rule ? rule.rate : null;
  if (rate === null) {
    const chain = { name: title, about, rules: [...expiry, ...admit] };
    return { entry: title, asks: "accept", objects, chains: [chain] };
  }
  const admitTitle = `${title}/admit`;
  const meters = meterObjects(rule.id, rate);
  return {
    entry: title,
    asks: "accept",
    objects: [...objects, ...meters],
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
  const fields = { verdict: rule.denial, observed: false, reason: "denied", rule: rule.id } as const;
  return refusing(place, { title, about, counter: counterOf(rule.id, about), fields });
}

/** Returns the chain of a deny that is only watched: it logs what enforce would say. */
export function watchChains(rule: Rule, place: Place, passes: boolean): RuleChains {
  const title = ruleTitle(place, rule.id);
  const about = `watch ${rule.id} (would ${rule.denial}): ${rule.why}`;
  const fields = { verdict: rule.denial, observed: true, reason: "denied", rule: rule.id } as const;
  const counter = counterOf(rule.id, about);
  if (passes) {
    const { objects, rules } = tellNew(place, counter, fields, stamp(place, false));
    return { entry: title, asks: "accept", objects, chains: [{ name: title, about, rules }] };
  }
  // What it is asked for goes on to whoever admits it, with a line or without.
  const lineTitle = `${title}/line`;
  const count = nft`counter name ${quoted(counter.name)} ${countLine(place, rule.denial)}`;
  const tell = [nft`${line(place, fields)}`];
  return {
    entry: title,
    asks: "accept",
    objects: [counter, ...lineObjects(place, rule.denial)],
    chains: [
      { name: lineTitle, about: `${about}: a line`, rules: tell },
      {
        name: title,
        about,
        rules: [
          nft`ct state new ${count}`,
          ...earned(place, nft`goto ${name(lineTitle)}`, nft`ct state new `),
        ],
      },
    ],
  };
}

/** Returns what happens to a packet that no rule of the place decides. */
export function defaultChain(place: Place, denial: Denial): RuleChains {
  const title = `${placeTitle(place)}/default`;
  const counter = counterOf(
    `default/${place.direction}/${place.name}`,
    `${place.direction} ${place.name}: no rule matched`,
  );
  const fields = { verdict: denial, observed: place.watching, reason: "default", rule: null } as const;
  if (!place.watching)
    return refusing(place, { title, about: `no rule matched: ${denial}`, counter, fields });
  const { objects, rules } = tellNew(place, counter, fields, stamp(place, false));
  const about = `no rule matched: only watched, would ${denial}`;
  return { entry: title, asks: "accept", objects, chains: [{ name: title, about, rules }] };
}

/** Returns the chain of a guard; with an accepted risk it steps aside until that expires. */
export function guardChains(
  guard: { readonly id: string; readonly why: string; readonly liftedUntilMs: number | null },
  place: Place,
  denial: Denial,
): RuleChains {
  const title = ruleTitle(place, guard.id);
  const about = `${guard.id}: ${guard.why}`;
  const lifted =
    guard.liftedUntilMs === null ? [] : [nft`meta time < ${expirySeconds(guard.liftedUntilMs)} return`];
  const fields = { verdict: denial, observed: false, reason: "guard", rule: guard.id } as const;
  return refusing(place, { title, about, counter: counterOf(guard.id, about), fields }, lifted);
}

/** What a chain is that counts, tells of and denies whatever reaches it. */
export interface Refusing {
  readonly title: string;
  readonly about: string;
  readonly counter: NftObject;
  readonly fields: LineFields & { readonly verdict: Denial };
}

/** Returns such a chain; `before` is asked first. */
export function refusing(
  place: Place,
  { title, about, counter, fields }: Refusing,
  before: readonly Nft[] = [],
): RuleChains {
  const { verdict } = fields;
  const rules = [
    ...before,
    nft`counter name ${quoted(counter.name)} ${countLine(place, verdict)} jump ${name(linesTitle(place, verdict))}`,
    nft`${line(place, fields)} ${denialOf(place, verdict)}`,
  ];
  return {
    entry: title,
    asks: verdict,
    objects: [counter, ...lineObjects(place, verdict)],
    chains: [{ name: title, about, rules }],
  };
}

/** Returns how a packet ends that is refused or dropped, or passes. */
export function endOf(place: Place, verdict: Verdict): Nft {
  return verdict === "accept" ? nft`accept` : denialOf(place, verdict);
}

function denialOf({ generation }: Place, denial: Denial): Nft {
  return nft`goto ${name(denialTitle(generation, denial))}`;
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
