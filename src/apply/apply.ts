/** Puts a policy in force under a lease. Whatever fails, the kernel keeps what it had. */
import { SeawallError } from "../core/base/error.ts";
import type { Diagnostic } from "../core/base/diagnostic.ts";
import { type Compilation, compileNftables } from "../core/compile/nftables/compile.ts";
import { nextGeneration } from "../core/compile/nftables/mark.ts";
import type { Ruleset } from "../core/compile/nftables/ruleset.ts";
import { LEASE_SECONDS_MAX, LEASE_SECONDS_MIN, propose } from "../core/compile/nftables/transaction.ts";
import type { DropIn, PolicyDocument } from "../core/policy/document.ts";
import { needsDaemon } from "../core/policy/gated.ts";
import type { ResolvedPolicy } from "../core/policy/resolved.ts";
import { readAccounts } from "../edge/host/accounts.ts";
import { sshConnections } from "../edge/host/operator.ts";
import { interfaceTo, networkInterfaces, uplinkInterfaces } from "../edge/host/route.ts";
import { type LiveState, readLive } from "../edge/kernel/live.ts";
import { knowsTimeouts, loadTransaction, requireNft } from "../edge/kernel/nft.ts";
import { type Folders, makeFolder } from "../edge/state/folder.ts";
import type { HistoryEntry } from "../edge/state/history-entry.ts";
import { writeResolvedPolicy } from "../edge/state/resolved-policy.ts";
import { policyHash, readHistory, trimHistory, writeHistory } from "../edge/state/history.ts";
import { isWaiting, withdraw } from "./confirm.ts";
import { type ScopeContainment, writeContainment } from "./containment-record.ts";
import { examineContainment, refuseUncontained } from "./containment.ts";
import { followKernel, prepareGate, refuseWithoutGate } from "./gate.ts";
import { refuseEmbeddedResolver, refuseUnreachableGate } from "./guest.ts";
import { writeLandmark } from "./landmark.ts";
import { lockouts, refuseLockout } from "./lockout.ts";
import { preload } from "./preload.ts";
import { prepareCgroups, refuseUnenforceable, scopeInterfaces } from "./scope.ts";
import { settleOver } from "./settle.ts";
import { sealOf } from "./seal.ts";
import { isGenerationInUse } from "./stamp.ts";
import { refuseSurroundings } from "./surroundings.ts";

export interface ApplyRequest {
  readonly policy: ResolvedPolicy;
  readonly document: PolicyDocument;
  readonly text: string;
  /** The files of policy.d that the policy was read with. */
  readonly dropIns: readonly DropIn[];
  readonly path: string;
  readonly folders: Folders;
  readonly leaseMs: number;
  readonly acceptLosingSsh: boolean;
  readonly by: string;
  readonly nowMs: () => number;
}

export type ApplyResult =
  | {
      readonly ok: true;
      readonly entry: HistoryEntry;
      readonly deadlineMs: number;
      readonly trouble: string | null;
    }
  /** The policy cannot be expressed. */
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/**
 * Loads the policy as a candidate beside the one in force. Returns once the kernel judges by it; without a
 * confirm the kernel goes back by itself. Refuses a policy that would cut a present SSH peer, one that needs
 * what is not there (a user, a gate, country data), one whose agent is not contained, and a second candidate.
 */
export async function applyPolicy(request: ApplyRequest): Promise<ApplyResult> {
  // A slice that is not there yet holds nobody, so it is made before anything is said about who is in it.
  prepareCgroups(request.policy);
  const { uplinks, containment } = refuseUnfit(request);
  await refuseWithoutGate(request.policy, request.folders.run);
  makeFolder(request.folders.state);
  const live = settleOver(request.folders.state, readLive());
  const compiled = compileHere(request.policy, live, uplinks);
  if (!compiled.ok) return compiled;
  const entry = record(request, compiled.ruleset.generation, compiled.ruleset);
  await load(compiled.ruleset, live, entry, request);
  const troubles = [
    writeLandmark(request.folders.state),
    writeContainment(request.folders.state, containment, request.nowMs()),
  ].filter((one) => one !== null);
  const trouble = troubles.length === 0 ? null : troubles.join("; ");
  return { ok: true, entry, deadlineMs: request.nowMs() + request.leaseMs, trouble };
}

/** Refuses what applyPolicy refuses and changes nothing. Returns what nftables cannot express. */
export async function examinePolicy(request: ApplyRequest): Promise<readonly Diagnostic[]> {
  const { uplinks } = refuseUnfit(request);
  await refuseWithoutGate(request.policy, request.folders.run);
  return compileHere(request.policy, readLive(), uplinks).diagnostics;
}

/** What was seen of the machine while looking whether a policy fits it. */
interface Fit {
  readonly uplinks: readonly string[];
  readonly containment: readonly ScopeContainment[];
}

