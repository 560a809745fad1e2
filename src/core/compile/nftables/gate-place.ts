/**
 * What the gates themselves may send: to the resolvers, to what was pinned, and to what a scope they serve is
 * allowed by address. SECURITY: a gate that is taken over reaches nothing else.
 */
import { EVERY_ADDRESS } from "../../net/prefix-set.ts";
import { allowsOf, directServices, gatedScopes, isOfThisHost } from "../../policy/gated.ts";
import { GATE_PLACE } from "../../policy/parse/vocabulary.ts";
import type { ResolvedOutboundRule, ResolvedPolicy } from "../../policy/resolved.ts";
import { ALIVE_MS, KNOCK_PORT, pinSets, RESOLVER_SETS } from "./gate.ts";
import { MARK_FOREIGN_MASK, markOf, SCOPE_GATE } from "./mark.ts";
import { compilePlace, goTo } from "./place.ts";
import { askRoom } from "./room.ts";
import { type ConnectionTable, shareOfGate } from "./share.ts";
import type { Chain, NftObject } from "./ruleset.ts";
import { ALIVE_SET } from "./table.ts";
import { hex32, name, type Nft, nft } from "./text.ts";
import { serviceMatch } from "./tier.ts";
import { type Place, placeTitle } from "./judged.ts";

export interface CompiledGate {
  readonly entry: string;
  readonly objects: readonly NftObject[];
  readonly chains: readonly Chain[];
}

/** Returns the chains that judge the gates' own uid. `before` is asked first: connections that were admitted. */
export function compileGate(
  policy: ResolvedPolicy,
  generation: number,
  before: readonly Nft[],
  table: ConnectionTable | null,
): CompiledGate {
  const place: Place = {
    direction: "outbound",
    generation,
    name: GATE_PLACE,
    scope: SCOPE_GATE,
    watching: policy.mode.outbound === "observe",
    share: table === null ? null : shareOfGate(table),
  };
  const title = placeTitle(place);
  const compiled = compilePlace({
    place,
    guards: policy.guards
      .filter((guard) => guard.direction === "outbound")
      .map((guard) => ({ guard, addresses: guard.to ?? EVERY_ADDRESS })),
    rules: literals(policy).map((rule) => ({ rule, services: rule.services, addresses: rule.to })),
    denial: policy.denial.outbound,
    extra: place.watching ? [goTo(`${title}/out`)] : pinned(policy, title),
  });
  return {
    entry: title,
    objects: [...compiled.objects, ...resolverObjects()],
    chains: [
      ...compiled.chains,
      {
        name: `${title}/out`,
        about: "what the gate sends for a scope",
        rules: [...askRoom(place), stamp(place), nft`accept`],
      },
      {
        name: title,
        about: "the gates: resolvers > guard > what was pinned",
        rules: [
          ...knockRules(),
          ...before,
          ...resolverRules(title),
          ...compiled.asks,
          goTo(compiled.fallback),
        ],
      },
    ],
  };
}

/** What a scope may reach by address it may also ask the explicit proxy for. */
function literals(policy: ResolvedPolicy): ResolvedOutboundRule[] {
  const scopes = gatedScopes(policy).filter(isOfThisHost);
  const rules = new Set(scopes.flatMap(({ name: scope }) => allowsOf(policy, scope)));
  return [...rules].filter((rule) => rule.to.v4.first.length + rule.to.v6.first.length > 0);
}

function resolverObjects(): NftObject[] {
  return ([4, 6] as const).map((family) => ({ kind: "resolvers", name: RESOLVER_SETS[family], family }));
}

/**
 * A gate that is well says so by a datagram to nobody. It is no transaction: those make everybody who lists a large
 * set begin anew, and a sign of life comes several times a second.
 */
function knockRules(): Nft[] {
  const note = nft`update @${name(ALIVE_SET)} { meta nfproto timeout ${ALIVE_MS}ms } drop`;
  return [
    nft`ip daddr 127.0.0.1 udp dport ${KNOCK_PORT} ${note}`,
    nft`ip6 daddr ::1 udp dport ${KNOCK_PORT} ${note}`,
  ];
}

function resolverRules(title: string): Nft[] {
  const out = goTo(`${title}/out`);
  return [
    nft`ip daddr . meta l4proto . th dport @${name(RESOLVER_SETS[4])} ${out}`,
    nft`ip6 daddr . meta l4proto . th dport @${name(RESOLVER_SETS[6])} ${out}`,
  ];
}

function pinned(policy: ResolvedPolicy, title: string): Nft[] {
  const out = goTo(`${title}/out`);
  return gatedScopes(policy).flatMap(({ name: scope }) => {
    const sets = pinSets(policy, scope);
    const direct = allowsOf(policy, scope).flatMap((rule) => {
      const pair = sets.direct.get(rule.id);
      const services = serviceMatch(directServices(rule.services));
      if (pair === undefined) return [];
      return [
        nft`ip daddr @${name(pair[4])} ${services}${out}`,
        nft`ip6 daddr @${name(pair[6])} ${services}${out}`,
      ];
    });
    return [
      nft`ip daddr . tcp dport @${name(sets.web[4])} ${out}`,
      nft`ip6 daddr . tcp dport @${name(sets.web[6])} ${out}`,
      ...direct,
    ];
  });
}

function stamp(place: Place): Nft {
  return nft`ct mark set ct mark and ${hex32(MARK_FOREIGN_MASK)} or ${hex32(markOf(place.generation, place.scope))}`;
}
