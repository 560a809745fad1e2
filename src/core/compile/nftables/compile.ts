/** ResolvedPolicy in, Ruleset of one generation out. Refuses what nftables cannot express; never weakens. */
import { assert } from "../../base/assert.ts";
import { type Diagnostic, FILE_START } from "../../base/diagnostic.ts";
import { PARENT_SLICE } from "../../containment/slice.ts";
import { gatedScopes } from "../../policy/gated.ts";
import { GATE_PLACE } from "../../policy/parse/vocabulary.ts";
import { INNER_INTERFACES, WORLD } from "../../policy/zone-word.ts";
import type { ResolvedPolicy } from "../../policy/resolved.ts";
import { GATE_UID, GATE_USER } from "./gate-user.ts";
import { type CompiledGate, compileGate } from "./gate-place.ts";
import { type CompiledZone, compileZone } from "./inbound.ts";
import { CUT_COUNTER, cutChains, endedIn, endedOut } from "./cut.ts";
import { MARK_FOREIGN_MASK, markOf, SCOPE_GATE, SCOPE_INBOUND, SCOPE_MASK } from "./mark.ts";
import {
  admittedName,
  admittedRules,
  ownAdmittedRules,
  type ScopeOptions,
  type CompiledScope,
  compileScope,
  olderName,
  tableOf,
} from "./outbound.ts";
import { goTo } from "./place.ts";
import type { Chain, NftObject, Ruleset } from "./ruleset.ts";
import { hex32, name, type Nft, nft, quoted, quotedPath } from "./text.ts";
import { TooManyCells } from "./tier.ts";
import { denialChains, denialTitle } from "./verdict.ts";

export interface CompileOptions extends ScopeOptions {
  /** Interfaces of the scopes by docker network and namespace, when they are known (at apply). */
  readonly interfaces?: ReadonlyMap<string, readonly string[]>;
  /** Path prefix of the cgroup2 tree where nft looks (`unified/` on a hybrid host), when it is known (at apply). */
  readonly cgroupPrefix?: string;
  /** Interfaces with other networks behind them, when they are known (at apply); all others then are guests. */
  readonly networks?: readonly string[];
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
  const parts = compileParts(policy, options);
  if ("diagnostics" in parts) return { ok: false, diagnostics: parts.diagnostics };
  const prefix = `g${options.generation}`;
  return {
    ok: true,
    diagnostics: [],
    ruleset: {
      generation: options.generation,
      objects: unique(objectsOf(policy, options, parts)),
      chains: distinct(chainsOf(policy, options, parts)),
      entry: { prerouting: `${prefix}/prerouting`, output: `${prefix}/output` },
      gated: parts.gate !== null,
    },
  };
}

/** What is judged by itself: zones, scopes, and the gates. */
interface Parts {
  readonly zones: readonly { readonly zone: string; readonly compiled: CompiledZone }[];
  readonly scopes: readonly CompiledScope[];
  readonly gate: (CompiledGate & { readonly uid: number }) | null;
}

function compileParts(
  policy: ResolvedPolicy,
  options: CompileOptions,
): Parts | { readonly diagnostics: readonly Diagnostic[] } {
  const { generation, accounts, networks } = options;
  const table = tableOf(options);
  const zones = [WORLD, ...policy.zones.map((zone) => zone.name)].map((zone) => ({
    zone,
    compiled: compileZone(policy, zone, generation, networks ?? null, table),
  }));
  const scopes: CompiledScope[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const scope of policy.outbound === null ? [] : policy.scopes) {
    const made = compileScope(policy, scope, options);
    if (made.ok) scopes.push(made.compiled);
    else diagnostics.push(made.diagnostic);
  }
  const uid = accounts.uidOf(GATE_USER) ?? GATE_UID;
  const isGated = gatedScopes(policy).length > 0;
  diagnostics.push(...overlappingScopes(scopes, isGated ? uid : null));
  if (diagnostics.length > 0) return { diagnostics };
  const own = ownAdmittedRules(generation, SCOPE_GATE);
  return { zones, scopes, gate: isGated ? { ...compileGate(policy, generation, own, table), uid } : null };
}

