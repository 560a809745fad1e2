/**
 * How a scope with names meets its gate: what of it is diverted, to where, and what the gate itself may reach.
 * Names are decided outside the kernel; here it is made sure that there is no way around that.
 */
import { createHash } from "node:crypto";
import { formatPattern } from "../../net/hostname.ts";
import { allowsOf, decidesByName, directServices, isGated, isOfThisHost } from "../../policy/gated.ts";
import { gatePorts } from "../../policy/gate-port.ts";
import type { ResolvedOutboundRule, ResolvedPolicy, ResolvedScope } from "../../policy/resolved.ts";
import { MARK_FOREIGN_MASK, markOf, toGateOf } from "./mark.ts";
import { goTo } from "./place.ts";
import { askRoom } from "./room.ts";
import { type Chain, DIVERTED_DNS_SECONDS, type NftObject } from "./ruleset.ts";
import { ALIVE_SET } from "./table.ts";
import { hex32, name, type Nft, nft, quoted } from "./text.ts";
import { serviceMatch } from "./tier.ts";
import { type Place, placeTitle } from "./judged.ts";
import { counterOf, denialTitle, ruleTitle } from "./verdict.ts";

/** The sets in which the daemon pins what a resolver answered, for one scope and one rule of it. */
export interface PinSets {
  readonly scope: string;
  /** `address . port` for the web ports: these connections go to the gate. */
  readonly web: { readonly 4: string; readonly 6: string };
  /** Addresses of the names of a rule, for its other ports; all its ports while it is only watched. */
  readonly direct: ReadonlyMap<string, { readonly 4: string; readonly 6: string }>;
  /** Addresses of the containers of a rule. */
  readonly containers: ReadonlyMap<string, { readonly 4: string; readonly 6: string }>;
}

/**
 * Returns the names of the sets of one scope. They hold a hash of what they mean, so that a pin never outlives
 * the names it was made for, and one of an unchanged rule does.
 */
export function pinSets(policy: ResolvedPolicy, scope: string): PinSets {
  const watching = policy.mode.outbound === "observe";
  const rules = allowsOf(policy, scope);
  const named = rules.filter(decidesByName);
  const pair = (kind: string, meaning: unknown) => {
    const hash = createHash("sha256").update(JSON.stringify(meaning)).digest("hex").slice(0, 10);
    return { 4: `${kind}4_${hash}`, 6: `${kind}6_${hash}` } as const;
  };
  const direct = named.filter((rule) => watching || directServices(rule.services).length > 0);
  return {
    scope,
    web: pair("web", [scope, named.map(meaningOf), deniedNames(policy, scope)]),
    direct: new Map(
      direct.map((rule) => [rule.id, pair(watching ? "seen" : "name", [scope, meaningOf(rule)])]),
    ),
    containers: new Map(
      rules
        .filter((rule) => rule.containers.length > 0)
        .map((rule) => [rule.id, pair("box", [scope, rule.id, rule.containers])]),
    ),
  };
}

/** Returns the names of all sets of a policy in which the daemon pins. */
export function pinSetNames(policy: ResolvedPolicy): string[] {
  const scopes = policy.outbound === null ? [] : policy.scopes;
  return scopes.flatMap(({ name: scope }) => {
    const { web, direct, containers } = pinSets(policy, scope);
    return [web, ...direct.values(), ...containers.values()].flatMap((pair) => [pair[4], pair[6]]);
  });
}

function meaningOf({ id, names, publicWeb, services, private: isPrivate }: ResolvedOutboundRule): unknown {
  return [id, names.map(formatPattern), publicWeb, services, isPrivate];
}

function deniedNames(policy: ResolvedPolicy, scope: string): unknown {
  const denies = (policy.outbound ?? []).filter(
    (rule) => rule.action === "deny" && rule.mode === "enforce" && rule.scopes.includes(scope),
  );
  return denies.filter(decidesByName).map(meaningOf);
}

export interface GatedPlace {
  readonly objects: readonly NftObject[];
  readonly chains: readonly Chain[];
  /** Asked before the tiers: what keeps the gate reachable, and DNS where no rule names port 53. */
  readonly first: readonly Nft[];
  /** Asked after the tiers. */
  readonly last: readonly Nft[];
}

