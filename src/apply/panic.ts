/** Cuts the agents off at once, without a lease: nothing here can lock the owner out, SSH stays. */
import { assert } from "../core/base/assert.ts";
import { SeawallError } from "../core/base/error.ts";
import { panicPolicy } from "../core/policy/panic.ts";
import type { ResolvedPolicy, ResolvedScope } from "../core/policy/resolved.ts";
import { hasTemporary, withoutTemporary } from "../core/policy/temporary.ts";
import { readAccounts } from "../edge/host/accounts.ts";
import { networkInterfaces, uplinkInterfaces } from "../edge/host/route.ts";
import { isClockSet } from "../edge/kernel/clock.ts";
import { type LiveState, readLive } from "../edge/kernel/live.ts";
import { knowsTimeouts } from "../edge/kernel/nft.ts";
import type { Folders } from "../edge/state/folder.ts";
import type { HistoryEntry } from "../edge/state/history-entry.ts";
import { type PolicyTexts, readPolicyOf, writeHistory } from "../edge/state/history.ts";
import { readKeptRuleset } from "../edge/state/kept-ruleset.ts";
import { readResolvedPolicy } from "../edge/state/resolved-policy.ts";
import { together } from "./attempt.ts";
import {
  compileNext,
  loadCandidate,
  type MachineOptions,
  machineOptions,
  type Proposed,
} from "./candidate.ts";
import { isWaiting, withdraw } from "./confirm.ts";
import { followKernel } from "./gate.ts";
import { beforePanic, lostBefore, takenPlaceOf } from "./panic-before.ts";
import { judgedBesides } from "./panic-scope.ts";
import { prepareCgroups, scopeInterfaces } from "./scope.ts";
import { parseSeal } from "./seal.ts";
import { type NoSsh, noSshUnder } from "./no-ssh.ts";
import { entryOf } from "./sealed-entry.ts";
import { settleAt, settleForChange, takeDown } from "./settle.ts";
import { panicWays } from "./ssh-way.ts";

/** The way in that the kernel is given for the moment between candidate and settled. */
const LEASE_MS = 60_000;

/** A policy as somebody means it, where none is in force. */
export interface MeantPolicy extends PolicyTexts {
  readonly policy: ResolvedPolicy;
  readonly path: string;
}

export interface Panicked {
  readonly generation: number;
  /** Scopes that reach nothing now. */
  readonly scopes: readonly string[];
  /** Scopes that nobody can find on this machine now, with the reason. */
  readonly missing: readonly string[];
  /** The ports on which the host's SSH is let in. */
  readonly sshPorts: readonly number[];
  /** What else listens on ports of SSH, each as a sentence. */
  readonly strangers: readonly string[];
  readonly noSsh: NoSsh | null;
  readonly trouble: string | null;
}

/**
 * Refuses a change while a panic holds. One whose predecessor this state folder does not have cannot be ended, so a
 * policy may take its place: until that is confirmed the panic stands behind it.
 */
export function refusePanic(state: string, live: LiveState | null, may: "stay" | "be-replaced"): void {
  if (live === null || !isPanic(live)) return;
  if (may === "be-replaced" && beforePanic(state, live).kind === "lost") return;
  throw new SeawallError("SEAWALL_PANIC", "a panic holds: the agents are cut off", {
    still: "nothing was changed",
    help: "seawall panic --off",
  });
}

/** Whether the policy in force is that of a panic. */
export function isPanic(live: LiveState | null): boolean {
  const seal = live?.committed == null ? undefined : parseSeal(live.seals.get(live.committed) ?? "");
  return seal?.kind === "panic";
}

/**
 * Puts the panic policy in force, now and at every start, until `endPanic`. What waits for a confirm is withdrawn.
 * `meant`: what the owner's file says, for a machine on which nothing is in force.
 */
export async function panic(
  folders: Folders,
  meant: MeantPolicy,
  by: string,
  nowMs: () => number,
): Promise<Panicked | "already"> {
  const live = readLive();
  if (isPanic(live)) return "already";
  const inForce = live === null ? undefined : entryInForce(folders.state, live);
  const policyInForce = inForce === undefined ? null : readResolvedPolicy(folders.state, inForce.id);
  const { policy, ...texts } = policyInForce === null ? meant : { ...meant, policy: policyInForce };
  const named = withAgent(policy);
  const wanted = [...named, ...judgedBesides(live, named, readAccounts())];
  const { scopes, missing, options } = findScopes(folders.state, inForce, wanted);
  if (isWaiting(live)) withdraw(folders);
  const { ways, strangers } = panicWays();
  const panicked = panicPolicy({ ...policy, scopes }, ways);
  const proposed: Proposed = {
    ...texts,
    policy: panicked,
    by,
    kind: "panic",
    sameScopesAs:
      policyInForce?.outbound != null && scopes.length === policyInForce.scopes.length ? inForce : undefined,
    over: takenPlaceOf(folders, live),
    knownGood: true,
    folders,
    leaseMs: LEASE_MS,
    nowMs,
  };
  // What nobody confirmed may be what locks the owner out: it is not what comes back.
  const before = policyInForce === null || live?.committed == null ? null : (inForce?.id ?? null);
  const done = await putInForce(proposed, options, before);
  return {
    ...done,
    scopes: scopes.map(({ name }) => name),
    missing,
    sshPorts: ways.map(({ port }) => port),
    strangers,
    noSsh: noSshUnder(panicked, nowMs()),
  };
}

