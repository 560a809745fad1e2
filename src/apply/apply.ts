/** Puts a policy in force under a lease. Whatever fails, the kernel keeps what it had. */
import type { Diagnostic } from "../core/base/diagnostic.ts";
import { LEASE_SECONDS_MAX, LEASE_SECONDS_MIN } from "../core/compile/nftables/transaction.ts";
import type { DropIn, PolicyDocument } from "../core/policy/document.ts";
import type { ResolvedPolicy } from "../core/policy/resolved.ts";
import { readAccounts } from "../edge/host/accounts.ts";
import { interfaceTo, uplinkInterfaces } from "../edge/host/route.ts";
import type { SshConnection } from "../edge/host/ssh-session.ts";
import { readLive } from "../edge/kernel/live.ts";
import { requireNft } from "../edge/kernel/nft.ts";
import { type Folders, makeFolder } from "../edge/state/folder.ts";
import type { HistoryEntry } from "../edge/state/history-entry.ts";
import { together } from "./attempt.ts";
import { compileNext, loadCandidate, machineOptions } from "./candidate.ts";
import { type ScopeContainment, writeContainment } from "./containment-record.ts";
import { examineContainment, refuseUncontained } from "./containment.ts";
import { refuseWithoutGate } from "./gate.ts";
import { refuseEmbeddedResolver } from "./guest.ts";
import { writeLandmark } from "./landmark.ts";
import { lockouts, refuseLockout } from "./lockout.ts";
import { type NoSsh, noSshUnder } from "./no-ssh.ts";
import { operatorSessions, reachOfCaller, scopeUids, scopeUidsOf } from "./operator.ts";
import { refusePanic } from "./panic.ts";
import { prepareCgroups, refuseUnenforceable } from "./scope.ts";
import { settleForChange } from "./settle.ts";
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
  /** Which command asks for it; of a rollback, the entry that it goes back to. */
  readonly how: "apply" | "rollback";
  readonly from?: number;
  readonly nowMs: () => number;
}

export type ApplyResult =
  | {
      readonly ok: true;
      readonly entry: HistoryEntry;
      readonly deadlineMs: number;
      readonly trouble: string | null;
      readonly noSsh: NoSsh | null;
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
  const live = settleForChange(request.folders);
  refusePanic(request.folders.state, live, "be-replaced");
  const options = machineOptions(request.policy, uplinks);
  const compiled = compileNext(request.policy, live, options);
  if (!compiled.ok) return compiled;
  const { entry, trouble: unknown } = await loadCandidate(request, compiled.ruleset, live, options);
  const trouble = together([
    unknown,
    writeLandmark(request.folders),
    writeContainment(request.folders.state, entry, containment, request.nowMs()),
  ]);
  const noSsh = noSshUnder(request.policy, request.nowMs());
  return { ok: true, entry, deadlineMs: request.nowMs() + request.leaseMs, trouble, noSsh };
}

/** Refuses what applyPolicy refuses and changes nothing. Returns what nftables cannot express. */
export async function examinePolicy(request: ApplyRequest): Promise<readonly Diagnostic[]> {
  const { uplinks } = refuseUnfit(request);
  await refuseWithoutGate(request.policy, request.folders.run);
  return compileNext(request.policy, readLive(), machineOptions(request.policy, uplinks)).diagnostics;
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
    refuseLockout(lockouts(request.policy, presentConnections(request), interfaceTo, request.nowMs()));
  }
  refuseEmbeddedResolver(request.policy);
  const containment = examineContainment(request.policy, readAccounts());
  refuseUncontained(request.policy, request.document, containment, request.nowMs());
  return { uplinks, containment };
}

/** Everybody who is logged in, and by what this command was called: an agent's login keeps nobody from anything. */
function presentConnections({ policy, folders }: ApplyRequest): SshConnection[] {
  const inForce = scopeUidsOf(folders.state, readLive());
  const wanted = scopeUids(policy.scopes);
  const isScope = (uid: number): boolean => inForce(uid) || wanted(uid);
  const { connections, began } = reachOfCaller(isScope);
  return [...operatorSessions(isScope), ...connections, ...began];
}

export const DEFAULT_LEASE_MS = 60_000;

/** Returns the lease of `60s`, `5m` or `1h`, or undefined when it is no duration or out of range. */
export function parseLease(text: string): number | undefined {
  const match = /^([1-9][0-9]{0,4})(s|m|h)$/.exec(text);
  if (match === null) return undefined;
  const seconds = Number(match[1]) * (match[2] === "h" ? 3_600 : match[2] === "m" ? 60 : 1);
  return seconds >= LEASE_SECONDS_MIN && seconds <= LEASE_SECONDS_MAX ? seconds * 1_000 : undefined;
}
