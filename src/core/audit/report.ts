/** An audit as it is handed on: findings, what they add up to, and the view that was asked for. */
import type { Check } from "./check.ts";
import { judgeAll } from "./check.ts";
import type { AuditRecord } from "./difference.ts";
import type { Facts } from "./fact/facts.ts";
import { compareFindings, type Finding, SEVERITIES, type Severity } from "./finding.ts";
import {
  type AuditVerdict,
  openFailures,
  type Score,
  scoreOf,
  type Summary,
  summaryOf,
  verdictOf,
} from "./score.ts";
import { answerView, type AnsweredItem, type View } from "./view.ts";
import { type Waiver, withWaivers } from "./waiver.ts";

export interface AuditReport {
  readonly takenMs: number;
  readonly privileged: boolean;
  readonly verdict: AuditVerdict;
  readonly score: Score;
  readonly summary: Summary;
  /** As they are shown: what failed first, the worst first. */
  readonly findings: readonly Finding[];
  readonly view: {
    readonly name: string;
    readonly title: string;
    readonly items: readonly AnsweredItem[];
  } | null;
}

export function reportOf(
  checks: readonly Check[],
  facts: Facts,
  waivers: readonly Waiver[],
  view: View | null,
): AuditReport {
  const findings = withWaivers(judgeAll(checks, facts), waivers, facts.takenMs).sort(compareFindings);
  return {
    takenMs: facts.takenMs,
    privileged: facts.privileged,
    verdict: verdictOf(findings),
    score: scoreOf(findings),
    summary: summaryOf(findings),
    findings,
    view: view === null ? null : { name: view.name, title: view.title, items: answerView(view, findings) },
  };
}

/** Whether a failure that is not waived is as bad as `least`, or worse. */
export function failsAt(report: AuditReport, least: Severity): boolean {
  return openFailures(report.findings).some(
    ({ severity }) => SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(least),
  );
}

/** What is kept for `audit diff`. */
export function recordOf(report: AuditReport): AuditRecord {
  return {
    taken: new Date(report.takenMs).toISOString(),
    score: report.score.value,
    findings: report.findings.map(({ id, status, severity, title, evidence }) => ({
      id,
      status,
      severity,
      title,
      evidence,
    })),
  };
}
