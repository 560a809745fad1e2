/** Whether the scopes of a policy hold their processes, and what an enforced policy needs for it. */
import { SeawallError } from "../core/base/error.ts";
import type { Accounts } from "../core/compile/nftables/scope.ts";
import { uidRanges } from "../core/compile/nftables/scope.ts";
import type { Containment, Reason } from "../core/containment/facts.ts";
import { gradeContainment } from "../core/containment/grade.ts";
import { selectorOfCgroup, selectorOfUnit } from "../core/containment/slice.ts";
import type { PolicyDocument } from "../core/policy/document.ts";
import type { ResolvedPolicy, ResolvedScope } from "../core/policy/resolved.ts";
import { containerFacts } from "../edge/host/containment/container.ts";
import { openProbe, type Probe } from "../edge/host/containment/probe.ts";
import { makeFolder } from "../edge/state/folder.ts";
import { replaceFile } from "../edge/state/replace-file.ts";

const { readFileSync, statSync } = process.getBuiltinModule("node:fs");

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
/** LIMIT: reasons in a refusal. */
const REASONS_SHOWN_MAX = 3;
const STILL = "nothing was changed";

/** Returns the grade of every scope of a policy that judges outbound, as this machine is now. Needs root. */
export function examineContainment(
  policy: ResolvedPolicy,
  accounts: Accounts,
  probe: () => Probe = openProbe,
): readonly ScopeContainment[] {
  if (policy.outbound === null) return [];
  let opened: Probe | null = null;
  const machine = (): Probe => (opened ??= probe());
  return policy.scopes.map((scope) => ({ scope: scope.name, ...examineScope(scope, accounts, machine) }));
}

function examineScope(
  { name, target }: ResolvedScope,
  accounts: Accounts,
  machine: () => Probe,
): Containment {
  switch (target.kind) {
    case "user": {
      const uids = uidRanges(target.user, accounts);
      if (uids === undefined) return unexamined(`there is no user ${target.user} on this machine`);
      return gradeContainment(machine().facts({ kind: "users", uids }));
    }
    case "unit":
      return gradeContainment(machine().facts({ kind: "cgroup", path: selectorOfUnit(name).path }));
    case "cgroup": {
      const selector = selectorOfCgroup(target.path);
      if (selector === undefined) return unexamined(`${target.path} is not the path of a cgroup`);
      return gradeContainment(machine().facts({ kind: "cgroup", path: selector.path }));
    }
    case "docker":
      return gradeContainment(containerFacts(target.network));
    case "netns": {
      const found = statSync(`/run/netns/${target.name}`, { throwIfNoEntry: false });
      if (found === undefined) return unexamined(`there is no network namespace ${target.name}`);
      return gradeContainment(machine().facts({ kind: "netns", link: `net:[${found.ino}]` }));
    }
  }
}

function unexamined(evidence: string): Containment {
  const sentence = "it is not known whose processes it judges";
  const cure = "name a scope of this machine";
  return {
    grade: "unknown",
    reasons: [{ id: "unknown-scope", sentence, evidence, cure, effect: "unknown" }],
  };
}

/**
 * Refuses to enforce outbound for a scope that does not hold its processes, unless the policy accepts that risk
 * and the acceptance has not expired.
 */
export function refuseUncontained(
  policy: ResolvedPolicy,
  document: PolicyDocument,
  examined: readonly ScopeContainment[],
  nowMs: number,
): void {
  if (policy.outbound === null || policy.mode.outbound !== "enforce") return;
  const accepted = new Set(
    document.acceptRisk
      .filter(({ expiresMs }) => expiresMs > nowMs)
      .flatMap(({ risk }) => (risk.kind === "scope" ? [risk.scope] : [])),
  );
  const open = examined.find(({ scope, grade }) => grade !== "contained" && !accepted.has(scope));
  if (open === undefined) return;
  const { scope, grade, reasons } = open;
  throw new SeawallError(
    "SEAWALL_SCOPE",
    `scope \`${scope}\` is ${gradeWords(grade)}: ${sentences(reasons)}`,
    {
      still: STILL,
      help: `${reasons[0]?.cure ?? "seawall status"} - or accept it: accept_risk: {scope: ${scope}, reason: ..., by: ..., expires: ...}`,
    },
  );
}

/** Returns how a grade is said, for the first line of `status`. */
export function gradeWords(grade: Containment["grade"]): string {
  switch (grade) {
    case "contained":
      return "CONTAINED";
    case "partly":
      return "PARTLY contained";
    case "not-contained":
      return "NOT CONTAINED";
    case "unknown":
      return "not known to be contained";
  }
}

function sentences(reasons: readonly Reason[]): string {
  const shown = reasons
    .slice(0, REASONS_SHOWN_MAX)
    .map(({ sentence, evidence }) => `${sentence} (${evidence})`)
    .join("; ");
  const more = reasons.length - REASONS_SHOWN_MAX;
  return more > 0 ? `${shown}; and ${more} more` : shown;
}

/** Writes down what was seen, for `status`, which is asked often and looks at nothing itself. */
export function writeContainment(state: string, scopes: readonly ScopeContainment[], nowMs: number): void {
  makeFolder(state);
  replaceFile(`${state}/${CONTAINMENT_FILE}`, `${JSON.stringify({ examinedMs: nowMs, scopes })}\n`);
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
