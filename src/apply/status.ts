/** What is in force, told by the kernel; our own files only give it names. Light: this runs on every prompt. */
import type { ScopeAlarm } from "../core/drift/judged-uids.ts";
import type { DatedTrouble } from "../core/gate/trouble.ts";
import { type LiveState, readLive } from "../edge/kernel/live.ts";
import { daemonRuns } from "../edge/kernel/change-lock.ts";
import { type DaemonHealth, readDaemonHealth, readSaidOfGates } from "../edge/state/daemon-health.ts";
import type { Folders } from "../edge/state/folder.ts";
import { readBoot } from "../edge/state/boot-file.ts";
import type { OwnModes } from "../edge/state/history-entry.ts";
import { readHistoryEntry } from "../edge/state/history-entry.ts";
import { readContainment, type RecordedContainment } from "./containment-record.ts";
import { type Condition, conditionOf } from "./expected.ts";
import { type DriftRecord, readDriftRecord } from "./drift-record.ts";
import { readLandmark } from "./landmark.ts";
import { type LastChange, lastChange } from "./last-change.ts";
import { scopeAlarms } from "./scope-alarm.ts";
import { parseSeal } from "./seal.ts";

/** What happens to new packets of one direction. `unknown`: the kernel does not hold what was applied. */
export type DirectionState = "enforced" | "observed" | "not-judged" | "unknown";

export interface Status {
  /** When the kernel was asked, RFC 3339. */
  readonly at: string;
  readonly state: "off" | "observing" | "enforcing" | "pending" | "panic" | "drifted";
  readonly mode: { readonly inbound: string; readonly outbound: string } | null;
  readonly inbound: DirectionState;
  /** `not-judged` also where the policy has no `outbound`. */
  readonly outbound: DirectionState;
  /** Rules whose own mode is not that of their direction; null where nobody counted. */
  readonly ownModes: { readonly inbound: OwnModes; readonly outbound: OwnModes } | null;
  /** The generation that judges now. */
  readonly generation: number | null;
  /** The last moment to confirm, RFC 3339. */
  readonly confirmBy: string | null;
  /** What is left of the trial or the pause by the kernel's clock; null when what judges holds for good. */
  readonly leftMs: number | null;
  /** The number in the history of what judges when that is over; null for nothing. */
  readonly before: number | null;
  /** Whether the scopes hold their processes, as the last look at them found (`containmentSeen`). */
  readonly containment: RecordedContainment["grade"];
  /** What was seen of the policy in force; null when nobody looked at its scopes. */
  readonly containmentSeen: {
    /** When it was looked at, RFC 3339, and whether that is more than a day ago. */
    readonly at: string;
    readonly stale: boolean;
    readonly scopes: RecordedContainment["scopes"];
  } | null;
  /** Whether names are decided now: a gate answers and nothing stops it; not all are; or no name decides. */
  readonly gate: "answers" | "silent" | "not-needed";
  /** What keeps names from being decided, as seawalld sees it now; empty where none runs. */
  readonly gateTrouble: readonly DatedTrouble[];
  /** Who is judged as a scope by the kernel, and is not that scope any more by passwd and subuid; or the reverse. */
  readonly alarms: readonly ScopeAlarm[];
  readonly policy: { readonly id: number; readonly path: string } | null;
  /** The newest change, when it is not in force because nobody confirmed it. */
  readonly lastChange: LastChange | null;
  readonly drift: string | null;
  /** Until when outbound is only watched because of a pause, RFC 3339. */
  readonly pausedUntil: string | null;
  /** What seawalld saw others do to the kernel's rules since it started; null: no seawalld says anything. */
  readonly changes: DriftRecord | null;
  /** Whether what is allowed only until a time waits for the clock to be right. */
  readonly held: boolean;
  /** Whether the owner's way back, `seawall rescue`, took the place of the rules. */
  readonly rescued: boolean;
  /** Whether the next start loads what judges now; null where nothing judges for good. */
  readonly nextStart: "same" | "other" | null;
  /** Whether seawalld runs, and why it does not keep all events. Null where it does not run. */
  readonly daemon: DaemonHealth | null;
}

/** Returns the status of this network namespace. Refuses where the kernel may not be asked. */
export function readStatus(folders: Folders, nowMs: number): Status {
  const status = kernelStatus(folders, nowMs);
  const daemon = daemonHealth(folders.run);
  const gateTrouble = status.gate === "not-needed" || daemon === null ? [] : saidOfGates(folders.run, nowMs);
  const gate = gateTrouble.some(({ stops }) => stops) ? "silent" : status.gate;
  return { ...status, gate, gateTrouble, daemon };
}

type KernelStatus = Omit<Status, "daemon" | "gateTrouble">;

/** A word older than this is not of now: seawalld says it anew every 5 s. */
const STALE_MS = 20_000;

function saidOfGates(run: string, nowMs: number): readonly DatedTrouble[] {
  const { gate, ageMs } = readSaidOfGates(run);
  if (ageMs === null || ageMs <= STALE_MS) return gate;
  const said = `seawalld has said nothing for ${Math.floor(ageMs / 1_000)} s: how names are decided is not known`;
  const since = new Date(nowMs - ageMs).toISOString();
  return [{ kind: "daemon", scope: null, stops: false, said, help: "restart seawalld", since }];
}

/** One that was killed has left its last word behind, so the lock is asked first. */
function daemonHealth(run: string): DaemonHealth | null {
  return daemonRuns(run) ? (readDaemonHealth(run) ?? { trouble: [], lost: 0 }) : null;
}