function chainsOf(policy: ResolvedPolicy, options: CompileOptions, { zones, scopes, gate }: Parts): Chain[] {
  const { generation, cgroupPrefix = "" } = options;
  const enforced = policy.mode.outbound === "enforce";
  return [
    ...denialChains(generation),
    ...cutChains(generation),
    ...zones.flatMap(({ compiled }) => compiled.chains),
    ...scopes.flatMap((scope) => scope.chains),
    ...(gate?.chains ?? []),
    preroutingChain(policy, generation, zones, scopes, policy.containers === "deny" && enforced),
    outputChain(generation, scopes, gate, {
      silent: isSilent(policy) ? silentRules(scopes, generation, cgroupPrefix) : [],
      byCgroup: [
        ...cgroupRules(scopes, cgroupPrefix),
        ...(enforced ? strayRules(scopes, generation, cgroupPrefix) : []),
      ],
    }),
    unstampedChain(generation),
  ];
}

function objectsOf(
  policy: ResolvedPolicy,
  { generation, interfaces }: CompileOptions,
  { zones, scopes, gate }: Parts,
): NftObject[] {
  const stamps = [SCOPE_INBOUND, ...policy.scopes.map(({ index }) => index)];
  if (gate !== null) stamps.push(SCOPE_GATE);
  const marks = stamps
    .sort((a, b) => a - b)
    .map((scope) => nft`${hex32(markOf(generation, scope))} : accept`);
  return [
    { kind: "admitted", name: admittedName(generation), marks },
    { kind: "admitted", name: olderName(generation), marks: [] },
    CUT_COUNTER,
    ...zones.flatMap(({ compiled }) => compiled.objects),
    ...scopes.flatMap((scope) => [...scope.objects, ...selectorObjects(scope, interfaces)]),
    ...(gate?.objects ?? []),
  ];
}

/** Counters, meters and sets of one rule are shared by the places it applies in. */
function unique(objects: readonly NftObject[]): NftObject[] {
  const found = new Map<string, NftObject>();
  for (const object of objects) {
    const before = found.get(object.name);
    assert(before === undefined || before.kind === object.kind, `two objects are called ${object.name}`);
    found.set(object.name, object);
  }
  return [...found.values()];
}

/** SECURITY: nft appends to a chain that is there already, so two of one name would be one with both's verdicts. */
function distinct(chains: readonly Chain[]): readonly Chain[] {
  assert(new Set(chains.map((chain) => chain.name)).size === chains.length, "two chains have the same name");
  return chains;
}

function selectorObjects(
  { scope, selector }: CompiledScope,
  interfaces: ReadonlyMap<string, readonly string[]> = new Map(),
): NftObject[] {
  if (selector.kind !== "interfaces") return [];
  const about = `interfaces of scope ${scope.name}, filled when applied`;
  return [
    { kind: "interfaces", name: selector.set, about, known: interfaces.get(scope.name) ?? selector.known },
  ];
}

