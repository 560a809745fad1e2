/** ResolvedPolicy in, Ruleset of one generation out. Refuses what nftables cannot express; never weakens. */
import type { Diagnostic } from "../../base/diagnostic.ts";
import { INNER_INTERFACES, WORLD } from "../../policy/resolve.ts";
import type { ResolvedPolicy } from "../../policy/resolved.ts";
import { compileZone } from "./inbound.ts";
import { SCOPE_INBOUND, SCOPE_MASK } from "./mark.ts";
import { type Admitted, admittedRules, type CompiledScope, compileScope } from "./outbound.ts";
import { goTo } from "./place.ts";
import type { Chain, NftObject, Ruleset } from "./ruleset.ts";
import type { Accounts } from "./scope.ts";
import { hex32, name, type Nft, nft, quoted } from "./text.ts";
import { TooManyCells } from "./tier.ts";
import { DENIAL_CHAINS } from "./verdict.ts";

export interface CompileOptions {
  /** 1..15; stamped into the connections this ruleset admits. */
  readonly generation: number;
  readonly accounts: Accounts;
  /** Which earlier stamps pass unjudged; the own generation always does. */
  readonly admitted?: Admitted;
}

export type Compilation =
  | { readonly ok: true; readonly ruleset: Ruleset; readonly diagnostics: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Returns the ruleset of a policy, or the diagnostics of what could not be expressed. */
export function compileNftables(policy: ResolvedPolicy, options: CompileOptions): Compilation {
  try {
    return compile(policy, options);
  } catch (cause) {
    if (!(cause instanceof TooManyCells)) throw cause;
    return { ok: false, diagnostics: [tooManyCells(cause.message)] };
  }
}

function compile(policy: ResolvedPolicy, options: CompileOptions): Compilation {
  const { generation, accounts } = options;
  const admitted = options.admitted ?? { generations: [generation], unstamped: false };
  const zones = [WORLD, ...policy.zones.map((zone) => zone.name)].map((zone) => ({
    zone,
    compiled: compileZone(policy, zone, generation),
  }));
  const scopes: CompiledScope[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const scope of policy.outbound === null ? [] : policy.scopes) {
    const made = compileScope(policy, scope, generation, accounts, admitted);
    if (made.ok) scopes.push(made.compiled);
    else diagnostics.push(made.diagnostic);
  }
  if (diagnostics.length > 0) return { ok: false, diagnostics };
  const prefix = `g${generation}`;
  const containers = policy.containers === "deny" && policy.mode.outbound === "enforce";
  const chains: Chain[] = [
    ...DENIAL_CHAINS,
    ...zones.flatMap(({ compiled }) => compiled.chains),
    ...scopes.flatMap((scope) => scope.chains),
    preroutingChain(policy, prefix, zones, scopes, admitted, containers),
    outputChain(prefix, scopes),
  ];
  const objects = [
    ...zones.flatMap(({ compiled }) => compiled.objects),
    ...scopes.flatMap((scope) => [...scope.objects, ...selectorObjects(scope)]),
  ];
  return {
    ok: true,
    diagnostics: [],
    ruleset: {
      generation,
      objects: unique(objects),
      chains,
      entry: { prerouting: `${prefix}_prerouting`, output: `${prefix}_output` },
    },
  };
}

/** Counters, meters and sets of one rule are shared by the places it applies in. */
function unique(objects: readonly NftObject[]): NftObject[] {
  return [...new Map(objects.map((object) => [object.name, object])).values()];
}

function selectorObjects({ scope, selector }: CompiledScope): NftObject[] {
  if (selector.kind === "uids") return [];
  const about = `interfaces of scope ${scope.name}, filled when applied`;
  return [{ kind: "interfaces", name: selector.set, about, known: selector.known }];
}

function preroutingChain(
  policy: ResolvedPolicy,
  prefix: string,
  zones: readonly { readonly zone: string; readonly compiled: { readonly entry: string } }[],
  scopes: readonly CompiledScope[],
  admitted: Admitted,
  containersDenied: boolean,
): Chain {
  const entryOf = new Map(zones.map(({ zone, compiled }) => [zone, compiled.entry]));
  const rules: Nft[] = [
    nft`iifname "lo" accept comment "host.loopback"`,
    ...admittedRules(admitted, SCOPE_INBOUND),
    nft`ct direction reply ct state established,related accept comment "host.established: began inside"`,
    nft`ct state related meta l4proto { icmp, ipv6-icmp } accept comment "host.pmtu"`,
  ];
  const byInterface = scopes.filter(({ selector }) => selector.kind === "interfaces");
  for (const { selector, entry } of byInterface) {
    if (selector.kind !== "interfaces") continue;
    rules.push(nft`iifname @${name(selector.set)} icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept`);
    rules.push(nft`iifname @${name(selector.set)} ${goTo(entry)}`);
  }
  for (const zone of policy.zones) {
    for (const one of zone.interfaces) {
      rules.push(nft`iifname ${quoted(one)} ${goTo(entryOf.get(zone.name) ?? "")}`);
    }
  }
  if (containersDenied && byInterface.length > 0) {
    rules.push(nft`iifname "docker*" goto refuse comment "containers that no scope names"`);
    rules.push(nft`iifname "br-*" goto refuse comment "containers that no scope names"`);
  }
  for (const inner of INNER_INTERFACES) if (inner !== "lo") rules.push(nft`iifname ${quoted(inner)} accept`);
  rules.push(goTo(entryOf.get(WORLD) ?? ""));
  return { name: `${prefix}_prerouting`, about: "what enters: by where it enters", rules };
}

function outputChain(prefix: string, scopes: readonly CompiledScope[]): Chain {
  const uids = scopes.flatMap(({ selector, entry }) =>
    selector.kind === "uids"
      ? selector.ranges.map(({ first, last }) => nft`${first === last ? nft`${first}` : nft`${first}-${last}`} : ${goTo(entry)}`)
      : [],
  );
  const marks = scopes
    .filter(({ selector }) => selector.kind === "uids")
    .map(({ scope, entry }) => nft`${hex32((scope.index << 24) >>> 0)} : ${goTo(entry)}`);
  const rules = [nft`ct direction reply accept comment "answers: judged where they came in"`];
  if (uids.length > 0) rules.push(nft`meta skuid vmap { ${uids} }`);
  if (marks.length > 0) rules.push(nft`ct mark and ${hex32(SCOPE_MASK)} vmap { ${marks} }`);
  return { name: `${prefix}_output`, about: "what leaves: by who sends it", rules };
}

function tooManyCells(tier: string): Diagnostic {
  return {
    code: "compile/too-many-cells",
    severity: "error",
    message: `the ranges of the ${tier} cross each other too often for one kernel map`,
    help: "give rules with wide port ranges fewer, larger sources, or name the sources as one set",
    span: { line: 1, column: 1, length: 1 },
  };
}
