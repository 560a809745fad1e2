/** Layer 8, the process: its user, its rights, its unit, its version, its own audit; and what only you can state. */
import { type Check, type Outcome, fail, given, notApplicable, pass, passUnless, unknown } from "../check.ts";
import type { Facts } from "../fact/facts.ts";
import type { OpenclawInstance, UnitSandbox } from "../fact/openclaw.ts";
import { byEvidence, withNumbers } from "../failure.ts";
import { fixAgentUser } from "../fix/account.ts";
import { onInstances } from "./app-instance.ts";

const DAY_MS = 86_400_000;
const VERSION_AGE_MAX_MS = 30 * DAY_MS;
const VERSION_AGE_OLD_MS = 120 * DAY_MS;
const ATTESTED_MAX_MS = 90 * DAY_MS;
const SANDBOX_DROP_IN =
  "systemctl edit openclaw-gateway: NoNewPrivileges=yes, ProtectSystem=strict, PrivateTmp=yes, ReadWritePaths=the state folder, the workspace and /tmp/openclaw*";

export const APP_PROCESS_CHECKS: readonly Check[] = [
  {
    id: "APP-008",
    layer: "app",
    severity: "critical",
    title: "The gateway runs as a user of its own, with no way to root",
    fails: byEvidence("The agent's user has a way to root", [/runs as root/, "The gateway runs as root"]),
    why: "what the agent's user may do, whoever tricks the agent may do",
    fix: "a user of its own for the agent (useradd --system --create-home openclaw); an account that you log in by keeps its sudo until another has a key that works",
    remedy: (facts) => fixAgentUser(facts),
    looksAt:
      "the uid and groups of the process that holds the gateway's socket, and sudo -l -U for that user",
    judge: (facts) => onInstances(facts, (instance) => judgeUser(instance)),
  },
  {
    id: "APP-009",
    layer: "app",
    severity: "medium",
    title: "Its unit is sandboxed",
    fails: "The gateway's unit has no sandbox",
    why: "the official unit has no limits: the process may write wherever its user may",
    fix: SANDBOX_DROP_IN,
    looksAt: "systemctl show of the unit that runs it",
    judge: (facts) =>
      onInstances(facts, ({ sandbox, container }) => {
        if (container !== null) return notApplicable("it runs in a container: see layer docker");
        return given(sandbox, (unit) =>
          passUnless(
            sandboxGaps(unit),
            `${unit.unit}: no new privileges, a read-only system, a /tmp of its own`,
          ),
        );
      }),
  },
  {
    id: "APP-013",
    layer: "app",
    severity: "high",
    title: "OpenClaw is of this month",
    fails: withNumbers("OpenClaw is old, days", /is (\d+) days old/),
    why: "holes in it are found and fixed every few weeks",
    fix: "openclaw update",
    looksAt: "the version the running gateway says, which is a date",
    judge: (facts) =>
      onInstances(facts, ({ version }) => {
        const released = releaseMs(version);
        if (version === null || released === null)
          return unknown("its version cannot be seen", "openclaw --version");
        const age = facts.takenMs - released;
        if (age <= VERSION_AGE_MAX_MS) return pass(`version ${version}`);
        return fail(
          `version ${version} is ${Math.round(age / DAY_MS)} days old`,
          age > VERSION_AGE_OLD_MS ? {} : { severity: "medium" },
        );
      }),
  },
  {
    id: "APP-014",
    layer: "app",
    severity: "high",
    title: "OpenClaw's own audit finds nothing critical",
    fails: "OpenClaw's own audit finds something critical",
    why: "it knows its own settings best",
    fix: "openclaw security audit, and what it says for each finding",
    looksAt: "openclaw security audit --json, run as the agent's user",
    judge: (facts) =>
      onInstances(facts, ({ audit }) =>
        given(audit, ({ critical, warn, findings, suppressed }) => {
          const worst = findings
            .filter(({ severity }) => severity === "critical")
            .map(({ id, title }) => `${id}: ${title}`);
          const hushed =
            suppressed > 0 ? [`${suppressed} finding(s) are suppressed in its configuration`] : [];
          return critical > 0
            ? fail([...worst, ...hushed])
            : pass(`0 critical, ${warn} warning(s)`, ...hushed);
        }),
      ),
  },
  {
    id: "APP-015",
    layer: "app",
    severity: "high",
    title: "What sudo allows the agent's user leads no further",
    fails: "Sudo opens a way to root for the agent's user",
    why: "a wildcard after journalctl or tailscale lets the user open a shell as root",
    fix: "visudo -f /etc/sudoers.d/openclaw: whole commands without wildcards, no pager, no editor",
    looksAt: "sudo -l -U for the gateway's user",
    judge: (facts) =>
      onInstances(facts, ({ process, user }) =>
        given(process, ({ uid, sudo }) => {
          if (uid === 0) return notApplicable("it runs as root: see APP-008");
          return given(sudo, (rules) =>
            rules.length === 0
              ? pass(`${user} may run nothing by sudo`)
              : passUnless(
                  rules.filter(isEscape).map((rule) => `${user}: ${rule}`),
                  rules.map((rule) => `${user}: ${rule}`),
                ),
          );
        }),
      ),
  },
  {
    id: "APP-017",
    layer: "app",
    severity: "medium",
    title: "Billing alerts are set at every provider",
    fails: "No billing alerts are set",
    why: "a key that leaks is noticed first on the bill",
    fix: 'set them, then: seawall audit attest APP-017 --says "alert at 20 USD at Anthropic"',
    looksAt: "your own statement, at most 90 days old: no program can see it",
    judge: (facts) => attested(facts, "APP-017", "nobody has stated that billing alerts are set"),
  },
  {
    id: "APP-018",
    layer: "app",
    severity: "medium",
    title: "A monthly spending limit is set at every provider",
    fails: "No spending limit is set",
    why: "an agent in a loop, or a thief with your key, spends until something stops it",
    fix: 'set it, then: seawall audit attest APP-018 --says "50 USD a month at Anthropic"',
    looksAt: "your own statement, at most 90 days old: no program can see it",
    judge: (facts) => attested(facts, "APP-018", "nobody has stated that a spending limit is set"),
  },
  {
    id: "APP-023",
    layer: "app",
    severity: "high",
    title: "OpenClaw accepts its configuration",
    fails: "OpenClaw refuses its configuration",
    why: "with one unknown key the gateway ends with exit code 78 and stays down after the next restart",
    fix: "openclaw config validate, and openclaw doctor",
    looksAt: "the configuration itself, openclaw security audit and openclaw doctor --lint",
    judge: (facts) =>
      onInstances(facts, ({ config, refused, audit, doctor }) => {
        if (refused !== null) return fail(refused);
        if (config.kind === "unreadable") return unknown(config.why, config.needs);
        if (config.kind === "absent") return fail(config.why);
        if (doctor.kind === "read")
          return passUnless(
            doctor.value.ok ? [] : doctor.value.findings,
            "openclaw doctor --lint has no objection",
          );
        if (audit.kind === "read") return pass("openclaw security audit could read it");
        if (audit.kind === "unreadable" && /invalid/i.test(audit.why)) return fail(audit.why);
        return unknown(audit.why, audit.kind === "unreadable" ? audit.needs : "openclaw config validate");
      }),
  },
];

