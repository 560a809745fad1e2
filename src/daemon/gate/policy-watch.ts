/** Which policies the kernel judges by at this moment, with their meaning. */
import { policyAsHeld } from "../../apply/held-policy.ts";
import { parseSeal } from "../../apply/seal.ts";
import { entryOf } from "../../apply/sealed-entry.ts";
import { needsDaemon } from "../../core/policy/gated.ts";
import type { ResolvedPolicy } from "../../core/policy/resolved.ts";
import type { LiveState } from "../../edge/kernel/live.ts";
import { readHistoryEntry } from "../../edge/state/history-entry.ts";

export interface KnownPolicy {
  /** Of the history. */
  readonly id: number;
  readonly generation: number;
  /** Whether the kernel holds it without what ends by the clock; `policy` is then without it, too. */
  readonly held: boolean;
  readonly policy: ResolvedPolicy;
}

export interface PoliciesInForce {
  readonly committed: KnownPolicy | null;
  readonly candidate: (KnownPolicy & { readonly leftMs: number }) | null;
  /** Loaded, and about to be put in force. */
  readonly coming: KnownPolicy | null;
}

/** Returns the policies that need the daemon; one without names and containers is as good as none here. */
export function policiesInForce(
  state: string,
  live: LiveState | null,
  comingId: number | null,
): PoliciesInForce {
  const known = (generation: number | null): KnownPolicy | null => {
    if (live === null || generation === null) return null;
    const entry = entryOf(state, live, generation);
    const held = parseSeal(live.seals.get(generation) ?? "")?.held ?? false;
    return entry === undefined ? null : read(state, entry.id, generation, held);
  };
  const candidate = live?.leaseMs == null ? null : known(live.candidate);
  return {
    committed: known(live?.committed ?? null),
    candidate: candidate === null ? null : { ...candidate, leftMs: live?.leaseMs ?? 0 },
    coming: comingId === null ? null : comingPolicy(state, live, comingId),
  };
}

function comingPolicy(state: string, live: LiveState | null, id: number): KnownPolicy | null {
  const entry = readHistoryEntry(state, id);
  if (entry === undefined) return null;
  const seal = parseSeal(live?.seals.get(entry.generation) ?? "");
  return read(state, id, entry.generation, seal?.id === id && seal.held);
}

function read(state: string, id: number, generation: number, held: boolean): KnownPolicy | null {
  const policy = policyAsHeld(state, id, held);
  return policy === null || !needsDaemon(policy) ? null : { id, generation, held, policy };
}

/** Returns every policy whose sets are in the kernel, each once. */
export function allOf({ committed, candidate, coming }: PoliciesInForce): KnownPolicy[] {
  const found = [committed, candidate, coming].filter((one) => one !== null);
  return found.filter((one, at) => found.findIndex(({ id }) => id === one.id) === at);
}

/** Whether two states ask for the same; how long a candidate still has does not count. */
export function isSame(left: PoliciesInForce, right: PoliciesInForce): boolean {
  const key = ({ committed, candidate, coming }: PoliciesInForce): string =>
    [committed, candidate, coming].map((one) => `${one?.id}.${one?.generation}.${one?.held}`).join();
  return key(left) === key(right);
}
