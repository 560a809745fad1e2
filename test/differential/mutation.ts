/**
 * Mistakes that a compiler could make, planted one at a time: a differential test that does not see them
 * proves nothing.
 */
import {
  EMPTY_SET,
  EVERY_ADDRESS,
  type PrefixSet,
  prefixesOf,
  prefixSetOf,
  unionSets,
} from "../../src/core/net/prefix-set.ts";
import type { Prefix } from "../../src/core/net/prefix.ts";
import type {
  ResolvedInboundRule,
  ResolvedOutboundRule,
  ResolvedPolicy,
} from "../../src/core/policy/resolved.ts";
import type { SeededRandom } from "../support/seeded-random.ts";

/** `apply` returns undefined when there is no place for the mistake. */
export type Mutation =
  | {
      readonly kind: "policy";
      apply(policy: ResolvedPolicy, random: SeededRandom): ResolvedPolicy | undefined;
    }
  | { readonly kind: "text"; apply(ruleset: string, random: SeededRandom): string | undefined };

type Rule = ResolvedInboundRule | ResolvedOutboundRule;

const MUTATIONS = {
  "a port range ends one too early": onRule(hasRange, (rule) => ({
    ...rule,
    services: rule.services.map((service) =>
      service.ports.first < service.ports.last
        ? { ...service, ports: { first: service.ports.first, last: service.ports.last - 1 } }
        : service,
    ),
  })),
  "a prefix is one bit wider": onRule(
    (rule) => prefixesOf(addressesOf(rule)).some(({ bits }) => bits > 8),
    (rule) => withAddresses(rule, widen(addressesOf(rule))),
  ),
  "an allow is asked before the denies": { kind: "text", apply: allowFirst },
  "the denies of IPv6 are lost": onRules((rule) =>
    rule.action === "deny" && addressesOf(rule).v6.first.length > 0
      ? withAddresses(rule, { ...addressesOf(rule), v6: EMPTY_SET.v6 })
      : rule,
  ),
  "TCP and UDP become TCP": onRules((rule) =>
    rule.services.some(({ protocol }) => protocol === "both")
      ? {
          ...rule,
          services: rule.services.map((service) =>
            service.protocol === "both" ? { ...service, protocol: "tcp" as const } : service,
          ),
        }
      : rule,
  ),
  "a rule is lost": onRule(
    () => true,
    () => undefined,
  ),
  "an expiry is ignored": onRules((rule) =>
    rule.action === "allow" && rule.expiresMs !== null ? { ...rule, expiresMs: null } : rule,
  ),
  "a guard is lost": {
    kind: "policy",
    apply: (policy, random) => {
      const [lost] = random.sample(
        policy.guards.filter((guard) => guard.liftedUntilMs === null && isHit(guard.id)),
        1,
      );
      return lost && { ...policy, guards: policy.guards.filter((guard) => guard !== lost) };
    },
  },
  "every protocol becomes TCP and UDP": onRules((rule) =>
    rule.services.some(({ protocol }) => protocol === "every")
      ? { ...rule, services: rule.services.map((service) => ({ ...service, protocol: "both" as const })) }
      : rule,
  ),
  "an exception is ignored": onRules((rule) =>
    "from" in rule && rule.except.v4.first.length + rule.except.v6.first.length > 0
      ? { ...rule, from: unionSets([rule.from, rule.except]), except: EMPTY_SET }
      : rule,
  ),
  "a drop becomes a refusal": onRules((rule) =>
    rule.action === "deny" && rule.denial === "drop" ? { ...rule, denial: "refuse" as const } : rule,
  ),
  "a watched deny is enforced": onRules((rule) =>
    rule.action === "deny" && rule.mode === "observe" ? { ...rule, mode: "enforce" as const } : rule,
  ),
  "another zone counts as the world": onRules((rule) =>
    "from" in rule && rule.fromZones.length > 0 ? { ...rule, from: EVERY_ADDRESS } : rule,
  ),
  "the published port is judged after its translation": {
    kind: "text",
    apply: (ruleset) => ruleset.replace("hook prerouting priority -150", "hook prerouting priority -90"),
  },
} as const satisfies Record<string, Mutation>;

