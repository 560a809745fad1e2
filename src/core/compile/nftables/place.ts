/** The tiers of one zone or scope, in the order of DESIGN's semantics: guard > deny > allow > default. */
import type { PrefixSet } from "../../net/prefix-set.ts";
import type { Verdict } from "../../policy/decision.ts";
import type { Denial } from "../../policy/document.ts";
import type {
  ResolvedGuard,
  ResolvedInboundRule,
  ResolvedOutboundRule,
  ServiceMatch,
} from "../../policy/resolved.ts";
import { linesChain } from "./line.ts";
import { fullTitle, roomRules, roomTitle } from "./room.ts";
import type { Share } from "./share.ts";
import type { Chain, NftObject } from "./ruleset.ts";
import { fullCounterKey } from "./table.ts";
import { name, type Nft, nft } from "./text.ts";
import { compileTier, type TierEntry } from "./tier.ts";
import { type Place, placeTitle } from "./judged.ts";
import {
  allowChains,
  counterOf,
  defaultChain,
  denyChains,
  endOf,
  guardChains,
  refusing,
  type RuleChains,
  watchChains,
} from "./verdict.ts";

/** A rule as it applies in one place: the addresses it matches there. */
export interface PlacedRule {
  readonly rule: ResolvedInboundRule | ResolvedOutboundRule;
  readonly addresses: PrefixSet;
  readonly services: readonly ServiceMatch[];
}

export interface PlacedGuard {
  readonly guard: ResolvedGuard;
  readonly addresses: PrefixSet;
}

export interface PlaceSpec {
  readonly place: Place;
  readonly guards: readonly PlacedGuard[];
  readonly rules: readonly PlacedRule[];
  readonly denial: Denial;
  /** Rules asked between the allow map and the default, such as pinned names. */
  readonly extra: readonly Nft[];
}

export interface CompiledPlace {
  readonly objects: readonly NftObject[];
  readonly chains: readonly Chain[];
  readonly asks: readonly Nft[];
  /** The chain for what no rule decides. */
  readonly fallback: string;
}

/** Returns the objects, chains and look-ups that judge a new packet in this place. */
export function compilePlace(spec: PlaceSpec): CompiledPlace {
  const { place, denial } = spec;
  const parts = new Parts(placeTitle(place), place.direction === "inbound" ? "saddr" : "daddr");
  parts.tier(
    "guard",
    "built-in guards",
    spec.guards.map((placed) => guardEntry(placed, parts.keep(guardChains(placed.guard, place, denial)))),
  );
  const denies = spec.rules.filter(({ rule }) => rule.action === "deny");
  const allows = spec.rules.filter(({ rule }) => rule.action === "allow");
  const enforced = denies.filter(({ rule }) => rule.mode === "enforce");
  parts.tier(
    "deny",
    "deny rules",
    enforced.map((placed) => entry(placed, parts.keep(denyChains(placed.rule, place)), true)),
  );
  const watched = denies
    .filter(({ rule }) => rule.mode === "observe")
    .map((placed) => watchEntry(placed, parts.keep(watchChains(placed.rule, place, place.watching)), place));
  const allowed = allows
    .filter(({ rule }) => place.watching || rule.mode === "enforce")
    .map((placed) => allowEntry(placed, parts.keep(allowChains(placed.rule, place))));
  if (place.watching) {
    parts.tier("watch", "deny rules that are only watched", watched);
    parts.tier("allow", "allow rules", allowed);
  } else {
    // What enforce would say to a packet that passes is logged where it passes: in the cells of small allow
    // rules, and before the large ones.
    const smallAllows = allowed.filter((one) => !one.large);
    const largeAllows = allowed.filter((one) => one.large);
    parts.tier(
      "watch",
      "large deny rules that are only watched",
      watched.filter(({ large }) => large),
    );
    parts.tier("allow", "allow rules", [...watched.filter(({ large }) => !large), ...smallAllows]);
    if (largeAllows.length > 0) {
      const before = watched.filter(({ large }) => !large).map((one) => ({ ...one, onlyWatches: false }));
      parts.tier("watch_small", "deny rules that are only watched", before);
    }
    parts.tier("allow_large", "allow rules over large sets", largeAllows);
  }
  parts.asks.push(...spec.extra);
  if (place.share !== null) parts.room(place, place.share);
  const fallback = parts.keep(defaultChain(place, denial));
  for (const verdict of parts.asked) parts.chains.push(linesChain(place, verdict, endOf(place, verdict)));
  return { objects: parts.objects, chains: parts.chains, asks: parts.asks, fallback };
}

/** Collects what the tiers of one place are made of. */
class Parts {
  readonly objects: NftObject[] = [];
  readonly chains: Chain[] = [];
  readonly asks: Nft[] = [];
  /** The verdicts whose packets may get a line. */
  readonly asked = new Set<Verdict>();
  readonly title: string;
  readonly side: "saddr" | "daddr";

  constructor(title: string, side: "saddr" | "daddr") {
    this.title = title;
    this.side = side;
  }

  keep(made: RuleChains): string {
    this.objects.push(...made.objects);
    this.chains.push(...made.chains);
    this.asked.add(made.asks);
    return made.entry;
  }

  room(place: Place, share: Share): void {
    const { objects, rules } = roomRules(place, share);
    const about = `at most ${share.connections} connections at once, ${share.newPerSecond} new a second`;
    const whose = share.of === "source" ? `${about}, each source` : about;
    this.objects.push(...objects);
    this.keep(
      refusing(place, {
        title: fullTitle(place),
        about: "over its share of the connection table",
        counter: counterOf(fullCounterKey(place.direction, place.name), `no room: ${whose}`),
        fields: { verdict: "refuse", observed: false, reason: "limit", rule: null },
      }),
    );
    this.chains.push({ name: roomTitle(place), about: whose, rules });
  }

  tier(word: string, about: string, entries: readonly TierEntry[]): void {
    const tier = compileTier({ title: `${this.title}/${word}`, about, side: this.side, entries });
    this.objects.push(...tier.objects);
    this.chains.push(...tier.chains);
    this.asks.push(...tier.asks);
  }
}

function guardEntry({ guard, addresses }: PlacedGuard, chain: string): TierEntry {
  const settles = guard.liftedUntilMs === null;
  const { id, services } = guard;
  return { key: id, addresses, services, chain, settles, onlyWatches: false, large: false };
}

function entry({ rule, addresses, services }: PlacedRule, chain: string, settles: boolean): TierEntry {
  return { key: rule.id, addresses, services, chain, settles, onlyWatches: false, large: rule.large };
}

function allowEntry(placed: PlacedRule, chain: string): TierEntry {
  const { rule } = placed;
  const rated = "rate" in rule && rule.rate !== null;
  return entry(placed, chain, !rated && rule.expiresMs === null);
}

function watchEntry(placed: PlacedRule, chain: string, place: Place): TierEntry {
  return { ...entry(placed, chain, place.watching), onlyWatches: !place.watching };
}

/** Returns `goto chain`. */
export function goTo(chain: string): Nft {
  return nft`goto ${name(chain)}`;
}