function kernelStatus(folders: Folders, nowMs: number): KernelStatus {
  const live = readLive();
  const boot = readBoot(folders.state);
  const condition = conditionOf(live, readLandmark(folders), boot !== null);
  const generation = live === null ? null : inForce(live);
  const common = {
    ...absent(condition, nowMs),
    changes: readDriftRecord(folders),
    lastChange: lastChange(folders.state, live, nowMs),
  };
  if (live === null || generation === null) return common;
  const status = { ...common, ...inForceStatus(folders, live, generation, nowMs) };
  // Drift comes before everything else: nothing else that is said here holds then.
  if (condition.kind === "broken") {
    return { ...status, state: "drifted", drift: condition.said, inbound: "unknown", outbound: "unknown" };
  }
  if (live.candidate === null || live.leaseMs === null) {
    return { ...status, nextStart: nextStart(boot ?? "", live, generation) };
  }
  return { ...status, ...untilItsEnd(live, generation, live.leaseMs, nowMs) };
}

/** Whether the next start loads what judges now. */
function nextStart(boot: string, live: LiveState, generation: number): "same" | "other" {
  const [boots, now] = [
    parseSeal(/comment "(policy [^"]*)"/.exec(boot)?.[1] ?? ""),
    sealOf(live, generation),
  ];
  return boots?.sha256 === now?.sha256 && boots?.id === now?.id ? "same" : "other";
}

/** What judges under a lease ends by itself: a trial, or a pause. */
function untilItsEnd(live: LiveState, generation: number, leftMs: number, nowMs: number) {
  const end = new Date(nowMs + leftMs).toISOString();
  const before = live.committed === null ? null : (sealOf(live, live.committed)?.id ?? null);
  if (sealOf(live, generation)?.kind === "pause") return { leftMs, before, pausedUntil: end };
  return { leftMs, before, state: "pending", confirmBy: end } as const;
}

/** The generation that judges now: the candidate as long as its lease holds, else the committed one. */
function inForce(live: LiveState): number | null {
  return live.leaseMs === null ? live.committed : live.candidate;
}

function sealOf(live: LiveState, generation: number): ReturnType<typeof parseSeal> {
  return parseSeal(live.seals.get(generation) ?? "");
}

function inForceStatus({ state }: Folders, live: LiveState, generation: number, nowMs: number) {
  const seal = sealOf(live, generation);
  const entry = readHistoryEntry(state, seal?.id);
  const isOfSeal = seal !== undefined && entry?.sha256 === seal.sha256;
  const alarms = scopeAlarms(state, live);
  return {
    state: stateOf(seal),
    mode: seal?.mode ?? null,
    inbound: directionState(seal?.mode.inbound),
    outbound: outboundState(live, generation, seal?.mode.outbound),
    ownModes: entry?.ownModes ?? null,
    generation,
    ...containmentOf(isOfSeal && entry !== undefined ? readContainment(state, entry, nowMs) : null, alarms),
    alarms,
    gate: gateOf(live),
    policy: entry === undefined ? null : { id: entry.id, path: entry.policyPath },
    held: seal?.held ?? false,
  } as const;
}

function stateOf(seal: ReturnType<typeof sealOf>): "panic" | "observing" | "enforcing" {
  if (seal?.kind === "panic") return "panic";
  return seal?.mode.inbound === "observe" && seal.mode.outbound === "observe" ? "observing" : "enforcing";
}

function gateOf({ gateAnswers }: LiveState): Status["gate"] {
  if (gateAnswers === null) return "not-needed";
  return gateAnswers ? "answers" : "silent";
}

/** The kernel knows whether any scope is judged; the seal has a mode for both directions all the same. */
function outboundState(live: LiveState, generation: number, mode: string | undefined): DirectionState {
  const isJudged = [...live.chains].some((title) => title.startsWith(`g${generation}/scope/`));
  return isJudged ? directionState(mode) : "not-judged";
}

function directionState(mode: string | undefined): DirectionState {
  if (mode === undefined) return "unknown";
  return mode === "enforce" ? "enforced" : "observed";
}

/** Returns the two fields of the status that tell what was seen of the scopes. */
export function containmentOf(
  seen: RecordedContainment | null,
  alarms: readonly ScopeAlarm[],
): Pick<Status, "containment" | "containmentSeen"> {
  if (seen === null) return { containment: "unknown", containmentSeen: null };
  const { grade, examinedMs, stale, scopes } = seen;
  const containment = underAlarm(grade, alarms);
  return { containment, containmentSeen: { at: new Date(examinedMs).toISOString(), stale, scopes } };
}

/** What was seen of a scope's processes says nothing of processes that are not judged as that scope. */
function underAlarm(
  grade: RecordedContainment["grade"],
  alarms: readonly ScopeAlarm[],
): RecordedContainment["grade"] {
  if (alarms.some(({ gravity }) => gravity === "unjudged")) return "not-contained";
  return alarms.length > 0 && grade === "contained" ? "partly" : grade;
}

/** Nothing of ours judges: as it should be, or because somebody took it away. */
function absent(condition: Condition, nowMs: number): KernelStatus {
  const drift = condition.kind === "broken" ? condition.said : null;
  return {
    at: new Date(nowMs).toISOString(),
    state: drift === null ? "off" : "drifted",
    mode: null,
    inbound: drift === null ? "not-judged" : "unknown",
    outbound: drift === null ? "not-judged" : "unknown",
    ownModes: null,
    generation: null,
    confirmBy: null,
    leftMs: null,
    before: null,
    containment: "unknown",
    containmentSeen: null,
    gate: "not-needed",
    alarms: [],
    policy: null,
    lastChange: null,
    drift,
    pausedUntil: null,
    changes: null,
    held: false,
    rescued: condition.kind === "rescued",
    nextStart: null,
  };
}
