/** Who the kernel takes for a scope, beside who it is now: passwd and subuid change without a word to the kernel. */
import type { UidRange } from "../compile/nftables/scope.ts";

/** One step through a map of uids: from `uid` on it says `chain`; empty: nothing. */
export interface UidStep {
  readonly uid: number;
  readonly chain: string;
  readonly isEnd: boolean;
}

/** Returns the ranges of each chain of a map of single uids, or of intervals where `isInterval`. */
export function rangesByChain(steps: readonly UidStep[], isInterval: boolean): Map<string, UidRange[]> {
  const found = new Map<string, UidRange[]>();
  const add = (chain: string, first: number, last: number): void => {
    if (chain === "") return;
    found.set(chain, [...(found.get(chain) ?? []), { first, last }]);
  };
  const sorted = [...steps].sort((a, b) => a.uid - b.uid || Number(b.isEnd) - Number(a.isEnd));
  let open: UidStep | null = null;
  for (const step of sorted) {
    if (!isInterval) {
      add(step.chain, step.uid, step.uid);
      continue;
    }
    if (open !== null && step.uid > open.uid) add(open.chain, open.uid, step.uid - 1);
    open = step.isEnd ? null : step;
  }
  if (open !== null) add(open.chain, open.uid, UID_MAX);
  return found;
}

const UID_MAX = 0xffff_ffff;

/** What is wrong with who a scope is. */
export interface ScopeAlarm {
  readonly kind: "scope-moved";
  readonly scope: string;
  /** `unjudged`: somebody of the scope is judged by no rule. `extra`: only others are judged as if they were it. */
  readonly gravity: "unjudged" | "extra";
  readonly said: string;
  readonly help: string;
}

export interface ScopeUids {
  readonly scope: string;
  /** As the policy names it. */
  readonly user: string | number;
  /** What the kernel judges as this scope. */
  readonly judged: readonly UidRange[];
  /** Who it is now: null when there is no such user, `unreadable` when nobody can tell. */
  readonly now: readonly UidRange[] | "unreadable" | null;
}

/** Returns the alarm where a scope is not who the kernel takes for it, else null. */
export function scopeAlarm({ scope, user, judged, now }: ScopeUids): ScopeAlarm | null {
  const kernel = `the kernel judges ${judged.length === 0 ? "nobody" : uidsText(merged(judged))}`;
  const alarm = (gravity: ScopeAlarm["gravity"], said: string, help: string): ScopeAlarm => ({
    kind: "scope-moved",
    scope,
    gravity,
    said: `scope ${scope}: ${said}`,
    help,
  });
  if (now === "unreadable") {
    const said = `who user ${user} is cannot be told, /etc/passwd cannot be read; ${kernel}`;
    return alarm("unjudged", said, "look at /etc/passwd, then seawall status");
  }
  if (now === null) {
    const uid = judged[0]?.first;
    const back = uid === undefined ? "" : `make it again (useradd -u ${uid} ${user}) or `;
    const help = `${back}name another user in the policy and: seawall apply`;
    return alarm("unjudged", `there is no user ${user} any more; ${kernel}`, help);
  }
  const missing = without(merged(now), merged(judged));
  const own = now[0];
  if (own !== undefined && missing.some(({ first, last }) => first <= own.first && own.first <= last)) {
    const said = `user ${user} is uid ${own.first} now, ${kernel}: what ${user} sends is not judged`;
    return alarm("unjudged", said, "seawall apply");
  }
  if (missing.length > 0) {
    const said = `${uidsText(missing)} belong to user ${user} now (subuid), ${kernel}: they are not judged`;
    return alarm("unjudged", said, "seawall apply");
  }
  const extra = without(merged(judged), merged(now));
  if (extra.length === 0) return null;
  const said = `the kernel judges ${uidsText(extra)} as user ${user}, which has them no longer`;
  return alarm("extra", said, "seawall apply");
}

/** `uid 1000`, `uids 1000, 100000-165535`. */
function uidsText(ranges: readonly UidRange[]): string {
  const words = ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
  const isOne = ranges.length === 1 && ranges[0]?.first === ranges[0]?.last;
  return `${isOne ? "uid" : "uids"} ${words.join(", ")}`;
}

/** Sorted, without overlaps and without two that touch. */
function merged(ranges: readonly UidRange[]): UidRange[] {
  const found: UidRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const before = found.at(-1);
    if (before !== undefined && range.first <= before.last + 1)
      found[found.length - 1] = { first: before.first, last: Math.max(before.last, range.last) };
    else found.push(range);
  }
  return found;
}

/** What of `all` is not in `taken`; both merged. */
function without(all: readonly UidRange[], taken: readonly UidRange[]): UidRange[] {
  return all.flatMap(({ first, last }) => {
    const left: UidRange[] = [];
    let from = first;
    for (const one of taken) {
      if (one.last < from || one.first > last) continue;
      if (one.first > from) left.push({ first: from, last: one.first - 1 });
      from = one.last + 1;
    }
    if (from <= last) left.push({ first: from, last });
    return left;
  });
}
