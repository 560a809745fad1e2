/** Outbound is judged where it starts: in output by the uid of the socket, in prerouting by container interface. */
import type { Diagnostic } from "../../base/diagnostic.ts";
import { selectorOfCgroup, selectorOfUnit } from "../../containment/slice.ts";
import { EVERY_ADDRESS } from "../../net/prefix-set.ts";
import type { ResolvedPolicy, ResolvedScope } from "../../policy/resolved.ts";
import { gatedPlace } from "./gate.ts";
import { countLine, lineObjects } from "./line.ts";
import { MARK_MASK, SCOPE_MASK } from "./mark.ts";
import { compilePlace, goTo } from "./place.ts";
import { type ConnectionTable, shareOfScope } from "./share.ts";
import type { Chain, NftObject } from "./ruleset.ts";
import { type Accounts, type UidRange, uidRanges } from "./scope.ts";
import { hex32, name, type Nft, nft } from "./text.ts";
import { type Place, placeTitle } from "./judged.ts";
import { denialTitle } from "./verdict.ts";

/** How the kernel recognises the packets of a scope. */
export type ScopeSelector =
  | { readonly kind: "uids"; readonly ranges: readonly UidRange[] }
  | { readonly kind: "interfaces"; readonly set: string; readonly known: readonly string[] }
  /** `isSlice`: the cgroup is a slice of ours, below the parent of all of them. */
  | { readonly kind: "cgroup"; readonly level: number; readonly path: string; readonly isSlice: boolean };

export interface CompiledScope {
  readonly scope: ResolvedScope;
  readonly selector: ScopeSelector;
  readonly objects: readonly NftObject[];
  readonly chains: readonly Chain[];
  readonly entry: string;
}

export type ScopeCompilation =
  | { readonly ok: true; readonly compiled: CompiledScope }
  | { readonly ok: false; readonly diagnostic: Diagnostic };

export interface ScopeOptions {
  /** 1..15; stamped into the connections that are admitted. */
  readonly generation: number;
  readonly accounts: Accounts;
  /** Whether the kernel can be told how long it remembers a connection, when that is known (at apply). */
  readonly hasTimeouts?: boolean;
  /** How many entries the connection table of the machine may have; null where it does not say. Known at apply. */
  readonly tableEntriesMax?: number | null;
}

/** Returns what is known of the connection table, or null when the ruleset is for no machine in particular. */
export function tableOf({ hasTimeouts = false, tableEntriesMax }: ScopeOptions): ConnectionTable | null {
  return tableEntriesMax === undefined ? null : { entriesMax: tableEntriesMax, forgets: hasTimeouts };
}

/** Returns the chains that judge one scope, or why nftables cannot express it. */
export function compileScope(
  policy: ResolvedPolicy,
  scope: ResolvedScope,
  options: ScopeOptions,
): ScopeCompilation {
  const { generation, accounts, hasTimeouts = false } = options;
  const table = tableOf(options);
  const selector = selectorOf(scope, generation, accounts);
  if (!selector.ok) return selector;
  const place: Place = {
    direction: "outbound",
    generation,
    name: scope.name,
    scope: scope.index,
    watching: policy.mode.outbound === "observe",
    share: table === null ? null : shareOfScope(table, policy.scopes.length),
  };
  const rules = (policy.outbound ?? []).filter((rule) => rule.scopes.includes(scope.name));
  const gated = gatedPlace(policy, scope, place, hasTimeouts);
  const compiled = compilePlace({
    place,
    guards: policy.guards
      .filter((guard) => guard.direction === "outbound")
      .map((guard) => ({ guard, addresses: guard.to ?? EVERY_ADDRESS })),
    rules: rules.map((rule) => ({ rule, services: rule.services, addresses: rule.to })),
    denial: policy.denial.outbound,
    extra: gated.last,
  });
  const title = placeTitle(place);
  const about = `scope ${scope.name}: guard > deny > allow > default`;
  return {
    ok: true,
    compiled: {
      scope,
      selector: selector.selector,
      objects: [...compiled.objects, ...gated.objects, ...lineObjects(place, "refuse")],
      chains: [
        ...compiled.chains,
        ...gated.chains,
        {
          name: title,
          about,
          rules: [
            ...sourceRouted(place),
            ...ownAdmittedRules(generation, scope.index),
            ...gated.first,
            ...compiled.asks,
            goTo(compiled.fallback),
          ],
        },
      ],
      entry: title,
    },
  };
}

