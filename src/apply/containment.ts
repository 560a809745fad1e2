/** Whether the scopes of a policy hold their processes, and what an enforced policy needs for it. */
import { SeawallError } from "../core/base/error.ts";
import { plain } from "../core/base/plain.ts";
import { shellWord } from "../core/base/shell-word.ts";
import type { Accounts } from "../core/compile/nftables/scope.ts";
import { uidRanges } from "../core/compile/nftables/scope.ts";
import type { Containment, Reason } from "../core/containment/facts.ts";
import { gradeContainment } from "../core/containment/grade.ts";
import { selectorOfCgroup, selectorOfUnit } from "../core/containment/slice.ts";
import type { PolicyDocument } from "../core/policy/document.ts";
import type { ResolvedPolicy, ResolvedScope } from "../core/policy/resolved.ts";
import { containerFacts, findContainerFacts } from "../edge/host/containment/container.ts";
import { strayUnitCgroup } from "../edge/host/scope-cgroup.ts";
import { openProbe, type Probe } from "../edge/host/containment/probe.ts";
import type { ScopeContainment } from "./containment-record.ts";

const { statSync } = process.getBuiltinModule("node:fs");

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

/**
 * Returns the same for the scopes of containers alone, which change without anybody asking Seawall. One after the
 * other, and without waiting for dockerd. Needs root.
 */
export async function examineContainers(policy: ResolvedPolicy): Promise<readonly ScopeContainment[]> {
  const examined: ScopeContainment[] = [];
  for (const { name, target } of policy.scopes) {
    if (target.kind !== "docker") continue;
    examined.push({ scope: name, ...gradeContainment(await findContainerFacts(target.network)) });
  }
  return examined;
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
      return (
        strayUnit(name, target.unit) ??
        gradeContainment(machine().facts({ kind: "cgroup", path: selectorOfUnit(name).path }))
      );
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

/** SECURITY: a unit beside the slice that the rules name is judged by none of them; nothing else matters then. */
function strayUnit(scope: string, unit: string): Containment | null {
  const evidence = strayUnitCgroup(unit);
  if (evidence === null) return null;
  return {
    grade: "not-contained",
    reasons: [
      {
        id: "outside-slice",
        sentence: `${unit} runs outside the slice of scope ${scope}, so no rule judges it`,
        evidence: plain(evidence),
        cure: `seawall attach ${shellWord(unit)} --scope ${scope}; systemctl restart ${shellWord(unit)}`,
        effect: "escapes",
      },
    ],
  };
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

function gradeWords(grade: Containment["grade"]): string {
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