function preroutingChain(
  policy: ResolvedPolicy,
  generation: number,
  zones: readonly { readonly zone: string; readonly compiled: { readonly entry: string } }[],
  scopes: readonly CompiledScope[],
  containersDenied: boolean,
): Chain {
  const entryOf = new Map(zones.map(({ zone, compiled }) => [zone, compiled.entry]));
  const byInterface = scopes.filter(({ selector }) => selector.kind === "interfaces");
  const answers = nft`ct direction reply ct state established,related accept comment "host.established: began inside"`;
  const rules: Nft[] = [nft`iifname "lo" accept comment "host.loopback"`];
  // What a scope sends is judged by the scope's own stamp, so it is asked before anybody else's counts.
  if (byInterface.length > 0)
    rules.push(endedIn(generation), ...silentNetworks(policy, byInterface, generation), answers);
  for (const { selector, entry } of byInterface) {
    if (selector.kind !== "interfaces") continue;
    rules.push(
      nft`iifname @${name(selector.set)} icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, mld-listener-report, mld-listener-done, mld2-listener-report } accept`,
    );
    rules.push(nft`iifname @${name(selector.set)} ${goTo(entry)}`);
  }
  rules.push(
    ...admittedRules(generation),
    ...(byInterface.length > 0 ? [] : [endedIn(generation), answers]),
    nft`ct state related meta l4proto { icmp, ipv6-icmp } accept comment "host.pmtu"`,
  );
  for (const zone of policy.zones) {
    for (const one of zone.interfaces) {
      rules.push(nft`iifname ${quoted(one)} ${goTo(entryOf.get(zone.name) ?? "")}`);
    }
  }
  const refuse = goTo(denialTitle(generation, "refuse"));
  if (containersDenied && byInterface.some(({ scope }) => scope.target.kind === "docker")) {
    rules.push(nft`iifname "docker*" ${refuse} comment "containers that no scope names"`);
    rules.push(nft`iifname "br-*" ${refuse} comment "containers that no scope names"`);
  }
  // Not judged, but stamped: a login over the tailnet can then confirm a change.
  rules.push(
    nft`iifname "tailscale*" ct state new ct mark set ct mark and ${hex32(MARK_FOREIGN_MASK)} or ${hex32(markOf(generation, SCOPE_INBOUND))}`,
  );
  for (const inner of INNER_INTERFACES) if (inner !== "lo") rules.push(nft`iifname ${quoted(inner)} accept`);
  rules.push(goTo(entryOf.get(WORLD) ?? ""));
  return { name: `g${generation}/prerouting`, about: "what enters: by where it enters", rules };
}

function outputChain(
  generation: number,
  scopes: readonly CompiledScope[],
  gate: { readonly uid: number; readonly entry: string } | null,
  { silent, byCgroup }: { readonly silent: readonly Nft[]; readonly byCgroup: readonly Nft[] },
): Chain {
  const uids = scopes.flatMap(({ selector, entry }) =>
    selector.kind === "uids"
      ? selector.ranges.map(
          ({ first, last }) =>
            nft`${first === last ? nft`${first}` : nft`${first}-${last}`} : ${goTo(entry)}`,
        )
      : [],
  );
  const marks = scopes
    .filter(({ selector }) => selector.kind !== "interfaces")
    .map(({ scope, entry }) => nft`${hex32((scope.index << 24) >>> 0)} : ${goTo(entry)}`);
  if (gate !== null) {
    uids.push(nft`${gate.uid} : ${goTo(gate.entry)}`);
    marks.push(nft`${hex32((SCOPE_GATE << 24) >>> 0)} : ${goTo(gate.entry)}`);
  }
  const answers = nft`ct direction reply accept comment "answers: judged where they came in"`;
  const rules = [endedOut(generation), ...silent, answers];
  rules.push(...byCgroup);
  if (uids.length > 0) rules.push(nft`meta skuid vmap { ${uids} }`);
  if (marks.length > 0) rules.push(nft`ct mark and ${hex32(SCOPE_MASK)} vmap { ${marks} }`);
  return { name: `g${generation}/output`, about: "what leaves: by who sends it", rules };
}

function isSilent({ isSilent: wanted = false, mode }: ResolvedPolicy): boolean {
  return wanted && mode.outbound === "enforce";
}

/**
 * SECURITY: in a panic a scope answers nobody, on no port and over no interface: an answer says as much as a question.
 * What root's SSH has accepted is root's socket, also where a scope's user is logged in.
 */