export type MutationName = keyof typeof MUTATIONS;
export const MUTATION_NAMES = Object.keys(MUTATIONS) as readonly MutationName[];

export function mutationNamed(name: MutationName): Mutation {
  return MUTATIONS[name];
}

function hasRange(rule: Rule): boolean {
  return rule.services.some(({ protocol, ports }) => protocol !== "every" && ports.first < ports.last);
}

/** The guards whose ports and addresses the packets always include. */
function isHit(id: string): boolean {
  return ["guard.gateway", "guard.docker-api", "guard.metadata", "guard.cdp"].includes(id);
}

/** Changes one rule, drawn among those that have a place for it; `undefined` takes it away. */
function onRule(fits: (rule: Rule) => boolean, change: (rule: Rule) => Rule | undefined): Mutation {
  return {
    kind: "policy",
    apply: (policy, random) => {
      const [chosen] = random.sample([...policy.inbound, ...(policy.outbound ?? [])].filter(fits), 1);
      return chosen && changed(policy, (rule) => (rule === chosen ? change(rule) : rule));
    },
  };
}

/** Changes every rule that `change` returns something else for. */
function onRules(change: (rule: Rule) => Rule): Mutation {
  return {
    kind: "policy",
    apply: (policy) => {
      const rules = [...policy.inbound, ...(policy.outbound ?? [])];
      return rules.some((rule) => change(rule) !== rule) ? changed(policy, change) : undefined;
    },
  };
}

function changed(policy: ResolvedPolicy, change: (rule: Rule) => Rule | undefined): ResolvedPolicy {
  const each = <One extends Rule>(rules: readonly One[]): One[] =>
    rules.flatMap((rule) => {
      const next = change(rule);
      // A change keeps the direction of a rule: it spreads the one that it got.
      return next === undefined ? [] : [next as One];
    });
  return { ...policy, inbound: each(policy.inbound), outbound: policy.outbound && each(policy.outbound) };
}

function addressesOf(rule: Rule): PrefixSet {
  return "from" in rule ? rule.from : rule.to;
}

function withAddresses(rule: Rule, addresses: PrefixSet): Rule {
  return "from" in rule ? { ...rule, from: addresses } : { ...rule, to: addresses };
}

/** One bit off every prefix that can lose it. */
function widen(set: PrefixSet): PrefixSet {
  const wider = prefixesOf(set).map(({ base, bits }): Prefix => {
    if (bits <= 8) return { base, bits };
    if (base.family === 4) {
      const size = 2 ** (33 - bits);
      return { base: { family: 4, value: base.value - (base.value % size) }, bits: bits - 1 };
    }
    const hostBits = BigInt(129 - bits);
    return { base: { family: 6, value: (base.value >> hostBits) << hostBits }, bits: bits - 1 };
  });
  return prefixSetOf(wider);
}

/** In every judging chain: the look-ups of allow maps before those of deny maps. */
function allowFirst(ruleset: string): string | undefined {
  const lines = ruleset.split("\n");
  const isAsk = (line: string, tier: string): boolean =>
    new RegExp(`vmap @g1/[\\w/.-]+/${tier}(_any)?[46]$`).test(line);
  let moved = false;
  for (let at = 0; at < lines.length; at += 1) {
    if (!isAsk(lines[at] ?? "", "deny")) continue;
    for (let next = at + 1; next < lines.length && !(lines[next] ?? "").endsWith("}"); next += 1) {
      if (!isAsk(lines[next] ?? "", "allow")) continue;
      lines.splice(at, 0, ...lines.splice(next, 1));
      moved = true;
      at += 1;
    }
    while (at < lines.length && !(lines[at] ?? "").endsWith("}")) at += 1;
  }
  return moved ? lines.join("\n") : undefined;
}
