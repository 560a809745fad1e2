/** Who is an operator: logged in by the host's own SSH, and no agent. */
import { uidRanges } from "../core/compile/nftables/scope.ts";
import type { ResolvedScope } from "../core/policy/resolved.ts";
import { readAccounts } from "../edge/host/accounts.ts";
import { type Reached, reachOf } from "../edge/host/reach.ts";
import { type SshSession, sshSessions } from "../edge/host/ssh-session.ts";
import type { LiveState } from "../edge/kernel/live.ts";
import { readHistoryEntry } from "../edge/state/history-entry.ts";
import { readResolvedPolicy } from "../edge/state/resolved-policy.ts";
import { parseSeal } from "./seal.ts";

export type IsScope = (uid: number) => boolean;

/** Returns what tells the uids of agents from everybody else's. */
export function scopeUids(scopes: readonly ResolvedScope[]): IsScope {
  const accounts = readAccounts();
  const ranges = scopes.flatMap(({ target }) =>
    target.kind === "user" ? (uidRanges(target.user, accounts) ?? []) : [],
  );
  return (uid) => ranges.some(({ first, last }) => first <= uid && uid <= last);
}

/** Returns the same for every policy that the kernel holds now. */
export function scopeUidsOf(state: string, live: LiveState | null): IsScope {
  const policies = [...(live?.seals.values() ?? [])].flatMap((seal) => {
    const entry = readHistoryEntry(state, parseSeal(seal)?.id);
    return entry === undefined ? [] : (readResolvedPolicy(state, entry.id) ?? []);
  });
  return scopeUids(policies.flatMap(({ scopes }) => scopes));
}

/** Returns everybody who is logged in over SSH and is no agent: an agent's login counts for nobody. */
export function operatorSessions(isScope: IsScope): readonly SshSession[] {
  return sshSessions().filter(({ uid }) => !isScope(uid));
}

/** Returns how this very process is reached. */
export function reachOfCaller(isScope: IsScope): Reached {
  return reachOf(process.pid, isScope);
}
