/** A policy becomes a candidate in the kernel: compiled for this machine, written down, loaded under a lease. */
import { assert } from "../core/base/assert.ts";
import { SeawallError } from "../core/base/error.ts";
import { type Compilation, type CompileOptions, compileNftables } from "../core/compile/nftables/compile.ts";
import { nextGeneration } from "../core/compile/nftables/mark.ts";
import type { Ruleset } from "../core/compile/nftables/ruleset.ts";
import { propose } from "../core/compile/nftables/transaction.ts";
import { ownModesOf } from "../core/policy/own-mode.ts";
import type { ResolvedPolicy } from "../core/policy/resolved.ts";
import { readAccounts } from "../edge/host/accounts.ts";
import { networkInterfaces } from "../edge/host/route.ts";
import { connectionsMax } from "../edge/kernel/connection-table.ts";
import { type LiveState, readLive } from "../edge/kernel/live.ts";
import { knowsTimeouts, loadTransaction } from "../edge/kernel/nft.ts";
import type { Folders } from "../edge/state/folder.ts";
import { type HistoryEntry, newestId } from "../edge/state/history-entry.ts";
import {
  policyHash,
  type PolicyTexts,
  readHistory,
  trimHistory,
  writeHistory,
} from "../edge/state/history.ts";
import { writeKeptRuleset } from "../edge/state/kept-ruleset.ts";
import { writeResolvedPolicy } from "../edge/state/resolved-policy.ts";
import { compileKept, keptRuleset } from "./boot.ts";
import { confirmLineHere } from "./confirm-line.ts";
import { isWaiting, withdraw } from "./confirm.ts";
import { carryContainment } from "./containment-record.ts";
import { followKernel, prepareGate } from "./gate.ts";
import { refuseUnreachableGate } from "./guest.ts";
import { knowOpenConnections } from "./open-connection.ts";
import { scopeUids } from "./operator.ts";
import { preload } from "./preload.ts";
import { prepareCgroups, scopeInterfaces } from "./scope.ts";
import { parseSeal, sealOf, type SealOver } from "./seal.ts";
import { entryOf } from "./sealed-entry.ts";
import { settleOver } from "./settle.ts";
import { isGenerationInUse, releaseGeneration } from "./stamp.ts";

/** What is put in force, and on whose behalf. */
export interface Proposed extends PolicyTexts {
  readonly policy: ResolvedPolicy;
  readonly path: string;
  readonly by: string;
  readonly kind?: HistoryEntry["kind"];
  readonly how?: HistoryEntry["how"];
  /** Of what is put in force again: its entry. */
  readonly from?: number;
  /** The entry whose look at the scopes holds for this policy too, because they are the same. */
  readonly sameScopesAs?: HistoryEntry | undefined;
  /** Of a panic: what it takes the place of. */
  readonly over?: SealOver;
  /** What ends by the clock waits, because nobody knows the time: the ruleset that is loaded is without it. */
  readonly held?: boolean;
  /** It was confirmed before: a gate that is not there refuses its names, and not the policy. */
  readonly knownGood?: boolean;
  readonly folders: Folders;
  readonly leaseMs: number;
  readonly nowMs: () => number;
}

/** How a policy is compiled for this machine as it is now. */
export type MachineOptions = Omit<CompileOptions, "generation">;

/** Returns what the compiler has to know of this machine. Refuses a network, namespace or cgroup that is not there. */
export function machineOptions(policy: ResolvedPolicy, uplinks: readonly string[]): MachineOptions {
  // Asked first: the kernel then knows of connections, and says how many it may have.
  const hasTimeouts = knowsTimeouts();
  return {
    accounts: readAccounts(),
    interfaces: scopeInterfaces(policy),
    cgroupPrefix: prepareCgroups(policy),
    hasTimeouts,
    tableEntriesMax: connectionsMax(),
    networks: networkInterfaces(uplinks),
  };
}

/** Compiles a policy as the generation that comes next. Refuses while a change waits. */
export function compileNext(
  policy: ResolvedPolicy,
  live: LiveState | null,
  options: MachineOptions,
): Compilation {
  if (isPaused(live)) {
    throw new SeawallError("SEAWALL_BUSY", "enforcement is paused", {
      still: "nothing was changed; it resumes by itself",
      help: "seawall pause --off",
    });
  }
  if (isWaiting(live)) {
    throw new SeawallError("SEAWALL_BUSY", "a change waits for its confirm", {
      still: "it judges until it is confirmed or its time is over",
      help: `${confirmLineHere({}, scopeUids(policy.scopes))} (or sudo seawall rollback)`,
    });
  }
  return compileNftables(policy, { ...options, generation: freeGeneration(live) });
}

function isPaused(live: LiveState | null): boolean {
  return isWaiting(live) && parseSeal(live?.seals.get(live.candidate ?? 0) ?? "")?.kind === "pause";
}

/**
 * A number that no connection carries any more: what it meant before must not count now. Where every one is carried,
 * the one used longest ago is taken from its connections: the kernel judges them anew, as it did already.
 */
