/** Which policy the kernel judges by at this moment, with its meaning: never what a file says. */
import type { ResolvedPolicy } from "../core/policy/resolved.ts";
import { type LiveState, readLive } from "../edge/kernel/live.ts";
import { readBoot } from "../edge/state/boot-file.ts";
import type { Folders } from "../edge/state/folder.ts";
import { readResolvedPolicy } from "../edge/state/resolved-policy.ts";
import { conditionOf } from "./expected.ts";
import { asHeld } from "./held-policy.ts";
import { readLandmark } from "./landmark.ts";
import { parseSeal, type PolicyKind } from "./seal.ts";
import { entryOf } from "./sealed-entry.ts";

export type InForce =
  /** `off`: nothing of ours judges. `rescued`: only the guards of `seawall rescue` do. */
  | { readonly kind: "off" | "rescued" }
  /** Something of ours is there, and what it does cannot be told. */
  | { readonly kind: "unknown"; readonly history: number | null; readonly said: string }
  | Judging;

export interface Judging {
  readonly kind: "judging";
  /** The number of its entry in the history. */
  readonly history: number;
  /** As the kernel has it: without what is held back. */
  readonly policy: ResolvedPolicy;
  /** As it was applied. */
  readonly whole: ResolvedPolicy;
  /** The file that it was read from. */
  readonly path: string;
  readonly reason: PolicyKind;
  /** What is left of the lease by which it judges (a trial or a pause); null when it holds for good. */
  readonly leftMs: number | null;
  /** What judges when the lease is over; null for nothing of ours. */
  readonly before: number | null;
  /** What is allowed only until a time is left out until the clock is known to be right. */
  readonly held: boolean;
}

/** Asks the kernel. Refuses where it may not be asked. */
export function readInForce(folders: Folders): InForce {
  const live = readLive();
  const condition = conditionOf(live, readLandmark(folders), readBoot(folders.state) !== null);
  if (condition.kind === "rescued") return { kind: "rescued" };
  const generation = live === null ? null : judgingGeneration(live);
  const history = live === null || generation === null ? null : (sealOf(live, generation)?.id ?? null);
  if (condition.kind === "broken") return { kind: "unknown", history, said: condition.said };
  if (live === null || generation === null) return { kind: "off" };
  return judging(folders.state, live, generation);
}

/** Returns the generation that judges now: the candidate as long as its lease holds, else the committed one. */
export function judgingGeneration(live: LiveState): number | null {
  return live.leaseMs === null ? live.committed : live.candidate;
}

function judging(state: string, live: LiveState, generation: number): InForce {
  const seal = sealOf(live, generation);
  const history = seal?.id ?? null;
  const entry = entryOf(state, live, generation);
  const policy = entry === undefined ? null : readResolvedPolicy(state, entry.id);
  if (seal === undefined || entry === undefined || policy === null) {
    const said = `what policy ${history ?? "?"} of the history means is not kept; the kernel has its rules`;
    return { kind: "unknown", history, said };
  }
  return {
    kind: "judging",
    history: seal.id,
    whole: policy,
    policy: asHeld(policy, seal.held),
    path: entry.policyPath,
    reason: seal.kind,
    leftMs: live.leaseMs,
    before: live.committed === null ? null : (sealOf(live, live.committed)?.id ?? null),
    held: seal.held,
  };
}

function sealOf(live: LiveState, generation: number): ReturnType<typeof parseSeal> {
  return parseSeal(live.seals.get(generation) ?? "");
}
