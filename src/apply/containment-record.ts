/** What the last look at the scopes found. Light: `status` runs on every prompt and looks at nothing itself. */
import { SeawallError } from "../core/base/error.ts";
import type { Containment, Reason } from "../core/containment/facts.ts";
import { makeFolder } from "../edge/state/folder.ts";
import { dropFile, replaceFile } from "../edge/state/replace-file.ts";

const { readFileSync } = process.getBuiltinModule("node:fs");

export interface ScopeContainment extends Containment {
  readonly scope: string;
}

/** What was last seen, and when. */
export interface RecordedContainment {
  readonly grade: Containment["grade"];
  readonly scopes: readonly ScopeContainment[];
  readonly examinedMs: number;
  /** Whether it is too old to say anything of now. */
  readonly stale: boolean;
}

const CONTAINMENT_FILE = "containment.json";
/** What was seen a day ago says little: groups, keys and sudoers change. */
const STALE_MS = 24 * 60 * 60 * 1_000;

/**
 * Writes down what was seen, for `status`. Returns what went wrong, or null: the change it belongs to is done, so
 * this is nothing to fail for.
 */
export function writeContainment(
  state: string,
  scopes: readonly ScopeContainment[],
  nowMs: number,
): string | null {
  const path = `${state}/${CONTAINMENT_FILE}`;
  try {
    makeFolder(state);
    replaceFile(path, `${JSON.stringify({ examinedMs: nowMs, scopes })}\n`);
    return null;
  } catch (cause) {
    if (!(cause instanceof SeawallError)) throw cause;
    // The old one would speak of another policy.
    dropFile(path);
    return `${cause.message}; status will not say how the agent is contained`;
  }
}

/** Writes down what was seen anew of some scopes; what is recorded of the others, and its age, stays. */
export function amendContainment(
  state: string,
  seen: readonly ScopeContainment[],
  nowMs: number,
): string | null {
  const recorded = readContainment(state, nowMs);
  if (recorded === null) return null;
  const scopes = recorded.scopes.map((old) => seen.find(({ scope }) => scope === old.scope) ?? old);
  if (JSON.stringify(scopes) === JSON.stringify(recorded.scopes)) return null;
  return writeContainment(state, scopes, recorded.examinedMs);
}

/** Returns what was last written down, or null when nothing was (or the file is broken). */
export function readContainment(state: string, nowMs: number): RecordedContainment | null {
  try {
    const found: unknown = JSON.parse(readFileSync(`${state}/${CONTAINMENT_FILE}`, "utf8"));
    if (!isRecord(found)) return null;
    const { scopes, examinedMs } = found;
    // A clock that was set back makes it old, never fresh for ever.
    const age = nowMs - examinedMs;
    return { grade: worstOf(scopes), scopes, examinedMs, stale: age < 0 || age > STALE_MS };
  } catch {
    return null;
  }
}

const GRADES: readonly Containment["grade"][] = ["not-contained", "unknown", "partly", "contained"];

function worstOf(scopes: readonly ScopeContainment[]): Containment["grade"] {
  return GRADES.find((grade) => scopes.some((one) => one.grade === grade)) ?? "unknown";
}

function isRecord(value: unknown): value is { scopes: readonly ScopeContainment[]; examinedMs: number } {
  if (typeof value !== "object" || value === null) return false;
  const { scopes, examinedMs } = value as { scopes?: unknown; examinedMs?: unknown };
  if (typeof examinedMs !== "number" || !Array.isArray(scopes)) return false;
  return scopes.every(
    (one: Partial<ScopeContainment> | null) =>
      typeof one?.scope === "string" &&
      GRADES.some((grade) => grade === one.grade) &&
      Array.isArray(one.reasons) &&
      one.reasons.every((reason: Partial<Reason> | null) => typeof reason?.sentence === "string"),
  );
}