/** A gate that says nothing for so long is taken for dead by the kernel; DNS of watched scopes then passes by it. */
export const ALIVE_MS = 1_500;
/** Where a gate knocks; nobody listens there, and nothing of it leaves the machine. */
export const KNOCK_PORT = 18_900;
/** A gate that asks several resolvers in turn needs so long to answer. */
const UNANSWERED_DNS_SECONDS = 10;
export const RESOLVER_SETS = { 4: "resolver4", 6: "resolver6" } as const;

/** Returns what a scope needs beside its tiers, or nothing when no name decides in it. */
export function gatedPlace(
  policy: ResolvedPolicy,
  scope: ResolvedScope,
  place: Place,
  forgetsSoon: boolean,
): GatedPlace {
  const rules = allowsOf(policy, scope.name);
  const sets = pinSets(policy, scope.name);
  const pins = pinRules(place, rules, sets);
  if (!isGated(policy, scope.name)) return { objects: pins.objects, chains: [], first: [], last: pins.rules };
  const title = placeTitle(place);
  const dns = nft`meta l4proto { tcp, udp } th dport 53`;
  const byAddress = rules.some(
    (rule) => rule.to.v4.first.length + rule.to.v6.first.length > 0 && allowsPort(rule, 53),
  );
  const divertDns = place.watching
    ? nft`${dns} ct state new meta nfproto @${name(ALIVE_SET)} ${goTo(`${title}/dns`)}`
    : nft`${dns} ${goTo(`${title}/dns`)}`;
  const web = place.watching ? [] : webRules(title, sets);
  return {
    objects: [
      ...gateObjects(scope.name),
      ...(forgetsSoon ? shortMemory(place) : []),
      ...webObjects(scope.name, sets),
      ...pins.objects,
    ],
    chains: divertChains(place, scope, forgetsSoon),
    first: [...keptRules(place, scope), ...proxyRules(place, scope), ...(byAddress ? [] : [divertDns])],
    last: [...(byAddress ? [divertDns] : []), ...web, ...pins.rules],
  };
}

function allowsPort(rule: ResolvedOutboundRule, port: number): boolean {
  return rule.services.some(({ ports }) => ports.first <= port && port <= ports.last);
}

function gateObjects(scope: string): NftObject[] {
  return [
    { kind: "alive", name: ALIVE_SET },
    counterOf(`gate/dns/${scope}`, `${scope}: DNS that went to the gate`),
    counterOf(`gate/web/${scope}`, `${scope}: connections that went to the gate`),
    counterOf(`gate/proxy/${scope}`, `${scope}: connections to the explicit proxy`),
  ];
}

function webObjects(scope: string, sets: PinSets): NftObject[] {
  const about = `where names of scope ${scope} are`;
  return ([4, 6] as const).map((family) => ({ kind: "web-pins", name: sets.web[family], family, about }));
}

/** A container on this host has no loopback in common with the gate, so it has no explicit proxy. */
function proxyRules(place: Place, scope: ResolvedScope): Nft[] {
  if (!isOfThisHost(scope)) return [];
  const { proxy } = gatePorts(scope.index);
  const chain = goTo(`${placeTitle(place)}/proxy`);
  return [
    nft`ip daddr 127.0.0.1 tcp dport ${proxy} ${chain}`,
    nft`ip6 daddr ::1 tcp dport ${proxy} ${chain}`,
  ];
}

function webRules(title: string, sets: PinSets): Nft[] {
  const chain = goTo(`${title}/web`);
  return [
    nft`ip daddr . tcp dport @${name(sets.web[4])} ${chain}`,
    nft`ip6 daddr . tcp dport @${name(sets.web[6])} ${chain}`,
  ];
}

/** While a scope is only watched a question that nobody answers is soon asked anew, and may then pass by the gate. */
function memoryOf({ watching }: Place): { readonly title: string; readonly unansweredSeconds: number } {
  return watching
    ? { title: "watched_dns", unansweredSeconds: DIVERTED_DNS_SECONDS }
    : { title: "diverted_dns", unansweredSeconds: UNANSWERED_DNS_SECONDS };
}

function shortMemory(place: Place): NftObject[] {
  const { title, unansweredSeconds } = memoryOf(place);
  return ([4, 6] as const).map((family) => ({
    kind: "short-memory",
    name: `${title}${family}`,
    family,
    unansweredSeconds,
  }));
}

