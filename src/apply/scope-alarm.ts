/** Whether the scopes in force are still who the kernel takes for them. Light: `status` asks it on every prompt. */
import { GATE_UID, GATE_USER } from "../core/compile/nftables/gate-user.ts";
import { uidRanges } from "../core/compile/nftables/scope.ts";
import { type ScopeAlarm, scopeAlarm } from "../core/drift/judged-uids.ts";
import { GATE_PLACE } from "../core/policy/parse/vocabulary.ts";
import type { ResolvedPolicy } from "../core/policy/resolved.ts";
import { readAccounts } from "../edge/host/accounts.ts";
import { type LiveState, readJudgedUids } from "../edge/kernel/live.ts";
import { readHistoryEntry } from "../edge/state/history-entry.ts";
import { readResolvedPolicy } from "../edge/state/resolved-policy.ts";
import { parseSeal } from "./seal.ts";

/** Returns an alarm for every scope by user that is somebody else by passwd and subuid than by the kernel. */
export function scopeAlarms(state: string, live: LiveState | null): ScopeAlarm[] {
  const generation = live === null ? null : live.leaseMs === null ? live.committed : live.candidate;
  if (live === null || generation === null) return [];
  const seal = parseSeal(live.seals.get(generation) ?? "");
  const entry = readHistoryEntry(state, seal?.id);
  // Another history may have another policy of that number.
  const isIt = entry !== undefined && entry.sha256 === seal?.sha256;
  const policy = isIt ? readResolvedPolicy(state, entry.id) : null;
  return policy === null || policy.outbound === null ? [] : alarmsOf(policy, generation);
}

function alarmsOf(policy: ResolvedPolicy, generation: number): ScopeAlarm[] {
  const users = policy.scopes.flatMap(({ name, target }) =>
    target.kind === "user" ? [{ scope: name, user: target.user }] : [],
  );
  const judged = readJudgedUids(generation);
  const chainOf = (place: string): string => `g${generation}/scope/${place}`;
  const accounts = readAccounts();
  const alarms = users.flatMap(({ scope, user }) => {
    const now = accounts.isKnown ? (uidRanges(user, accounts) ?? null) : "unreadable";
    return scopeAlarm({ scope, user, judged: judged?.get(chainOf(scope)) ?? [], now }) ?? [];
  });
  // The gates are judged by their uid, too; without a user of that name they run as a number that never changes.
  const gates = judged?.get(chainOf(GATE_PLACE));
  if (gates === undefined) return alarms;
  const uid = accounts.uidOf(GATE_USER) ?? GATE_UID;
  const now = accounts.isKnown ? [{ first: uid, last: uid }] : "unreadable";
  return alarms.concat(scopeAlarm({ scope: GATE_PLACE, user: GATE_USER, judged: gates, now }) ?? []);
}
