/**
 * What was found of the scopes of a policy, beside the policy it was found for. Light: `status` runs on every prompt.
 * INVARIANT: what was seen for one policy is never shown for another; without a record nobody has looked.
 */
import { SeawallError } from "../core/base/error.ts";
import type { Containment, Reason } from "../core/containment/facts.ts";
import { makeFolder } from "../edge/state/folder.ts";
import type { HistoryEntry } from "../edge/state/history-entry.ts";
import { replaceFile } from "../edge/state/replace-file.ts";

const { readFileSync } = process.getBuiltinModule("node:fs");

export interface ScopeContainment extends Containment {
  readonly scope: string;
}

/** A policy of the history. The hash: a history that was begun anew counts from 1 again. */
export type LookedAt = Pick<HistoryEntry, "id" | "sha256">;

/** What was seen, and when. */
export interface RecordedContainment {
  readonly grade: Containment["grade"];
  readonly scopes: readonly ScopeContainment[];
  readonly examinedMs: number;
  /** Whether it is too old to say anything of now. */
  readonly stale: boolean;
}

interface Look extends LookedAt {
  readonly examinedMs: number;
  readonly scopes: readonly ScopeContainment[];
}

const CONTAINMENT_FILE = "containment.json";
/** LIMIT: policies whose looks are kept; the newest stay. */
const LOOKS_MAX = 8;
/** What was seen a day ago says little: groups, keys and sudoers change. */
const STALE_MS = 24 * 60 * 60 * 1_000;

/**
 * Writes down what was seen of a policy, for `status`. Returns what went wrong, or null: the change it belongs to is
 * done, so this is nothing to fail for.
 */
export function writeContainment(
  state: string,
  { id, sha256 }: LookedAt,
  scopes: readonly ScopeContainment[],
  nowMs: number,
): string | null {
  return write(state, { id, sha256, examinedMs: nowMs, scopes });
}

function write(state: string, look: Look): string | null {
  const looks = [...readLooks(state).filter(({ id }) => id !== look.id), look].slice(-LOOKS_MAX);
  try {
    makeFolder(state);
    replaceFile(`${state}/${CONTAINMENT_FILE}`, `${JSON.stringify({ looks })}\n`);
    return null;
  } catch (cause) {
    if (!(cause instanceof SeawallError)) throw cause;
    return `${cause.message}; how the agent is contained is not kept, and every status looks anew`;
  }
}

/** Writes down what was seen anew of some scopes; what is recorded of the others, and its age, stays. */
export function amendContainment(
  state: string,
  policy: LookedAt,
  seen: readonly ScopeContainment[],
): string | null {
  const recorded = lookAt(state, policy);
  if (recorded === undefined) return null;
  const scopes = recorded.scopes.map((old) => seen.find(({ scope }) => scope === old.scope) ?? old);
  if (JSON.stringify(scopes) === JSON.stringify(recorded.scopes)) return null;
  return write(state, { ...recorded, scopes });
}

/** What was seen of a policy holds for one with the very same scopes. Nothing seen, nothing carried. */
export function carryContainment(state: string, from: LookedAt, to: LookedAt): void {
  const look = lookAt(state, from);
  if (look !== undefined) write(state, { ...look, id: to.id, sha256: to.sha256 });
}

/** Returns what was written down of this policy, or null when nothing was (or the file is broken). */
export function readContainment(state: string, policy: LookedAt, nowMs: number): RecordedContainment | null {
  const look = lookAt(state, policy);
  if (look === undefined) return null;
  const { scopes, examinedMs } = look;
  // A clock that was set back makes it old, never fresh for ever.
  const age = nowMs - examinedMs;
  return { grade: worstOf(scopes), scopes, examinedMs, stale: age < 0 || age > STALE_MS };
}

/** Returns the grade of the scope that holds least; of none it is unknown. */
export function worstOf(scopes: readonly ScopeContainment[]): Containment["grade"] {
  return GRADES.find((grade) => scopes.some((one) => one.grade === grade)) ?? "unknown";
}

const GRADES: readonly Containment["grade"][] = ["not-contained", "unknown", "partly", "contained"];

function lookAt(state: string, { id, sha256 }: LookedAt): Look | undefined {
  return readLooks(state).find((look) => look.id === id && look.sha256 === sha256);
}

/** Records of 0.1.0 name no policy and are none. */
function readLooks(state: string): Look[] {
  try {
    const found: unknown = JSON.parse(readFileSync(`${state}/${CONTAINMENT_FILE}`, "utf8"));
    const looks = typeof found === "object" && found !== null ? (found as { looks?: unknown }).looks : null;
    return Array.isArray(looks) ? looks.filter(isLook) : [];
  } catch {
    return [];
  }
}

function isLook(value: unknown): value is Look {
  if (typeof value !== "object" || value === null) return false;
  const { id, sha256, scopes, examinedMs } = value as Partial<Record<keyof Look, unknown>>;
  if (typeof id !== "number" || typeof sha256 !== "string" || typeof examinedMs !== "number") return false;
  if (!Array.isArray(scopes)) return false;
  return scopes.every(
    (one: Partial<ScopeContainment> | null) =>
      typeof one?.scope === "string" &&
      GRADES.some((grade) => grade === one.grade) &&
      Array.isArray(one.reasons) &&
      one.reasons.every((reason: Partial<Reason> | null) => typeof reason?.sentence === "string"),
  );
}
