/** The score, and how it comes about: anybody can do the sum again from the findings. */
import type { Finding, FindingStatus, Severity } from "./finding.ts";

/** Points that a check is worth. */
export const POINTS: Readonly<Record<Severity, number>> = {
  critical: 10,
  high: 5,
  medium: 2,
  low: 1,
  info: 0,
};

export interface Score {
  /** 0 to 100, rounded down: what is shown to be so, of all that applies. Null when nothing applies. */
  readonly value: number | null;
  readonly shown: number;
  readonly failed: number;
  /** What could not be seen counts as not shown: unproven is not safe. */
  readonly unproven: number;
  readonly possible: number;
}

/** Adds up the points. A check that does not apply, or whose failure is waived, counts nowhere. */
export function scoreOf(findings: readonly Finding[]): Score {
  const points = (status: FindingStatus): number =>
    findings
      .filter((finding) => finding.status === status && finding.waived === null)
      .reduce((sum, { severity }) => sum + POINTS[severity], 0);
  const [shown, failed, unproven] = [points("pass"), points("fail"), points("unknown")];
  const possible = shown + failed + unproven;
  return {
    value: possible === 0 ? null : Math.floor((100 * shown) / possible),
    shown,
    failed,
    unproven,
    possible,
  };
}

/** The sum in words: `148 of 310 points shown; 120 failed, 42 unproven`. */
export function scoreText({ shown, failed, unproven, possible }: Score): string {
  return `${shown} of ${possible} points shown; ${failed} failed, ${unproven} unproven`;
}

export interface Summary {
  readonly pass: number;
  readonly fail: number;
  readonly unknown: number;
  readonly notApplicable: number;
  readonly waived: number;
  /** Failures that are not waived, by severity. */
  readonly failures: Readonly<Record<Severity, number>>;
}

export function summaryOf(findings: readonly Finding[]): Summary {
  const count = (status: FindingStatus): number =>
    findings.filter((finding) => finding.status === status).length;
  const open = openFailures(findings);
  const of = (severity: Severity): number => open.filter((finding) => finding.severity === severity).length;
  return {
    pass: count("pass"),
    fail: count("fail"),
    unknown: count("unknown"),
    notApplicable: count("not-applicable"),
    waived: findings.filter(({ waived }) => waived !== null).length,
    failures: {
      critical: of("critical"),
      high: of("high"),
      medium: of("medium"),
      low: of("low"),
      info: of("info"),
    },
  };
}

export function openFailures(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ status, waived }) => status === "fail" && waived === null);
}

/** `exposed`: something critical fails. `unproven`: nothing bad fails, but something bad could not be seen. */
export type AuditVerdict = "exposed" | "weak" | "unproven" | "fair" | "hard";

export function verdictOf(findings: readonly Finding[]): AuditVerdict {
  const { failures } = summaryOf(findings);
  if (failures.critical > 0) return "exposed";
  if (failures.high > 0) return "weak";
  const isGrave = ({ status, severity }: Finding): boolean =>
    status === "unknown" && (severity === "critical" || severity === "high");
  if (findings.some(isGrave)) return "unproven";
  return failures.medium > 0 ? "fair" : "hard";
}
