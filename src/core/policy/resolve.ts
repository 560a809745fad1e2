/**
 * PolicyDocument in, ResolvedPolicy out: every name becomes what it stands for, every rule learns its mode and
 * denial, tiers get their order. Nothing is read here; sets that live in files are handed in.
 */
import type { Diagnostic, Span } from "../base/diagnostic.ts";
import type { NamePattern } from "../net/hostname.ts";
import { EVERY_PORT } from "../net/port-range.ts";
import {
  EMPTY_SET,
  EVERY_ADDRESS,
  intervalCount,
  type PrefixSet,
  prefixSetOf,
  subtractSet,
  unionSets,
} from "../net/prefix-set.ts";
import type { InboundRule, OutboundRule, PolicyDocument, ScopeEntry, SourceTerm } from "./document.ts";
import { resolveGuards } from "./guard.ts";
import { presetPatterns } from "./preset/preset.ts";
import { WORLD } from "./zone-word.ts";
import type {
  ResolvedInboundRule,
  ResolvedOutboundRule,
  ResolvedPolicy,
  ResolvedScope,
  ServiceMatch,
} from "./resolved.ts";

// LIMIT: four bits of the connection mark hold the scope; 0 is inbound, 14 the gate, 15 what is judged again.
export const SCOPES_MAX = 13;
/** A rule over more intervals than this is asked by a set of its own instead of its tier's map. */
export const SMALL_RULE_INTERVALS_MAX = 256;
export const DEFAULT_SCOPE = "agent";

export interface ResolveInputs {
  /** Contents of the sets that the document keeps in files, by set name. */
  readonly fileSets: ReadonlyMap<string, PrefixSet>;
}

