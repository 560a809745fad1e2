/** What is in force, told by the kernel; our own files only give it names. Light: this runs on every prompt. */
import { type LiveState, readLive } from "../edge/kernel/live.ts";
import type { Folders } from "../edge/state/folder.ts";
import { readHistoryEntry } from "../edge/state/history-entry.ts";
import { readContainment, type RecordedContainment } from "./containment-record.ts";
import { isUnchanged, type Landmark, readLandmark } from "./landmark.ts";
import { parseSeal } from "./seal.ts";

export interface Status {
  readonly state: "off" | "observing" | "enforcing" | "pending" | "drifted";
  readonly mode: { readonly inbound: string; readonly outbound: string } | null;
  /** The generation that judges now. */
  readonly generation: number | null;
  /** The last moment to confirm, RFC 3339. */
  readonly confirmBy: string | null;
  /** Whether the scopes hold their processes, as the last look at them found (`containmentSeen`). */
  readonly containment: RecordedContainment["grade"];
  readonly containmentSeen: {
    /** When it was looked at, RFC 3339, and whether that is more than a day ago. */
    readonly at: string;
    readonly stale: boolean;
    readonly scopes: RecordedContainment["scopes"];
  } | null;
  /** Whether names are decided now: a gate answers, none does, or no name decides. */
  readonly gate: "answers" | "silent" | "not-needed";
  readonly policy: { readonly id: number; readonly path: string } | null;
  readonly drift: string | null;
}

/** Returns the status of this network namespace. Refuses where the kernel may not be asked. */
export function readStatus(folders: Folders, nowMs: number): Status {
  const live = readLive();
  const landmark = readLandmark(folders.state);
  const generation = live === null ? null : inForce(live);
  if (live === null || generation === null) return absent(landmark, live !== null);
  const status = inForceStatus(folders, live, generation, nowMs);
  // Drift comes before everything else: nothing else that is said here holds then.
  const drift = driftOf(live, generation, landmark);
  if (drift !== null) return { ...status, state: "drifted", drift };
  if (live.candidate === null || live.leaseMs === null) return status;
  return { ...status, state: "pending", confirmBy: new Date(nowMs + live.leaseMs).toISOString() };
}

/** The generation that judges now: the candidate as long as its lease holds, else the committed one. */
function inForce(live: LiveState): number | null {
  return live.leaseMs === null ? live.committed : live.candidate;
}

function inForceStatus(folders: Folders, live: LiveState, generation: number, nowMs: number): Status {
  const seal = parseSeal(live.seals.get(generation) ?? "");
  const entry = readHistoryEntry(folders.state, seal?.id);
  const watching = seal?.mode.inbound === "observe" && seal.mode.outbound === "observe";
  const seen = readContainment(folders.state, nowMs);
  return {
    state: watching ? "observing" : "enforcing",
    mode: seal?.mode ?? null,
    generation,
    confirmBy: null,
    containment: seen?.grade ?? "unknown",
    containmentSeen:
      seen === null
        ? null
        : { at: new Date(seen.examinedMs).toISOString(), stale: seen.stale, scopes: seen.scopes },
    gate: live.gateAnswers === null ? "not-needed" : live.gateAnswers ? "answers" : "silent",
    policy: entry === undefined ? null : { id: entry.id, path: entry.policyPath },
    drift: null,
  };
}

/** A generation that no landmark knows was loaded by a command that was killed before it could write one. */
function driftOf(live: LiveState, generation: number, landmark: Landmark | null): string | null {
  if (!live.hooksAreOurs) return "somebody else added a rule to our hooks";
  if (parseSeal(live.seals.get(generation) ?? "") === undefined) return "the seal of our rules is gone";
  if (isUnchanged(landmark, generation) !== false) return null;
  return "our rules were changed by somebody else since they were applied";
}

/** Nothing of ours judges: as it should be, or because somebody took it away. */
function absent(landmark: Landmark | null, tableIsThere: boolean): Status {
  const expected = landmark !== null && landmark.committed !== null;
  const what = tableIsThere ? "our hooks are" : "our table is";
  return {
    state: expected ? "drifted" : "off",
    mode: null,
    generation: null,
    confirmBy: null,
    containment: "unknown",
    containmentSeen: null,
    gate: "not-needed",
    policy: null,
    drift: expected ? `${what} gone from the kernel; nothing is enforced` : null,
  };
}