function selectorOf(
  scope: ResolvedScope,
  generation: number,
  accounts: Accounts,
): { ok: true; selector: ScopeSelector } | { ok: false; diagnostic: Diagnostic } {
  const { target } = scope;
  switch (target.kind) {
    case "user":
      // An unknown user matches nothing here; `apply` refuses it, `compile` says it in the ruleset.
      return { ok: true, selector: { kind: "uids", ranges: uidRanges(target.user, accounts) ?? [] } };
    case "docker": {
      const known = target.network === "bridge" ? ["docker0"] : [];
      return {
        ok: true,
        selector: { kind: "interfaces", set: interfaceSetName(generation, scope.name), known },
      };
    }
    case "netns":
      return {
        ok: true,
        selector: { kind: "interfaces", set: interfaceSetName(generation, scope.name), known: [] },
      };
    case "unit":
      return { ok: true, selector: { kind: "cgroup", ...selectorOfUnit(scope.name), isSlice: true } };
    case "cgroup": {
      const selector = selectorOfCgroup(target.path);
      if (selector === undefined) return { ok: false, diagnostic: unusable(scope, target.path) };
      return { ok: true, selector: { kind: "cgroup", ...selector, isSlice: false } };
    }
  }
}

function unusable(scope: ResolvedScope, path: string): Diagnostic {
  return {
    code: "compile/unusable-cgroup",
    severity: "error",
    message: `scope \`${scope.name}\`: \`${path}\` is not the path of a cgroup below the root`,
    help: "systemd-cgls",
    span: { line: 1, column: 1, length: 1 },
  };
}

/** SECURITY: a source route goes to an allowed first hop and on to anywhere; each packet can bring its own. */
function sourceRouted(place: Place): Nft[] {
  const refuse = nft`${countLine(place, "refuse")} ${goTo(denialTitle(place.generation, "refuse"))}`;
  return [
    nft`ip option lsrr exists ${refuse}`,
    nft`ip option ssrr exists ${refuse}`,
    nft`exthdr rt exists ${refuse}`,
  ];
}

/** Later packets are judged by mark, never by uid: after a process exits its packets have none. */
export function admittedRules(generation: number): Nft[] {
  const mark = nft`ct mark and ${hex32(MARK_MASK)}`;
  return [
    nft`${mark} vmap @${name(admittedName(generation))}`,
    nft`${mark} vmap @${name(olderName(generation))}`,
  ];
}

/**
 * The same for one scope. SECURITY: only its own stamp counts, or a scope could go on with what another one, or the
 * gate, has left in the connection table; what carries another's is judged as new.
 */
export function ownAdmittedRules(generation: number, scope: number): Nft[] {
  const own = nft`ct mark and ${hex32(SCOPE_MASK)} == ${hex32((scope << 24) >>> 0)} ct mark and ${hex32(MARK_MASK)}`;
  return [
    nft`${own} vmap @${name(admittedName(generation))}`,
    nft`${own} vmap @${name(olderName(generation))}`,
    nft`ct mark and ${hex32(MARK_MASK)} == 0x00000000 ct mark and ${hex32(MARK_MASK)} vmap @${name(olderName(generation))}`,
  ];
}

/** The set of interfaces behind which a scope by docker network or namespace is. */
export function interfaceSetName(generation: number, scope: string): string {
  return `g${generation}/interfaces/${scope}`;
}

/** The map of stamps that pass unjudged in a generation. */
export function admittedName(generation: number): string {
  return `g${generation}/admitted`;
}

/** The map of older stamps that pass too until the generation is confirmed. */
export function olderName(generation: number): string {
  return `g${generation}/older`;
}
