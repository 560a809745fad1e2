/** What is in force, told by the kernel; our own files only give it names. Light: this runs on every prompt. */
import { type LiveState, readLive } from "../edge/kernel/live.ts";
import { daemonRuns } from "../edge/kernel/change-lock.ts";
import { type DaemonHealth, readDaemonHealth } from "../edge/state/daemon-health.ts";
import type { Folders } from "../edge/state/folder.ts";
import { readBoot } from "../edge/state/boot-file.ts";
import { readHistoryEntry } from "../edge/state/history-entry.ts";
import { readContainment, type RecordedContainment } from "./containment-record.ts";
import { type Condition, conditionOf } from "./expected.ts";
import { type DriftRecord, readDriftRecord } from "./drift-record.ts";
import { readLandmark } from "./landmark.ts";
import { parseSeal } from "./seal.ts";

export interface Status {
  readonly state: "off" | "observing" | "enforcing" | "pending" | "panic" | "drifted";
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
  /** Until when outbound is only watched because of a pause, RFC 3339. */
  readonly pausedUntil: string | null;
  /** What seawalld saw others do to the kernel's rules since it started; null: no seawalld says anything. */
  readonly changes: DriftRecord | null;
  /** Whether what is allowed only until a time waits for the clock to be right. */
  readonly held: boolean;
  /** Whether the owner's way back, `seawall rescue`, took the place of the rules. */
  readonly rescued: boolean;
  /** Whether seawalld runs, and why it does not keep all events. Null where it does not run. */
  readonly daemon: DaemonHealth | null;
}

/** Returns the status of this network namespace. Refuses where the kernel may not be asked. */
export function readStatus(folders: Folders, nowMs: number): Status {
  return { ...kernelStatus(folders, nowMs), daemon: daemonHealth(folders.run) };
}

type KernelStatus = Omit<Status, "daemon">;

/** One that was killed has left its last word behind, so the lock is asked first. */
function daemonHealth(run: string): DaemonHealth | null {
  return daemonRuns(run) ? (readDaemonHealth(run) ?? { trouble: [], lost: 0 }) : null;
}

function kernelStatus(folders: Folders, nowMs: number): KernelStatus {
  const live = readLive();
  const condition = conditionOf(live, readLandmark(folders), readBoot(folders.state) !== null);
  const generation = live === null ? null : inForce(live);
  const changes = readDriftRecord(folders);
  if (live === null || generation === null) return { ...absent(condition), changes };
  const status = { ...inForceStatus(folders, live, generation, nowMs), changes };
  // Drift comes before everything else: nothing else that is said here holds then.
  if (condition.kind === "broken") return { ...status, state: "drifted", drift: condition.said };
  if (live.candidate === null || live.leaseMs === null) return status;
  const end = new Date(nowMs + live.leaseMs).toISOString();
  if (parseSeal(live.seals.get(generation) ?? "")?.kind === "pause") return { ...status, pausedUntil: end };
  return { ...status, state: "pending", confirmBy: end };
}

/** The generation that judges now: the candidate as long as its lease holds, else the committed one. */
function inForce(live: LiveState): number | null {
  return live.leaseMs === null ? live.committed : live.candidate;
}

function inForceStatus(folders: Folders, live: LiveState, generation: number, nowMs: number): KernelStatus {
  const seal = parseSeal(live.seals.get(generation) ?? "");
  const entry = readHistoryEntry(folders.state, seal?.id);
  const watching = seal?.mode.inbound === "observe" && seal.mode.outbound === "observe";
  return {
    state: seal?.kind === "panic" ? "panic" : watching ? "observing" : "enforcing",
    mode: seal?.mode ?? null,
    generation,
    confirmBy: null,
    ...containmentOf(readContainment(folders.state, nowMs)),
    gate: live.gateAnswers === null ? "not-needed" : live.gateAnswers ? "answers" : "silent",
    policy: entry === undefined ? null : { id: entry.id, path: entry.policyPath },
    drift: null,
    pausedUntil: null,
    changes: null,
    held: seal?.held ?? false,
    rescued: false,
  };
}

function containmentOf(
  seen: ReturnType<typeof readContainment>,
): Pick<Status, "containment" | "containmentSeen"> {
  if (seen === null) return { containment: "unknown", containmentSeen: null };
  const { grade, examinedMs, stale, scopes } = seen;
  return { containment: grade, containmentSeen: { at: new Date(examinedMs).toISOString(), stale, scopes } };
}

/** Nothing of ours judges: as it should be, or because somebody took it away. */
function absent(condition: Condition): KernelStatus {
  const drift = condition.kind === "broken" ? condition.said : null;
  return {
    state: drift === null ? "off" : "drifted",
    mode: null,
    generation: null,
    confirmBy: null,
    containment: "unknown",
    containmentSeen: null,
    gate: "not-needed",
    policy: null,
    drift,
    pausedUntil: null,
    changes: null,
    held: false,
    rescued: condition.kind === "rescued",
  };
}
