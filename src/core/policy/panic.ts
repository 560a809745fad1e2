/** The policy of a panic: the agents reach nothing, and nothing but SSH comes in. */
import { EMPTY_SET, isEmptySet, unionSets } from "../net/prefix-set.ts";
import { precedence } from "./resolve.ts";
import type { ResolvedInboundRule, ResolvedPolicy, ServiceMatch } from "./resolved.ts";
import { admitsAnybody, everyAddressOf, intersectSets, type SshWay } from "./ssh-way.ts";

/** The rules that stand for SSH where the policy lets nobody in for good begin with it. */
const PANIC_SSH = "panic.ssh";

/** Whether a rule is one of a panic itself, and of no file. */
export function isPanicRule(id: string): boolean {
  return id === PANIC_SSH || id.startsWith(`${PANIC_SSH}.`);
}

/** A port of SSH and the families over which it may be let in. */
export interface PanicWay extends SshWay {
  /** Over which it takes logins now; where over none, it may after the next start. */
  readonly listens: SshWay["families"];
}

/**
 * Returns what is left of a policy in a panic. Scopes and guards stay and answer nobody; every accepted risk is off.
 * SSH stays as the policy has it; where that lets nobody in for good to where SSH listens, everybody may ask it: a panic
 * must not lock the owner out. `ways`: where that is; what else listens there is not let in.
 */
export function panicPolicy(policy: ResolvedPolicy, ways: readonly PanicWay[]): ResolvedPolicy {
  const denied = policy.inbound
    .filter(({ action }) => action === "deny")
    .map((rule): ResolvedInboundRule => ({ ...rule, mode: "enforce" }));
  const judged = policy.mode.inbound === "enforce";
  const kept = judged ? policy.inbound.flatMap((rule) => sshOnly(rule, ways)) : [];
  const ruled = [...(judged ? denied : []), ...kept];
  const silent: ResolvedPolicy = {
    ...policy,
    mode: { inbound: "enforce", outbound: "enforce" },
    guards: policy.guards.map((guard) => ({ ...guard, liftedUntilMs: null })),
    inbound: ruled,
    outbound: [],
    isSilent: true,
  };
  const listening = ways.filter(({ listens }) => listens.length > 0);
  const now = listening.map(({ port, listens }): SshWay => ({ port, families: listens }));
  const isKept = admitsAnybody(silent, now.length > 0 ? now : ways, NEVER_MS);
  const inbound = isKept ? ruled : [...ruled, ...everybody(listening.length > 0 ? listening : ways)];
  return { ...silent, inbound: precedence(inbound, (rule) => rule.rate !== null) };
}

/** What is kept has no end. */
const NEVER_MS = 0;

/** The ports of both families, and those of one family alone, each with what its rule is called by. */
function byFamilies(
  ways: readonly SshWay[],
): { readonly suffix: string; readonly ways: readonly SshWay[] }[] {
  const of = (wanted: readonly number[]): readonly SshWay[] =>
    ways.filter(
      ({ families }) =>
        families.length === wanted.length && wanted.every((one) => families.some((own) => own === one)),
    );
  return [
    { suffix: "", ways: of([4, 6]) },
    { suffix: ".4", ways: of([4]) },
    { suffix: ".6", ways: of([6]) },
  ].filter((group) => group.ways.length > 0);
}

function sshOnly(rule: ResolvedInboundRule, ways: readonly SshWay[]): ResolvedInboundRule[] {
  if (rule.action !== "allow" || rule.mode !== "enforce" || rule.expiresMs !== null) return [];
  const allowed = ways.filter(({ port }) =>
    rule.services.some(
      ({ protocol, ports }) => protocol !== "udp" && ports.first <= port && port <= ports.last,
    ),
  );
  return byFamilies(allowed).flatMap(({ suffix, ways: some }) => {
    const services = sshServices(some);
    if (suffix === "") return [{ ...rule, services }];
    const family = everyAddressOf(some[0]?.families ?? []);
    const from = intersectSets(rule.from, family);
    // A zone admits every source: what it excepts then is the other family, too.
    const isWhole = rule.fromZones.length > 0;
    if (isEmptySet(from) && !isWhole) return [];
    const others = everyAddressOf(suffix === ".4" ? [6] : [4]);
    const except = isWhole ? unionSets([rule.except, others]) : rule.except;
    return [{ ...rule, id: `${rule.id}${suffix}`, services, from, except }];
  });
}

function everybody(ways: readonly SshWay[]): ResolvedInboundRule[] {
  return byFamilies(ways).map(({ suffix, ways: some }) => ({
    id: `${PANIC_SSH}${suffix}`,
    action: "allow",
    why: "the owner's way in during a panic",
    owner: null,
    expiresMs: null,
    mode: "enforce",
    denial: "refuse",
    large: false,
    line: 1,
    file: null,
    services: sshServices(some),
    from: everyAddressOf(some[0]?.families ?? []),
    fromZones: [],
    except: EMPTY_SET,
    exceptZones: [],
    rate: null,
  }));
}

function sshServices(ways: readonly SshWay[]): ServiceMatch[] {
  return ways.map(({ port }) => ({ protocol: "tcp", ports: { first: port, last: port } }));
}
