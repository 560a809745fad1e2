/** Pins that the kernel did not take, by the set that they were for. */
import { type PinSets, pinSets } from "../../core/compile/nftables/gate.ts";
import type { GateTrouble } from "../../core/gate/trouble.ts";
import { allowsOf, decidesByName } from "../../core/policy/gated.ts";
import type { ResolvedPolicy } from "../../core/policy/resolved.ts";

export interface PinTroubles {
  readonly failed: (set: string, errno: string, nowMs: number) => void;
  readonly worked: (set: string) => void;
  /** `live`: the sets that the kernel has, or null when nobody has looked. */
  readonly all: (
    policies: readonly ResolvedPolicy[],
    live: ReadonlySet<string> | null,
    nowMs: number,
  ) => GateTrouble[];
}

interface Failed {
  readonly errno: string;
  readonly count: number;
  readonly lastMs: number;
  /** Whether the last pin for this set was taken. */
  readonly isOver: boolean;
}

/** How long a failed pin is trouble after others were taken: of a full set some succeed all the time. */
const FLAPPING_MS = 60_000;
/** LIMIT: sets remembered; a policy has a few for each rule. */
const SETS_MAX = 16_384;

/** Returns a book in which no pin has failed. */
export function createPinTroubles(): PinTroubles {
  const sets = new Map<string, Failed>();
  return {
    failed: (set, errno, nowMs) => {
      const count = (sets.get(set)?.count ?? 0) + 1;
      if (sets.size < SETS_MAX || sets.has(set))
        sets.set(set, { errno, count, lastMs: nowMs, isOver: false });
    },
    worked: (set) => {
      const known = sets.get(set);
      if (known === undefined) return;
      if (known.errno === MISSING) sets.delete(set);
      else sets.set(set, { ...known, isOver: true });
    },
    all: (policies, live, nowMs) => {
      for (const [set, { isOver, lastMs }] of sets)
        if (isOver && Math.abs(nowMs - lastMs) > FLAPPING_MS) sets.delete(set);
      const scopes = scopesBySet(policies);
      for (const set of sets.keys()) if (!scopes.has(set)) sets.delete(set);
      return [...scopes].flatMap(([set, scope]) => troubleOf(scope, set, sets.get(set), live) ?? []);
    },
  };
}

const MISSING = "ENOENT";
/** Of a set that has as many elements as it may (nf_tables), and of a kernel without memory for more. */
const FULL = new Set(["ENFILE", "ENOSPC", "ENOMEM"]);

function troubleOf(
  scope: string,
  set: string,
  failed: Failed | undefined,
  live: ReadonlySet<string> | null,
): GateTrouble | null {
  const isMissing = live !== null && !live.has(set);
  if (failed === undefined && !isMissing) return null;
  // It was put back meanwhile: what is asked for next finds it.
  if (failed?.errno === MISSING && live !== null && !isMissing) return null;
  const count = failed === undefined ? "" : `${failed.count} pins failed: `;
  const trouble = { kind: "pins", scope, stops: true } as const;
  if (isMissing || failed?.errno === MISSING)
    return { ...trouble, said: `${count}the kernel has no set ${set}`, help: "seawall apply" };
  const errno = failed?.errno ?? "";
  if (FULL.has(errno)) {
    const said = `${count}the kernel's set ${set} takes no more addresses (${errno})`;
    return { ...trouble, said, help: "pins end by themselves; a narrower wildcard needs fewer" };
  }
  return {
    ...trouble,
    said: `${count}the kernel refuses them in set ${set} (${errno})`,
    help: "seawall apply",
  };
}

/** Returns the sets in which something may be pinned, with their scope. */
function scopesBySet(policies: readonly ResolvedPolicy[]): Map<string, string> {
  return new Map(policies.flatMap((policy) => [...setsByPolicy(policy)]));
}

/** Names of sets are hashes over every rule, and this is asked every second. */
const setsKnown = new WeakMap<ResolvedPolicy, ReadonlyMap<string, string>>();

function setsByPolicy(policy: ResolvedPolicy): ReadonlyMap<string, string> {
  const before = setsKnown.get(policy);
  if (before !== undefined) return before;
  const scopes = policy.outbound === null ? [] : policy.scopes;
  const found = new Map(
    scopes.flatMap(({ name }) =>
      setsOf(policy, name, pinSets(policy, name)).map((set): [string, string] => [set, name]),
    ),
  );
  setsKnown.set(policy, found);
  return found;
}

/** Where nothing is listed (all of it waits for the clock) nothing is pinned for the web ports either. */
function setsOf(policy: ResolvedPolicy, scope: string, { web, direct, containers }: PinSets): string[] {
  const isListed = allowsOf(policy, scope).some(decidesByName);
  const usesWeb = isListed && policy.mode.outbound === "enforce";
  const pairs = [...(usesWeb ? [web] : []), ...direct.values(), ...containers.values()];
  return pairs.flatMap((pair) => [pair[4], pair[6]]);
}