function freeGeneration(live: LiveState | null): number {
  const committed = live?.committed ?? 0;
  const taken = new Set<number>(committed === 0 ? [] : [committed]);
  const oldest = nextGeneration(committed, taken);
  for (;;) {
    const generation = nextGeneration(committed, taken);
    if (generation === undefined) {
      assert(oldest !== undefined, "there is a generation beside the one in force");
      releaseGeneration(oldest);
      return oldest;
    }
    if (!isGenerationInUse(generation)) return generation;
    taken.add(generation);
  }
}

/**
 * Loads a compiled policy as the candidate and returns its entry of the history. Whatever fails, the kernel keeps
 * what it had. A gate that cannot be reached refuses it. `trouble`: what is not known of the connections that are open, what a gate cannot do.
 */
export async function loadCandidate(
  proposed: Proposed,
  ruleset: Ruleset,
  live: LiveState | null,
  options: MachineOptions,
): Promise<{ readonly entry: HistoryEntry; readonly trouble: string | null }> {
  const entry = record(proposed, ruleset, options, live);
  const trouble = await load(proposed, ruleset, live, entry);
  return { entry, trouble };
}

/** Written before the kernel is told, so that whatever the kernel holds can be named. */
function record(
  proposed: Proposed,
  ruleset: Ruleset,
  options: MachineOptions,
  live: LiveState | null,
): HistoryEntry {
  const { state } = proposed.folders;
  const { generation } = ruleset;
  // What is loaded may lack what waits for the clock; what is kept is all of it.
  const whole = proposed.held === true ? compileKept(proposed.policy, { ...options, generation }) : ruleset;
  const history = readHistory(state);
  const entry: HistoryEntry = {
    id: newestId(state) + 1,
    generation,
    proposedMs: proposed.nowMs(),
    confirmedMs: null,
    policyPath: proposed.path,
    sha256: policyHash(proposed),
    mode: proposed.policy.mode,
    objects: whole.objects.map((object) => object.name),
    elements: countElements(whole),
    by: proposed.by,
    dropIns: proposed.dropIns.map(({ file }) => file),
    ...(proposed.kind === undefined ? {} : { kind: proposed.kind }),
    ...(proposed.how === undefined ? {} : { how: proposed.how }),
    ...(proposed.from === undefined ? {} : { from: proposed.from }),
    ownModes: ownModesOf(proposed.policy),
    ...(proposed.over === undefined ? {} : { over: proposed.over }),
  };
  keep(proposed, entry, whole, options);
  if (proposed.sameScopesAs !== undefined) carryContainment(state, proposed.sameScopesAs, entry);
  const used = history.filter(({ confirmedMs }) => confirmedMs !== null).at(-1);
  const plain = history.filter(({ confirmedMs, kind }) => confirmedMs !== null && kind === undefined).at(-1);
  const inForce = live?.committed == null ? undefined : entryOf(state, live, live.committed);
  trimHistory(state, new Set([entry, inForce, used, plain].flatMap((one) => one?.id ?? [])));
  return entry;
}

/** A panic is for the worst day: a disk that is full does not keep the agents from being cut off. */
function keep(proposed: Proposed, entry: HistoryEntry, ruleset: Ruleset, options: MachineOptions): void {
  const { state } = proposed.folders;
  try {
    writeHistory(state, entry, proposed);
    writeResolvedPolicy(state, entry.id, proposed.policy);
    const kept = keptRuleset(proposed.policy, entry, ruleset, { ...options, generation: entry.generation });
    writeKeptRuleset(state, entry.id, kept);
  } catch (cause) {
    if (proposed.kind !== "panic" || !(cause instanceof SeawallError)) throw cause;
  }
}

function countElements({ objects }: Ruleset): number {
  return objects.reduce((count, object) => {
    if (object.kind === "verdicts") return count + object.elements.length;
    return object.kind === "prefixes" ? count + object.intervals.first.length : count;
  }, 0);
}

async function load(
  { policy, folders, leaseMs, knownGood = false, held = false }: Proposed,
  ruleset: Ruleset,
  live: LiveState | null,
  entry: HistoryEntry,
): Promise<string | null> {
  // Connections are tracked from the first of our rules on, and whoever sends first then seems to have begun.
  const unknown = live === null ? knowOpenConnections() : null;
  const loaded = await preload(ruleset, live?.sets ?? new Set());
  const { stage, turn } = propose({
    candidate: ruleset,
    previous: live?.committed ?? null,
    leaseSeconds: Math.ceil(leaseMs / 1_000),
    seal: sealOf({ ...entry, held }),
    loaded,
  });
  loadTransaction(stage);
  let troubled: string | null = null;
  try {
    troubled = await prepareGate(policy, folders.run, entry.id);
  } catch (cause) {
    if (!knownGood) {
      settleOver(folders, readLive());
      await followKernel(folders.run);
      throw cause;
    }
  }
  loadTransaction(turn);
  await followKernel(folders.run);
  if (knownGood) return unknown;
  try {
    refuseUnreachableGate(policy);
  } catch (cause) {
    withdraw(folders);
    await followKernel(folders.run);
    throw cause;
  }
  return unknown === null || troubled === null ? (unknown ?? troubled) : `${unknown}; ${troubled}`;
}