function silentRules(scopes: readonly CompiledScope[], generation: number, prefix: string): Nft[] {
  const refuse = goTo(denialTitle(generation, "refuse"));
  return scopes.flatMap(({ selector }) => {
    switch (selector.kind) {
      case "uids":
        return selector.ranges.map(
          ({ first, last }) =>
            nft`ct direction reply meta skuid ${first === last ? nft`${first}` : nft`${first}-${last}`} ${refuse}`,
        );
      case "cgroup":
        return [
          nft`ct direction reply socket cgroupv2 level ${selector.level} ${quotedPath(`${prefix}${selector.path}`)} ${refuse}`,
        ];
      case "interfaces":
        return [];
    }
  });
}

/** The same for scopes by network: what they send enters here. */
function silentNetworks(policy: ResolvedPolicy, scopes: readonly CompiledScope[], generation: number): Nft[] {
  if (!isSilent(policy)) return [];
  return scopes.flatMap(({ selector }) =>
    selector.kind === "interfaces"
      ? [nft`iifname @${name(selector.set)} ct direction reply ${goTo(denialTitle(generation, "refuse"))}`]
      : [],
  );
}

/** A unit is more specific than its user, so these are asked first. */
function cgroupRules(scopes: readonly CompiledScope[], prefix: string): Nft[] {
  return scopes.flatMap(({ selector, entry }) =>
    selector.kind === "cgroup"
      ? [
          nft`socket cgroupv2 level ${selector.level} ${quotedPath(`${prefix}${selector.path}`)} ${goTo(entry)}`,
        ]
      : [],
  );
}

/**
 * SECURITY: a rule keeps the number of a cgroup, not its name. Whoever is below our parent slice and in no slice
 * that the rules know (it was made anew) belongs to an agent, and is refused.
 */
function strayRules(scopes: readonly CompiledScope[], generation: number, prefix: string): Nft[] {
  if (!scopes.some(({ selector }) => selector.kind === "cgroup" && selector.isSlice)) return [];
  const refuse = goTo(denialTitle(generation, "refuse"));
  return [nft`socket cgroupv2 level 1 ${quotedPath(`${prefix}${PARENT_SLICE}`)} ${refuse}`];
}

/**
 * Connections that began before the first apply have no stamp. Until it is confirmed they pass, also those that
 * conntrack meets in mid-stream: no connection can be opened without a SYN.
 */
function unstampedChain(generation: number): Chain {
  return {
    name: `g${generation}/unstamped`,
    about: "connections from before the first apply, until it is confirmed",
    rules: [
      nft`ct state established accept`,
      nft`meta l4proto tcp tcp flags and (fin | syn | rst | ack) != syn accept`,
    ],
  };
}

/** Whose a packet is must be certain: no uid belongs to two scopes. */
function overlappingScopes(scopes: readonly CompiledScope[], gateUid: number | null): Diagnostic[] {
  const gate = gateUid === null ? [] : [{ first: gateUid, last: gateUid, scope: GATE_PLACE }];
  const ranges = scopes
    .flatMap(({ scope, selector }) =>
      selector.kind === "uids" ? selector.ranges.map((range) => ({ ...range, scope: scope.name })) : [],
    )
    .concat(gate)
    .sort((a, b) => a.first - b.first);
  let widest = ranges[0];
  return ranges.flatMap((range) => {
    const before = widest;
    if (widest === undefined || range.last > widest.last) widest = range;
    if (before === undefined || before.last < range.first || before.scope === range.scope) return [];
    return [
      {
        code: "compile/overlapping-scopes",
        severity: "error",
        message: `scopes \`${before.scope}\` and \`${range.scope}\` both hold uid ${range.first}`,
        help: "give each agent a user of its own, with subordinate uids of its own",
        span: FILE_START,
      },
    ];
  });
}

function tooManyCells(tier: string): Diagnostic {
  return {
    code: "compile/too-many-cells",
    severity: "error",
    message: `the ranges of the ${tier} cross each other too often for one kernel map`,
    help: "give rules with wide port ranges fewer, larger sources, or name the sources as one set",
    span: FILE_START,
  };
}