function attested(facts: Facts, check: string, missing: string): Outcome {
  if (facts.openclaw.kind === "absent") return notApplicable(facts.openclaw.why);
  const stated = facts.attested.filter((entry) => entry.check === check).at(-1);
  if (stated === undefined) return unknown(missing, `seawall audit attest ${check} --says "..."`);
  const age = facts.takenMs - Date.parse(`${stated.on}T00:00:00Z`);
  const text = `${stated.owner}, ${stated.on}: ${stated.says}`;
  return age > ATTESTED_MAX_MS
    ? unknown(`${text}, which is more than 90 days ago`, `seawall audit attest ${check} --says "..."`)
    : pass(text);
}

const ROOT_GROUPS = new Set([
  "sudo",
  "wheel",
  "admin",
  "docker",
  "lxd",
  "incus-admin",
  "libvirt",
  "disk",
  "shadow",
  "root",
]);

function judgeUser(instance: OpenclawInstance): Outcome {
  if (instance.pid === null) return notApplicable("it does not run");
  return given(instance.process, ({ uid, groups, sudo }) => {
    if (uid === 0) return fail("the gateway runs as root");
    const way = groups
      .filter((group) => ROOT_GROUPS.has(group))
      .map((group) => `${instance.user} is in group ${group}`);
    const free =
      sudo.kind === "read"
        ? sudo.value
            .filter((rule) => /\bALL\s*$/.test(rule))
            .map((rule) => `${instance.user} may by sudo: ${rule}`)
        : [];
    if (way.length + free.length > 0) return fail([...way, ...free]);
    if (sudo.kind === "unreadable")
      return unknown(sudo.why, sudo.needs, [`it runs as ${instance.user} (uid ${uid})`]);
    return pass(`it runs as ${instance.user} (uid ${uid}), groups: ${groups.join(", ") || "none"}`);
  });
}

/** Programs that open a shell or an editor, and wildcards that let an argument do so. */
function isEscape(rule: string): boolean {
  if (/\bALL\s*$/.test(rule)) return true;
  if (
    /\*/.test(rule) &&
    /(journalctl|tailscale|systemctl|less|more|man|vi|vim|nano|find|tar|git|apt|apt-get|npm|node|cp|mv|tee|cat|chmod|chown|docker)\b/.test(
      rule,
    )
  )
    return true;
  return /\/(bash|sh|zsh|vi|vim|nano|less|more|man|env|python3?|perl|node|docker|tee|cp|dd)\s*$/.test(rule);
}

const WANTED: readonly (readonly [string, (value: string) => boolean])[] = [
  ["NoNewPrivileges", (value) => value === "yes"],
  ["ProtectSystem", (value) => value === "strict" || value === "full"],
  ["PrivateTmp", (value) => value !== "no" && value !== ""],
];

function sandboxGaps({ unit, properties }: UnitSandbox): string[] {
  return WANTED.filter(([name, isGood]) => !isGood(properties[name] ?? "")).map(
    ([name]) => `${unit}: ${name}=${properties[name] ?? ""}`,
  );
}

/** `2026.9.6` is a day, as OpenClaw numbers its releases; `2026.9.6-beta.1` too. */
function releaseMs(version: string | null): number | null {
  const match = /^(20\d\d)\.(\d{1,2})\.(\d{1,2})/.exec(version ?? "");
  if (match === null) return null;
  return Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]));
}
