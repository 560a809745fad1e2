/** seawalld in the foreground: reads what the kernel logs, and tidies up after a lease that ran out. */
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { settleOver } from "../apply/settle.ts";
import { SeawallError } from "../core/base/error.ts";
import { GATE_UID, GATE_USER } from "../core/compile/nftables/gate-user.ts";
import { NFLOG_GROUP } from "../core/event/log-prefix.ts";
import { type RefusalKey, refusalKey } from "../core/gate/refusal.ts";
import { gateUid, hasGateUser } from "../edge/host/gate-user.ts";
import { readLive } from "../edge/kernel/live.ts";
import { requireNft } from "../edge/kernel/nft.ts";
import { type Folders, makeFolder } from "../edge/state/folder.ts";
import { bootId, refusalSecret } from "../edge/state/refusal-secret.ts";
import { undoMoves } from "../edge/state/swap.ts";
import { lockDaemon, locked } from "../edge/kernel/change-lock.ts";
import { type CutWatch, createCutWatch } from "./cut-watch.ts";
import { openControl } from "./control.ts";
import { startDriftWatch } from "./drift-watch.ts";
import { flowOfReport } from "./gate/belief.ts";
import { startGateKeeper } from "./gate/keeper.ts";
import type { GateKeeperOptions } from "./gate/keeper-options.ts";
import { createGuard, type Guard } from "./guarded.ts";
import { createHealth } from "./health.ts";
import { type Pipeline, type PipelineStats, startPipeline } from "./pipeline.ts";
import { createSay, type Say } from "./say.ts";
import { startSshWatch } from "./ssh-watch.ts";
import { startUidWatch } from "./uid-watch.ts";

/** How often the daemon looks whether a lease ran out. The kernel does not wait for it. */
const TIDY_STEP_MS = 1_000;
/** LIMIT: keys of scopes remembered; each is made again at once. */
const KEYS_KEPT_MAX = 256;

export interface DaemonOptions {
  /** Resolvers that the operator names; else those of resolv.conf. */
  readonly resolvers: readonly { readonly address: string; readonly port: number }[];
}

export interface DaemonVoice {
  readonly err: (text: string) => void;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
}

/** Runs until the signal. Returns the exit code. Refuses a run folder that another seawalld uses. */
export async function runDaemon(folders: Folders, options: DaemonOptions, voice: DaemonVoice): Promise<0> {
  requireNft();
  makeFolder(folders.run);
  const lock = await lockDaemon(folders.run);
  try {
    return await run(folders, options, voice);
  } finally {
    lock.release();
  }
}

async function run(folders: Folders, options: DaemonOptions, voice: DaemonVoice): Promise<0> {
  const say = createSay(voice.err);
  const guard = createGuard(say);
  // What cannot be kept is said; gates and tidying do not need it.
  guard.run("events will not be kept", () => makeFolder(folders.state));
  await undoRestore(folders, guard);
  const refusalKeyOf = createRefusalKeys(folders.state);
  sayUnreserved(say);
  const pipeline = startPipeline({
    group: NFLOG_GROUP,
    stateDir: folders.state,
    now: voice.nowMs,
    say,
    refusalKeyOf,
  });
  const keeper = await startGateKeeper({
    folders,
    gateUid: gateUid(),
    resolvers: options.resolvers,
    nowMs: voice.nowMs,
    say,
    refusalKeyOf,
    ...hearReports(pipeline, voice.nowMs),
  });
  const cuts = createCutWatch(folders.state, voice.nowMs, say);
  const drift = startDriftWatch({
    folders,
    nowMs: voice.nowMs,
    say,
    onHealed: () => {
      cuts.lookAgain();
      return keeper.refill();
    },
  });
  const control = await openControl(`${folders.run}/control.sock`, keeper);
  say("reading the kernel's log");
  const report = createReporter(say);
  const writeHealth = createHealth(folders.run, voice.nowMs);
  const tidyNow = guard.callback("what a lease left behind stays", () => tidyUp(folders, cuts));
  const reportNow = guard.callback("status is not told", () => {
    report(pipeline.stats());
    writeHealth(pipeline.stats(), keeper.troubles.all());
  });
  reportNow();
  const watches = [startSshWatch(folders, voice.nowMs, say), startUidWatch(folders.state, guard, say)];
  const tidy = setInterval(() => {
    tidyNow();
    reportNow();
  }, TIDY_STEP_MS);
  await aborted(voice.signal);
  clearInterval(tidy);
  for (const watch of watches) watch.stop();
  control.close();
  await drift.stop();
  keeper.stop();
  await pipeline.stop();
  say("stopped; the kernel goes on enforcing, and gates go on for a minute");
  return 0;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((stop) => {
    if (signal.aborted) stop();
    else signal.addEventListener("abort", () => stop(), { once: true });
  });
}