/** Refuses a policy that does not fit this machine, the people on it, or its agents. */
function refuseUnfit(request: ApplyRequest): Fit {
  requireNft();
  refuseUnenforceable(request.policy, request.document, readAccounts());
  const uplinks = uplinkInterfaces();
  refuseSurroundings(request.policy, uplinks);
  if (!request.acceptLosingSsh) {
    refuseLockout(lockouts(request.policy, sshConnections(), interfaceTo, request.nowMs()));
  }
  refuseEmbeddedResolver(request.policy);
  const containment = examineContainment(request.policy, readAccounts());
  refuseUncontained(request.policy, request.document, containment, request.nowMs());
  return { uplinks, containment };
}

function compileHere(
  policy: ResolvedPolicy,
  live: LiveState | null,
  uplinks: readonly string[],
): Compilation {
  if (isWaiting(live)) {
    throw new SeawallError("SEAWALL_BUSY", "a change waits for its confirm", {
      still: `the policy of generation ${live?.candidate} judges until it is confirmed or its time is over`,
      help: "seawall confirm (or seawall rollback)",
    });
  }
  return compileNftables(policy, {
    generation: freeGeneration(live),
    accounts: readAccounts(),
    interfaces: scopeInterfaces(policy),
    cgroupPrefix: prepareCgroups(policy),
    hasTimeouts: knowsTimeouts(),
    networks: networkInterfaces(uplinks),
  });
}

/** A number that no connection carries any more: what it meant before must not count now. */
function freeGeneration(live: LiveState | null): number {
  const taken = new Set<number>(live?.committed ? [live.committed] : []);
  for (;;) {
    const generation = nextGeneration(live?.committed ?? 0, taken);
    if (generation === undefined) {
      throw new SeawallError("SEAWALL_BUSY", "connections of fifteen earlier policies are still open", {
        still: "nothing was changed",
        help: "conntrack -L (and end the oldest connections)",
      });
    }
    if (!isGenerationInUse(generation)) return generation;
    taken.add(generation);
  }
}

/** Written before the kernel is told, so that whatever the kernel holds can be named. */
function record(request: ApplyRequest, generation: number, ruleset: Ruleset): HistoryEntry {
  const history = readHistory(request.folders.state);
  const entry: HistoryEntry = {
    id: (history.at(-1)?.id ?? 0) + 1,
    generation,
    proposedMs: request.nowMs(),
    confirmedMs: null,
    policyPath: request.path,
    sha256: policyHash(request),
    mode: request.policy.mode,
    objects: ruleset.objects.map((object) => object.name),
    elements: countElements(ruleset),
    by: request.by,
    dropIns: request.dropIns.map(({ file }) => file),
  };
  writeHistory(request.folders.state, entry, request);
  if (needsDaemon(request.policy)) writeResolvedPolicy(request.folders.state, entry.id, request.policy);
  const used = history.filter(({ confirmedMs }) => confirmedMs !== null).at(-1);
  trimHistory(request.folders.state, new Set([entry.id, ...(used === undefined ? [] : [used.id])]));
  return entry;
}

function countElements({ objects }: Ruleset): number {
  return objects.reduce((count, object) => {
    if (object.kind === "verdicts") return count + object.elements.length;
    return object.kind === "prefixes" ? count + object.intervals.first.length : count;
  }, 0);
}

async function load(
  ruleset: Ruleset,
  live: LiveState | null,
  entry: HistoryEntry,
  { policy, folders, leaseMs }: ApplyRequest,
): Promise<void> {
  const loaded = await preload(ruleset, live?.sets ?? new Set());
  const { stage, turn } = propose({
    candidate: ruleset,
    previous: live?.committed ?? null,
    leaseSeconds: Math.ceil(leaseMs / 1_000),
    seal: sealOf(entry),
    loaded,
  });
  loadTransaction(stage);
  try {
    await prepareGate(policy, folders.run, entry.id);
  } catch (cause) {
    settleOver(folders.state, readLive());
    await followKernel(folders.run);
    throw cause;
  }
  loadTransaction(turn);
  await followKernel(folders.run);
  try {
    refuseUnreachableGate(policy);
  } catch (cause) {
    withdraw(folders);
    await followKernel(folders.run);
    throw cause;
  }
}

export const DEFAULT_LEASE_MS = 60_000;

/** Returns the lease of `60s`, `5m` or `1h`, or undefined when it is no duration or out of range. */
export function parseLease(text: string): number | undefined {
  const match = /^([1-9][0-9]{0,4})(s|m|h)$/.exec(text);
  if (match === null) return undefined;
  const seconds = Number(match[1]) * (match[2] === "h" ? 3_600 : match[2] === "m" ? 60 : 1);
  return seconds >= LEASE_SECONDS_MIN && seconds <= LEASE_SECONDS_MAX ? seconds * 1_000 : undefined;
}