/** SECURITY: each socket and server that is asked is an entry of the connection table; they must not stay in it. */
function forgetSoon(place: Place): Nft[] {
  const { title } = memoryOf(place);
  return [
    nft`meta nfproto ipv4 meta l4proto udp ct state new ct timeout set ${quoted(`${title}4`)}`,
    nft`meta nfproto ipv6 meta l4proto udp ct state new ct timeout set ${quoted(`${title}6`)}`,
  ];
}

/** What was diverted under another policy stays with the gate, which cuts it when it is not allowed any more. */
function keptRules(place: Place, scope: ResolvedScope): Nft[] {
  const { dns, tls, http } = gatePorts(scope.index);
  const diverted = nft`ct status dnat meta l4proto { tcp, udp } ct reply proto-src { ${[dns, tls, http].map((port) => nft`${port}`)} }`;
  const chain = goTo(`${placeTitle(place)}/kept`);
  if (!isOfThisHost(scope)) return [nft`${diverted} ${chain}`];
  return [
    nft`meta nfproto ipv4 ct reply ip saddr 127.0.0.1 ${diverted} ${chain}`,
    nft`meta nfproto ipv6 ct reply ip6 saddr ::1 ${diverted} ${chain}`,
  ];
}

/**
 * INVARIANT: only the first packet of a connection can be diverted, so whatever belongs to a connection that was
 * not (it began before, or was admitted by another policy) is refused.
 */
function divertChains(place: Place, scope: ResolvedScope, forgetsSoon: boolean): Chain[] {
  const title = placeTitle(place);
  const stamp = nft`ct mark set ct mark and ${hex32(MARK_FOREIGN_MASK)} or ${hex32(markOf(place.generation, place.scope))}`;
  const mark = nft`meta mark set meta mark and ${hex32(MARK_FOREIGN_MASK)} or ${hex32(toGateOf(place.scope))}`;
  const refuse = goTo(denialTitle(place.generation, "refuse"));
  const count = (what: string): Nft => nft`counter name ${quoted(`count_gate/${what}/${scope.name}`)}`;
  const divert = (what: string, before: readonly Nft[] = []): Nft[] => [
    nft`ct state != new ${refuse}`,
    ...askRoom(place),
    ...before,
    nft`${count(what)} ${stamp}`,
    mark,
    nft`accept`,
  ];
  const chains = [
    { name: `${title}/kept`, about: "diverted under another policy", rules: [stamp, nft`accept`] },
    {
      name: `${title}/dns`,
      about: "DNS: to the gate, whatever server is asked",
      rules: divert("dns", forgetsSoon ? forgetSoon(place) : []),
    },
  ];
  if (isOfThisHost(scope)) {
    chains.push({
      name: `${title}/proxy`,
      about: "to the explicit proxy",
      rules: [...askRoom(place), nft`${count("proxy")} ${stamp}`, nft`accept`],
    });
  }
  if (!place.watching) {
    chains.push({ name: `${title}/web`, about: "to the gate, which reads the name", rules: divert("web") });
  }
  return chains;
}

/** Rules that names or containers decide by address: the sets are filled with what a resolver answered. */
function pinRules(
  place: Place,
  rules: readonly ResolvedOutboundRule[],
  sets: PinSets,
): { objects: NftObject[]; rules: Nft[] } {
  const objects: NftObject[] = [];
  const asks: Nft[] = [];
  for (const rule of rules) {
    const services = place.watching ? rule.services : directServices(rule.services);
    const kinds = [
      { pair: sets.direct.get(rule.id), services, what: "names" },
      { pair: sets.containers.get(rule.id), services: rule.services, what: "containers" },
    ];
    for (const { pair, services: served, what } of kinds) {
      if (pair === undefined) continue;
      for (const family of [4, 6] as const) {
        const title = pair[family];
        objects.push({ kind: "pins", name: title, family, about: `addresses of the ${what} of ${rule.id}` });
        const address = family === 4 ? nft`ip daddr` : nft`ip6 daddr`;
        asks.push(
          nft`${address} @${name(title)} ${serviceMatch(served)}jump ${name(ruleTitle(place, rule.id))}`,
        );
      }
    }
  }
  return { objects, rules: asks };
}
