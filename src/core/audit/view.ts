/** The audit as checklists that people know: each item is answered by checks, with their evidence. */
import type { Finding, FindingStatus } from "./finding.ts";

export interface ViewItem {
  readonly text: string;
  readonly checks: readonly string[];
}

export interface View {
  readonly name: string;
  readonly title: string;
  readonly items: readonly ViewItem[];
}

export const VIEWS: readonly View[] = [
  {
    name: "checklist",
    title: "The thirteen items of a production checklist",
    items: [
      {
        text: "Firewall configured (only SSH and necessary ports open)",
        checks: ["FW-001", "FW-003", "FW-004", "FW-006", "FW-011"],
      },
      {
        text: "Gateway bound to localhost (or behind auth)",
        checks: ["APP-001", "DKR-007", "PRX-008", "PRX-010", "NET-001"],
      },
      { text: "Gateway auth token set (strong, random)", checks: ["APP-002"] },
      { text: "Pairing enabled (auto-approve off)", checks: ["APP-003", "APP-004"] },
      { text: "Running as non-root user", checks: ["APP-008", "APP-015", "DKR-001"] },
      { text: "API keys in environment variables, not config files", checks: ["SEC-001", "SEC-008"] },
      { text: ".env file permissions restricted (chmod 600)", checks: ["SEC-002", "SEC-003"] },
      { text: "No secrets in git repos", checks: ["SEC-004", "SEC-005"] },
      { text: "SSH key-based auth only (password auth disabled)", checks: ["SSH-002", "SSH-003", "SSH-004"] },
      { text: "fail2ban installed and running", checks: ["F2B-001", "F2B-002"] },
      { text: "Unattended security updates enabled", checks: ["UPD-001", "UPD-002", "UPD-003"] },
      { text: "Billing alerts set on API providers", checks: ["APP-017"] },
      { text: "Monthly spending limits configured", checks: ["APP-018"] },
    ],
  },
  {
    name: "never",
    title: "The six things never to do",
    items: [
      {
        text: "Never expose the gateway to the internet without auth",
        checks: ["APP-001", "APP-002", "FW-006", "DKR-007", "NET-001"],
      },
      { text: "Never run as root", checks: ["APP-008", "DKR-001"] },
      { text: "Never put API keys in repositories", checks: ["SEC-004", "SEC-005"] },
      { text: "Never disable pairing on a public bot", checks: ["APP-003"] },
      { text: "Never share the gateway's token", checks: ["SEC-001", "SEC-002", "SEC-009"] },
      { text: "Never skip system updates", checks: ["UPD-002", "UPD-007"] },
    ],
  },
  {
    name: "layers",
    title: "The eight layers and their key settings",
    items: [
      {
        text: "1. SSH: PermitRootLogin no, keys only, MaxAuthTries 3",
        checks: ["SSH-001", "SSH-002", "SSH-006"],
      },
      { text: "2. Firewall: deny 18789, allow what is needed", checks: ["FW-003", "FW-004", "FW-006"] },
      {
        text: "3. Fail2Ban: maxretry 5 in 10 minutes, 1 hour out",
        checks: ["F2B-001", "F2B-004", "F2B-006"],
      },
      { text: "4. Updates: unattended-upgrades", checks: ["UPD-001", "UPD-002", "UPD-003", "UPD-005"] },
      {
        text: "5. Docker: non-root, cap-drop ALL, no-new-privileges",
        checks: ["DKR-001", "DKR-002", "DKR-003"],
      },
      {
        text: "6. Secrets: not in openclaw.json, 600 and 700, encrypted",
        checks: ["SEC-001", "SEC-002", "SEC-003", "SEC-006"],
      },
      {
        text: "7. Proxy: gateway on 127.0.0.1, TLS, HSTS, nosniff, frame deny",
        checks: ["APP-001", "PRX-001", "PRX-003", "PRX-004", "PRX-005"],
      },
      {
        text: "8. OpenClaw: pairing, workspace-only, exec denied",
        checks: ["APP-003", "APP-005", "APP-006"],
      },
    ],
  },
  {
    name: "network",
    title: "The network isolation checklist",
    items: [
      {
        text: "Gateway bound to 127.0.0.1 (or a private or VPN address), never 0.0.0.0",
        checks: ["APP-001"],
      },
      {
        text: "UFW (or equivalent) enabled: allow SSH, deny the gateway port",
        checks: ["FW-001", "FW-006", "FW-007"],
      },
      { text: "Remote access by Tailscale or SSH tunnel only", checks: ["NET-001", "SSH-008", "FW-006"] },
      {
        text: "Docker: a network of its own, the gateway port not published, or on 127.0.0.1",
        checks: ["DKR-007", "DKR-012", "FW-011"],
      },
    ],
  },
];

export function viewNamed(name: string): View | undefined {
  return VIEWS.find((view) => view.name === name);
}

export interface AnsweredItem extends ViewItem {
  readonly status: FindingStatus;
  /** The first lines of evidence of the checks that decide the item. */
  readonly evidence: readonly string[];
}

/**
 * Answers each item: it fails when a check of it fails for more than a trifle (low, info), is unknown when one is and
 * none fails, and passes when all that apply pass.
 */
export function answerView(view: View, findings: readonly Finding[]): AnsweredItem[] {
  return view.items.map((item) => {
    const own = findings.filter(({ id }) => item.checks.includes(id));
    const failed = own.filter(
      ({ status, severity }) => status === "fail" && severity !== "low" && severity !== "info",
    );
    const unknown = own.filter(({ status }) => status === "unknown");
    const passed = own.filter(({ status }) => status === "pass" || status === "fail");
    const deciding =
      failed.length > 0 ? failed : unknown.length > 0 ? unknown : passed.length > 0 ? passed : own;
    const status =
      failed.length > 0
        ? "fail"
        : unknown.length > 0
          ? "unknown"
          : passed.length > 0
            ? "pass"
            : "not-applicable";
    return { ...item, status, evidence: deciding.map(({ id, evidence }) => `${id}: ${evidence[0] ?? ""}`) };
  });
}
