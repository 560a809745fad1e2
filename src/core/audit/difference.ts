/** What changed between two audits. */
import type { Finding, FindingStatus, Severity } from "./finding.ts";

/** What is kept of a finding: no evidence that could grow. */
export type KeptFinding = Pick<Finding, "id" | "status" | "severity" | "title"> & {
  readonly evidence: readonly string[];
};

export interface AuditRecord {
  /** RFC 3339. */
  readonly taken: string;
  readonly score: number | null;
  readonly findings: readonly KeptFinding[];
}

export interface Change {
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  readonly from: FindingStatus | "absent";
  readonly to: FindingStatus | "absent";
  /** `worse` when it fails now or can no longer be seen, `better` when it passes now. */
  readonly kind: "worse" | "better" | "other";
  readonly evidence: readonly string[];
}

/** Returns the checks whose status changed, the worse ones first. */
export function differenceOf(before: AuditRecord, after: AuditRecord): Change[] {
  const old = new Map(before.findings.map((finding) => [finding.id, finding]));
  const now = new Map(after.findings.map((finding) => [finding.id, finding]));
  const changes = [...new Set([...old.keys(), ...now.keys()])].flatMap((id): Change[] => {
    const [first, second] = [old.get(id), now.get(id)];
    const shown = second ?? first;
    if (shown === undefined || first?.status === second?.status) return [];
    const from: Change["from"] = first?.status ?? "absent";
    const to: Change["to"] = second?.status ?? "absent";
    return [
      {
        id,
        title: shown.title,
        severity: shown.severity,
        from,
        to,
        kind: kindOf(from, to),
        evidence: shown.evidence,
      },
    ];
  });
  const order = { worse: 0, better: 1, other: 2 } as const;
  return changes.sort((left, right) => order[left.kind] - order[right.kind] || (left.id < right.id ? -1 : 1));
}

function kindOf(from: Change["from"], to: Change["to"]): Change["kind"] {
  if (to === "fail" || (from === "pass" && to === "unknown")) return "worse";
  return to === "pass" ? "better" : "other";
}
