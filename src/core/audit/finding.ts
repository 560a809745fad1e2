/** The layers of the audit, in the order in which they are shown. */
export const LAYERS = [
  "ssh",
  "firewall",
  "fail2ban",
  "updates",
  "docker",
  "secrets",
  "proxy",
  "app",
  "remote",
  "host",
  "containment",
] as const;
export type Layer = (typeof LAYERS)[number];

/** From worst to mildest. */
export const SEVERITIES = ["critical", "high", "medium", "low", "info"] as const;
export type Severity = (typeof SEVERITIES)[number];

export type FindingStatus = "pass" | "fail" | "unknown" | "not-applicable";

/** A failed check that the operator accepted, by name and until a date. */
export interface Waived {
  readonly why: string;
  readonly owner: string;
  /** RFC 3339 date. */
  readonly expires: string;
}

/** What one check says about this host. Exactly one for each check; several objects go into `evidence`. */
export interface Finding {
  readonly id: string;
  readonly layer: Layer;
  readonly status: FindingStatus;
  readonly severity: Severity;
  readonly title: string;
  /** One sentence: what goes wrong when this is not so. */
  readonly why: string;
  /** What was seen. Never empty for `pass` and `fail`; for the others it says why nothing was judged. */
  readonly evidence: readonly string[];
  /** The command or change that helps; null when there is nothing to do. */
  readonly fix: string | null;
  readonly waived: Waived | null;
}

/** What others wait for: a key that works before passwords go, the door of SSH before anything else of the firewall. */
const GOES_FIRST: ReadonlySet<string> = new Set(["SSH-020", "FW-007"]);

/**
 * Orders findings as they are shown: what failed first, the worst first, then by layer and id. INVARIANT: who works
 * from the top never mends something before that on which it depends.
 */
export function compareFindings(left: Finding, right: Finding): number {
  const status: Record<FindingStatus, number> = { fail: 0, unknown: 1, pass: 2, "not-applicable": 3 };
  return (
    status[left.status] - status[right.status] ||
    Number(left.waived !== null) - Number(right.waived !== null) ||
    SEVERITIES.indexOf(left.severity) - SEVERITIES.indexOf(right.severity) ||
    LAYERS.indexOf(left.layer) - LAYERS.indexOf(right.layer) ||
    Number(GOES_FIRST.has(right.id)) - Number(GOES_FIRST.has(left.id)) ||
    (left.id < right.id ? -1 : 1)
  );
}