/** What gates tell becomes events, or is counted. */
function hearReports(
  pipeline: Pipeline,
  nowMs: () => number,
): Pick<GateKeeperOptions, "onReport" | "onUnbelieved"> {
  return {
    onReport: (believed, generation) => {
      if (believed.hadOtherId) pipeline.doubt("id");
      pipeline.add(flowOfReport(believed, generation, nowMs()));
    },
    onUnbelieved: () => pipeline.doubt("report"),
  };
}

/** A checkout has no user for the gate, only a number; systemd gives numbers of that range to services of its own. */
function sayUnreserved(say: Say): void {
  if (hasGateUser() || !existsSync("/run/systemd/system")) return;
  say(
    `no user ${GATE_USER} is here, so systemd may give its number ${GATE_UID} to a service; this reserves it: useradd --system --no-create-home --uid ${GATE_UID} ${GATE_USER}`,
  );
}

/** Returns the keys of scopes, made once; a scope of no policy has one, too, as the kernel may log for it. */
function createRefusalKeys(state: string): (scope: string) => RefusalKey {
  const secret = refusalSecret(state);
  const boot = bootId();
  const keys = new Map<string, RefusalKey>();
  return (scope) => {
    const known = keys.get(scope);
    if (known !== undefined) return known;
    if (keys.size >= KEYS_KEPT_MAX) keys.clear();
    const made = refusalKey(secret, boot, scope);
    keys.set(scope, made);
    return made;
  };
}

/** Returns a function that says each new trouble of the pipeline once: what it is, and what still holds. */
function createReporter(say: Say): (stats: PipelineStats) => void {
  let saidTrouble: string | null = null;
  let saidLost = 0;
  let saidDoubted = 0;
  let saidCorrected = 0;
  return ({ failure, store, lost, doubted, corrected }) => {
    if (doubted > saidDoubted)
      say(
        `${doubted - saidDoubted} reports of the gate are of no rule, scope or host that there is; dropped`,
      );
    saidDoubted = doubted;
    if (corrected > saidCorrected)
      say(
        `${corrected - saidCorrected} reports of the gate had an id that is not theirs; kept with their own`,
      );
    saidCorrected = corrected;
    const trouble = failure ?? (store.state === "failed" ? store.why : null);
    if (trouble !== null && trouble !== saidTrouble) {
      say(`${trouble}; the kernel goes on enforcing, events are not all kept`);
    }
    saidTrouble = trouble;
    const lostNow = lost.kernel + lost.socket + lost.queue + lost.store;
    if (lostNow > saidLost) say(`${lostNow - saidLost} events were lost; the counters are exact`);
    saidLost = lostNow;
  };
}

/** A restore that was killed half way; one that goes on holds the lock. */
async function undoRestore(folders: Folders, guard: Guard): Promise<void> {
  try {
    await locked(folders.run, () => guard.run("a restore is half done", () => undoMoves(folders.state)), 0);
  } catch (cause) {
    if (!(cause instanceof SeawallError)) throw cause;
  }
}

async function tidyUp(folders: Folders, cuts: CutWatch): Promise<void> {
  const live = readLive();
  if (live === null || live.candidate === null) return cuts.follow(live);
  if (live.leaseMs !== null && live.leaseMs >= TIDY_STEP_MS) return;
  // What only the candidate admitted is not to live on until the next step.
  if (live.leaseMs !== null) await sleep(live.leaseMs + 1);
  try {
    await locked(folders.run, () => settleOver(folders, readLive()), 0);
  } catch (cause) {
    // A command holds the lock: it tidies up itself.
    if (!(cause instanceof SeawallError) || cause.code !== "SEAWALL_BUSY") throw cause;
  }
}
