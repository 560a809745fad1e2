/** Stops enforcing outbound for a while. The kernel resumes by itself: a pause is a candidate that nobody may confirm. */
import { SeawallError } from "../core/base/error.ts";
import { changeWords } from "../core/policy/change-summary.ts";
import type { ResolvedPolicy } from "../core/policy/resolved.ts";
import { uplinkInterfaces } from "../edge/host/route.ts";
import { type LiveState, readLive } from "../edge/kernel/live.ts";
import type { Folders } from "../edge/state/folder.ts";
import { readPolicyOf } from "../edge/state/history.ts";
import { readResolvedPolicy } from "../edge/state/resolved-policy.ts";
import { compileNext, loadCandidate, machineOptions } from "./candidate.ts";
import { isWaiting, withdraw } from "./confirm.ts";
import { followKernel } from "./gate.ts";
import { writeLandmark } from "./landmark.ts";
import { isPanic, refusePanic } from "./panic.ts";
import { parseSeal } from "./seal.ts";
import { entryOf } from "./sealed-entry.ts";
import { settleOver } from "./settle.ts";

/** LIMIT: a pause that is longer is a policy in observe, with a name and a reason. */
export const PAUSE_MS_MAX = 8 * 3_600_000;
export const PAUSE_MS_MIN = 10_000;

/** Returns until when (Unix ms) outbound is only watched. Refuses where nothing enforced is in force. */
export async function pause(
  folders: Folders,
  pauseMs: number,
  by: string,
  nowMs: () => number,
): Promise<{ readonly untilMs: number; readonly change: string; readonly trouble: string | null }> {
  const live = settleOver(folders, readLive());
  if (isPanic(live)) refusePanic(folders.state, live, "stay");
  const entry = live?.committed == null ? undefined : entryOf(folders.state, live, live.committed);
  const policy = entry === undefined ? null : readResolvedPolicy(folders.state, entry.id);
  if (live === null || entry === undefined || policy === null || policy.mode.outbound === "observe") {
    throw new SeawallError(
      "SEAWALL_NOTHING_PENDING",
      "nothing outbound is enforced, so there is nothing to pause",
      {
        still: "nothing was changed",
        help: "seawall status",
      },
    );
  }
  const watched = watchedPolicy(policy);
  const options = machineOptions(watched, uplinkInterfaces());
  const compiled = compileNext(watched, live, options);
  if (!compiled.ok) {
    throw new SeawallError("SEAWALL_POLICY", compiled.diagnostics[0]?.message ?? "it cannot be expressed", {
      still: "nothing was changed",
    });
  }
  const texts = readPolicyOf(folders.state, entry);
  const proposed = {
    ...texts,
    policy: watched,
    path: entry.policyPath,
    by,
    kind: "pause" as const,
    sameScopesAs: entry,
    folders,
    leaseMs: pauseMs,
    nowMs,
  };
  await loadCandidate(proposed, compiled.ruleset, live, options);
  const change = changeWords(policy, watched);
  return { untilMs: nowMs() + pauseMs, change, trouble: writeLandmark(folders) };
}

/** Ends a pause now. Refuses when there is none. */
export async function endPause(folders: Folders): Promise<void> {
  if (!isPause(readLive())) {
    throw new SeawallError("SEAWALL_NOTHING_PENDING", "there is no pause to end", { help: "seawall status" });
  }
  withdraw(folders);
  await followKernel(folders.run);
}

/** Whether the candidate that judges is a pause. */
export function isPause(live: LiveState | null): boolean {
  if (live === null || !isWaiting(live) || live.candidate === null) return false;
  return parseSeal(live.seals.get(live.candidate) ?? "")?.kind === "pause";
}

/** Inbound and guards stay what they are. */
function watchedPolicy(policy: ResolvedPolicy): ResolvedPolicy {
  return {
    ...policy,
    mode: { ...policy.mode, outbound: "observe" },
    outbound: policy.outbound?.map((rule) => ({ ...rule, mode: "observe" as const })) ?? null,
  };
}