export interface Resolution {
  readonly policy: ResolvedPolicy;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Returns the one meaning of a document and what is wrong with its references. With an error among the
 * diagnostics the policy must not be used.
 */
export function resolvePolicy(
  document: PolicyDocument,
  inputs: ResolveInputs = { fileSets: new Map() },
): Resolution {
  const diagnostics: Diagnostic[] = [];
  const context: Context = {
    document,
    diagnostics,
    sets: new Map(
      document.sets.map((entry) => [
        entry.name,
        entry.file === null ? prefixSetOf(entry.prefixes) : (inputs.fileSets.get(entry.name) ?? EMPTY_SET),
      ]),
    ),
    zones: new Set([WORLD, ...document.zones.map((zone) => zone.name)]),
    world: worldZones(document),
  };
  const inbound = document.inbound.map((rule) => resolveInbound(context, rule));
  const outbound = document.outbound?.map((rule) => resolveOutbound(context, rule)) ?? null;
  return {
    diagnostics,
    policy: {
      mode: document.mode,
      denial: { inbound: document.defaults.inbound, outbound: document.defaults.outbound },
      containers: document.defaults.containers,
      guards: resolveGuards(document.acceptRisk, context.world),
      inbound: precedence(inbound, (rule) => rule.rate !== null),
      outbound: outbound === null ? null : precedence(outbound, () => false),
      scopes: resolveScopes(context, document.outbound !== null),
      zones: document.zones.map(({ name, interfaces }) => ({ name, interfaces })),
    },
  };
}

interface Context {
  readonly document: PolicyDocument;
  readonly diagnostics: Diagnostic[];
  readonly sets: ReadonlyMap<string, PrefixSet>;
  readonly zones: ReadonlySet<string>;
  readonly world: readonly string[];
}

/**
 * Returns the zones that are the world. SECURITY: a zone that a drop-in declares stays part of it, so that a
 * drop-in cannot move an interface to where guards, assertions and rules about `world` do not look.
 */
export function worldZones(document: PolicyDocument): string[] {
  return [WORLD, ...document.zones.flatMap(({ name, span }) => (span.file === undefined ? [] : [name]))];
}

/**
 * Orders the rules of one direction: which rule decides among several of the same tier must be the same in
 * `evaluate` and in the kernel, which asks in three layers (every port, some ports, large sets). In a layer
 * unconditional rules come first (a rate or an expiry then does not matter where another rule admits anyway),
 * otherwise the file's order.
 */
export function precedence<Rule extends ResolvedInboundRule | ResolvedOutboundRule>(
  rules: readonly Rule[],
  isRated: (rule: Rule) => boolean,
): Rule[] {
  const rank = (rule: Rule): number => {
    const conditional = rule.action === "allow" && (isRated(rule) || rule.expiresMs !== null);
    return layerOf(rule) * 2 + (conditional ? 1 : 0);
  };
  return rules
    .map((rule, index) => ({ rule, index, rank: rank(rule) }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map((entry) => entry.rule);
}

function layerOf({ large, services }: ResolvedInboundRule | ResolvedOutboundRule): 0 | 1 | 2 {
  if (large) return 2;
  return services.some(({ protocol }) => protocol === "every") ? 0 : 1;
}

function isLarge(set: PrefixSet): boolean {
  return intervalCount(set) > SMALL_RULE_INTERVALS_MAX;
}

function resolveInbound(context: Context, rule: InboundRule): ResolvedInboundRule {
  const except = resolveSources(context, rule.except);
  const from = resolveSources(context, rule.from);
  return {
    ...sharedFields(context, rule, "inbound"),
    large: isLarge(from.set) || isLarge(except.set),
    services: rule.services,
    from: subtractSet(from.set, except.set),
    fromZones: from.zones,
    except: except.set,
    exceptZones: except.zones,
    rate: rule.rate,
  };
}

function resolveSources(context: Context, terms: readonly SourceTerm[]): { set: PrefixSet; zones: string[] } {
  const sets: PrefixSet[] = [];
  const zones: string[] = [];
  for (const term of terms) {
    switch (term.kind) {
      case "any":
        sets.push(EVERY_ADDRESS);
        break;
      case "prefix":
        sets.push(prefixSetOf([term.prefix]));
        break;
      case "country":
        // Country data is not loaded in this version; apply refuses, so an empty set never takes effect.
        break;
      case "word": {
        const set = context.sets.get(term.ref.name);
        if (set !== undefined) sets.push(set);
        else if (term.ref.name === WORLD) zones.push(...context.world);
        else if (context.zones.has(term.ref.name)) zones.push(term.ref.name);
        else unknown(context, "set or zone", term.ref.name, term.ref.span);
      }
    }
  }
  return { set: sets.length === 0 ? EMPTY_SET : unionSets(sets), zones };
}

function resolveOutbound(context: Context, rule: OutboundRule): ResolvedOutboundRule {
  const sets: PrefixSet[] = [];
  const names: NamePattern[] = [];
  const containers: string[] = [];
  let publicWeb = false;
  for (const term of rule.to) {
    switch (term.kind) {
      case "name":
        names.push(term.pattern);
        break;
      case "prefix":
        sets.push(prefixSetOf([term.prefix]));
        break;
      case "set": {
        const set = context.sets.get(term.ref.name);
        if (set === undefined) unknown(context, "set", term.ref.name, term.ref.span);
        else sets.push(set);
        break;
      }
      case "preset": {
        const patterns = presetPatterns(term.ref.name);
        if (patterns === undefined) unknown(context, "preset", term.ref.name, term.ref.span);
        else names.push(...patterns);
        break;
      }
      case "container":
        containers.push(term.ref.name);
        break;
      case "public-web":
        publicWeb = true;
        break;
      case "country":
    }
  }
  const to = sets.length === 0 ? EMPTY_SET : unionSets(sets);
  return {
    ...sharedFields(context, rule, "outbound"),
    large: isLarge(to),
    services: outboundServices(rule),
    names,
    to,
    containers,
    publicWeb,
    scopes: rule.scopes.map((scope) => scope.name),
    private: rule.private,
  };
}

/** An allow without `port` means tcp/443; a deny without `port` means every port and protocol. */
function outboundServices(rule: OutboundRule): ServiceMatch[] {
  if (rule.ports === null && rule.action === "deny" && rule.protocol === null) {
    return [{ protocol: "every", ports: EVERY_PORT }];
  }
  const protocol = rule.protocol ?? (rule.action === "deny" ? "both" : "tcp");
  const ports = rule.ports ?? (rule.action === "deny" ? [EVERY_PORT] : [{ first: 443, last: 443 }]);
  return ports.map((range) => ({ protocol, ports: range }));
}

function sharedFields(context: Context, rule: InboundRule | OutboundRule, direction: "inbound" | "outbound") {
  const { mode, defaults } = context.document;
  return {
    id: rule.id,
    action: rule.action,
    why: rule.why,
    owner: rule.owner,
    expiresMs: rule.expiresMs,
    mode: rule.mode ?? mode[direction],
    denial: rule.denial ?? defaults[direction],
    line: rule.span.line,
    file: rule.span.file ?? null,
  };
}

/** Who `agent` is when the file does not say; not when it calls the same user by another name. */
const DEFAULT_TARGET = { kind: "user", user: "openclaw" } as const;

function needsDefaultScope({ scopes, outbound }: PolicyDocument): boolean {
  if (scopes.some(({ name }) => name === DEFAULT_SCOPE)) return false;
  const named = outbound?.some((rule) => rule.scopes.some(({ name }) => name === DEFAULT_SCOPE)) === true;
  const renamed = scopes.some(({ target }) => target.kind === "user" && target.user === DEFAULT_TARGET.user);
  return named || !renamed;
}

function resolveScopes(context: Context, judged: boolean): ResolvedScope[] {
  const entries: ScopeEntry[] = [...context.document.scopes];
  if (judged && needsDefaultScope(context.document)) {
    const span = { line: 1, column: 1, length: 1 };
    entries.unshift({ name: DEFAULT_SCOPE, target: DEFAULT_TARGET, span });
  }
  if (entries.length > SCOPES_MAX) {
    const extra = entries[SCOPES_MAX];
    context.diagnostics.push({
      code: "policy/too-many-scopes",
      severity: "error",
      message: `${entries.length} scopes, at most ${SCOPES_MAX} fit into the connection mark`,
      help: "put tenants into policies and namespaces of their own",
      span: extra?.span ?? { line: 1, column: 1, length: 1 },
    });
  }
  return entries.map(({ name, target }, at) => ({ name, target, index: at + 1 }));
}

function unknown(context: Context, kind: string, name: string, span: Span): void {
  context.diagnostics.push({
    code: `policy/unknown-${kind.split(" ")[0] ?? kind}`,
    severity: "error",
    message: `unknown ${kind} \`${name}\``,
    help: null,
    span,
  });
}
