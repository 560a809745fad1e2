import type { AcceptedRisk } from "../document.ts";

/** What `accept_risk` lifts, for the rules that need it. */
export interface AcceptedRisks {
  readonly publicWebUntilMs: number | null;
  readonly names: ReadonlyMap<string, number>;
}

/** Returns what the entries accept. Of two for the same thing, the later end counts. */
export function acceptedRisksOf(entries: readonly AcceptedRisk[]): AcceptedRisks {
  let publicWebUntilMs: number | null = null;
  const names = new Map<string, number>();
  for (const { risk, expiresMs } of entries) {
    if (risk.kind === "public-web") publicWebUntilMs = Math.max(publicWebUntilMs ?? 0, expiresMs);
    if (risk.kind === "name") names.set(risk.pattern, Math.max(names.get(risk.pattern) ?? 0, expiresMs));
  }
  return { publicWebUntilMs, names };
}

/** Returns until when a broad pattern is accepted (Unix ms), or null when it never was. */
export function lookUpName(risks: AcceptedRisks, pattern: string): number | null {
  return risks.names.get(pattern) ?? null;
}
