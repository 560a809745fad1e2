import type { AuditReport } from "../../core/audit/report.ts";
import { SCHEMA } from "../command.ts";

/** The contract of `seawall audit --json`: one finding for each check, several objects go into its evidence. */
export function auditJson(report: AuditReport): string {
  const { score, summary, findings, verdict, privileged, takenMs, view } = report;
  const body = {
    schema: SCHEMA,
    taken: new Date(takenMs).toISOString(),
    privileged,
    verdict,
    score: score.value,
    arithmetic: {
      shown: score.shown,
      failed: score.failed,
      unproven: score.unproven,
      possible: score.possible,
    },
    summary,
    findings: findings.map(({ id, layer, status, severity, title, why, evidence, fix, waived }) => ({
      id,
      layer,
      status,
      severity,
      title,
      why,
      evidence,
      fix,
      waived,
    })),
    ...(view === null ? {} : { view }),
  };
  return `${JSON.stringify(body)}\n`;
}
