/** SARIF 2.1.0 (OASIS), for code scanning and dashboards that read it. */
import { CHECKS } from "../../core/audit/check/all.ts";
import type { Finding, Severity } from "../../core/audit/finding.ts";
import type { AuditReport } from "../../core/audit/report.ts";
import { VERSION } from "../../core/base/version.ts";

const LEVELS: Readonly<Record<Severity, "error" | "warning" | "note">> = {
  critical: "error",
  high: "error",
  medium: "warning",
  low: "note",
  info: "note",
};
/** GitHub orders findings by this number, as CVSS does. */
const NUMBERS: Readonly<Record<Severity, string>> = {
  critical: "9.5",
  high: "8.0",
  medium: "5.0",
  low: "2.0",
  info: "0.5",
};
const KINDS = { pass: "pass", fail: "fail", unknown: "open", "not-applicable": "notApplicable" } as const;

export function auditSarif(report: AuditReport): string {
  const ids = new Set(report.findings.map(({ id }) => id));
  const rules = CHECKS.filter(({ id }) => ids.has(id)).map(
    ({ id, title, why, fix, severity, layer, looksAt }) => ({
      id,
      name: title,
      shortDescription: { text: title },
      fullDescription: { text: `${why}.` },
      help: { text: fix },
      defaultConfiguration: { level: LEVELS[severity] },
      properties: { tags: ["security", layer], "security-severity": NUMBERS[severity], looksAt },
    }),
  );
  const driver = { name: "Seawall", semanticVersion: VERSION, rules };
  const run = {
    tool: { driver },
    results: report.findings.map(resultOf),
    invocations: [{ executionSuccessful: true, endTimeUtc: new Date(report.takenMs).toISOString() }],
  };
  const log = { $schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [run] };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function resultOf(finding: Finding): object {
  const { id, status, severity, title, evidence, fix, layer, waived } = finding;
  const said = [`${title}.`, ...evidence, ...(fix === null ? [] : [`Help: ${fix}`])];
  return {
    ruleId: id,
    kind: KINDS[status],
    level: status === "fail" ? LEVELS[severity] : "none",
    message: { text: said.join("\n") },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri: `host/${layer}` } },
        logicalLocations: [{ name: layer, kind: "module" }],
      },
    ],
    partialFingerprints: { check: id },
    ...(waived === null
      ? {}
      : {
          suppressions: [
            { kind: "external", justification: `${waived.why} (${waived.owner}, until ${waived.expires})` },
          ],
        }),
  };
}