export interface PanicEnded {
  /** Null: nothing was in force before it, and nothing is now. */
  readonly generation: number | null;
  /** What ends by the clock waits, as it did before the panic. */
  readonly held: boolean;
  readonly trouble: string | null;
}

/**
 * Ends a panic: what was in force before it is again. Refuses with SEAWALL_STATE when something was and this state
 * folder does not have it; then the panic holds on.
 */
export async function endPanic(folders: Folders, by: string, nowMs: () => number): Promise<PanicEnded> {
  const live = readLive();
  if (live === null || !isPanic(live) || live.committed === null) {
    throw new SeawallError("SEAWALL_NOTHING_PENDING", "there is no panic to end", { help: "seawall status" });
  }
  const before = beforePanic(folders.state, live);
  switch (before.kind) {
    case "lost":
      throw lostBefore(before.what);
    case "nothing": {
      const trouble = takeDown(folders);
      await followKernel(folders.run);
      return { generation: null, trouble, held: false };
    }
    case "entry": {
      const known = knownPolicy(folders.state, before.entry);
      const held = before.held && !isClockSet() && hasTemporary(known.policy);
      const options = machineOptions(known.policy, uplinkInterfaces());
      const proposed = {
        ...known,
        by,
        how: "panic-off" as const,
        from: before.entry.id,
        sameScopesAs: before.entry,
        held,
        knownGood: true,
        folders,
        leaseMs: LEASE_MS,
        nowMs,
      };
      return { ...(await putInForce(proposed, options, null)), held };
    }
  }
}

/** Loads and keeps at once, in this order: candidate, then nothing else. */
async function putInForce(proposed: Proposed, options: MachineOptions, before: number | null) {
  const { folders, nowMs } = proposed;
  const live = settleForChange(folders);
  const inForce = proposed.held === true ? withoutTemporary(proposed.policy) : proposed.policy;
  const compiled = compileNext(inForce, live, options);
  if (!compiled.ok) {
    throw new SeawallError("SEAWALL_POLICY", compiled.diagnostics[0]?.message ?? "it cannot be expressed", {
      still: "what was in force is",
      help: "seawall down, then unplug the agent's service: systemctl stop openclaw",
    });
  }
  const { entry, trouble: unknown } = await loadCandidate(proposed, compiled.ruleset, live, options);
  const loaded = readLive();
  const trouble =
    loaded === null ? "the rules are gone again" : settleAt(folders, loaded, entry.generation).trouble;
  const written = { ...entry, confirmedMs: nowMs(), ...(before === null ? {} : { before }) };
  const unwritten = writeDown(folders.state, written);
  await followKernel(folders.run);
  return { generation: entry.generation, trouble: together([unknown, trouble, unwritten]) };
}

function writeDown(state: string, entry: HistoryEntry): string | null {
  try {
    writeHistory(state, entry, null);
    return null;
  } catch (cause) {
    if (!(cause instanceof SeawallError)) throw cause;
    return `${cause.message}; the history does not say what was in force before`;
  }
}

/** The entry of what judges now, confirmed or not. */
function entryInForce(state: string, live: LiveState): HistoryEntry | undefined {
  const generation = live.committed ?? (live.leaseMs === null ? null : live.candidate);
  return generation === null ? undefined : entryOf(state, live, generation);
}

function knownPolicy(state: string, entry: HistoryEntry): MeantPolicy {
  const policy = readResolvedPolicy(state, entry.id);
  assert(policy !== null, "what is put back was read a moment ago");
  return { policy, path: entry.policyPath, ...readPolicyOf(state, entry) };
}

const DEFAULT_AGENT: ResolvedScope = {
  name: "agent",
  target: { kind: "user", user: "openclaw" },
  index: 1,
};

/** A policy that judges nothing outbound may name no scope: then the agent is who it is by default. */
function withAgent(policy: ResolvedPolicy): readonly ResolvedScope[] {
  if (policy.scopes.length > 0 || readAccounts().uidOf("openclaw") === undefined) return policy.scopes;
  return [DEFAULT_AGENT];
}

/**
 * Finds where the scopes are. One that cannot be found does not keep the others from being cut off: it is where it
 * was when the policy in force was loaded, or it is said.
 */
function findScopes(state: string, entry: HistoryEntry | undefined, scopes: readonly ResolvedScope[]) {
  const kept = entry === undefined ? null : readKeptRuleset(state, entry.id);
  const found: ResolvedScope[] = [];
  const missing: string[] = [];
  const interfaces = new Map<string, readonly string[]>();
  let cgroupPrefix = "";
  for (const scope of scopes) {
    const alone = { outbound: [], scopes: [scope] };
    try {
      const prefix = prepareCgroups(alone);
      if (prefix !== "") cgroupPrefix = prefix;
      for (const [name, known] of scopeInterfaces(alone)) interfaces.set(name, known);
      found.push(scope);
    } catch (cause) {
      if (!(cause instanceof SeawallError)) throw cause;
      const before = kept?.objects.find(
        (object) => object.kind === "interfaces" && object.name.endsWith(`/interfaces/${scope.name}`),
      );
      if (before?.kind === "interfaces") {
        interfaces.set(scope.name, before.known);
        found.push(scope);
      } else missing.push(`${scope.name}: ${cause.message}`);
    }
  }
  const options: MachineOptions = {
    accounts: readAccounts(),
    interfaces,
    cgroupPrefix,
    hasTimeouts: knowsTimeouts(),
    networks: networkInterfaces(uplinkInterfaces()),
  };
  return { scopes: found, missing, options };
}
