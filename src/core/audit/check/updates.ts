/** Layer 4: automatic security updates, by what apt itself would do. */
import { type Check, type Outcome, fail, given, notApplicable, pass, passUnless, unknown } from "../check.ts";
import { byEvidence, withNumbers } from "../failure.ts";
import type { AptArchive, UpdateFacts } from "../fact/update.ts";
import { allowedArchives, isSecurityArchive } from "../read/apt.ts";

const DAY_MS = 86_400_000;
const RUN_AGE_MAX_MS = 3 * DAY_MS;
const LISTS_AGE_MAX_MS = 7 * DAY_MS;
const REBOOT_AGE_MAX_MS = 7 * DAY_MS;

export const UPDATE_CHECKS: readonly Check[] = [
  {
    id: "UPD-001",
    layer: "updates",
    severity: "high",
    title: "The package unattended-upgrades is installed",
    fails: "The package unattended-upgrades is missing",
    why: "without it a hole that is fixed today stays open until somebody logs in",
    fix: "apt-get install unattended-upgrades",
    looksAt: "dpkg's status of the package",
    judge: (facts) =>
      given(facts.updates, ({ unattendedInstalled }) =>
        passUnless(unattendedInstalled ? [] : ["the package is not installed"], "the package is installed"),
      ),
  },
  {
    id: "UPD-002",
    layer: "updates",
    severity: "high",
    title: "It is switched on, in effect",
    fails: "Automatic updates are switched off",
    why: "the package alone does nothing until APT::Periodic says so",
    fix: 'printf \'APT::Periodic::Update-Package-Lists "1";\\nAPT::Periodic::Unattended-Upgrade "1";\\n\' >/etc/apt/apt.conf.d/52seawall-auto-upgrades',
    looksAt: "apt-config dump: APT::Periodic, all files together",
    judge: (facts) =>
      given(facts.updates, ({ settings }) => {
        const value = (key: string): string => settings.get(key)?.at(-1) ?? "";
        const isOn = (key: string): boolean =>
          /^(always|[1-9]\d*[smhd]?)$/.test(value(`APT::Periodic::${key}`));
        const wanted = ["Update-Package-Lists", "Unattended-Upgrade"];
        return passUnless(
          [
            ...wanted
              .filter((key) => !isOn(key))
              .map((key) => `APT::Periodic::${key} is "${value(`APT::Periodic::${key}`)}"`),
            ...(value("APT::Periodic::Enable") === "0"
              ? ['APT::Periodic::Enable is "0": nothing of it runs']
              : []),
          ],
          wanted.map((key) => `APT::Periodic::${key} "${value(`APT::Periodic::${key}`)}"`),
        );
      }),
  },
  {
    id: "UPD-003",
    layer: "updates",
    severity: "high",
    title: "It takes updates from the security archive",
    fails: byEvidence(
      "Automatic updates leave the security archive out",
      [/never fetched/, "The lists of the security archive were never fetched"],
      [/no source/, "This host has no security archive"],
    ),
    why: "when no pattern matches the archive, nothing is ever installed and nothing complains",
    fix: "add 'Unattended-Upgrade::Origins-Pattern { \"origin=Debian,codename=${distro_codename}-security,label=Debian-Security\"; };' to /etc/apt/apt.conf.d/52seawall-unattended (lists add up)",
    looksAt:
      "apt-config dump: Unattended-Upgrade::Origins-Pattern and Allowed-Origins, against apt-cache policy",
    judge: (facts) =>
      onArchives(facts.updates, (updates, archives) => {
        const security = archives.filter(isSecurityArchive);
        if (security.length === 0 && updates.securitySources.length > 0)
          return fail(
            updates.securitySources.map(
              (place) => `${place} names a security archive, and its list was never fetched`,
            ),
            { fix: "apt-get update, and read what it says of that source" },
          );
        if (security.length === 0)
          return fail("no source of this host is a security archive", {
            fix: "add the security archive of your release to /etc/apt/sources.list",
          });
        const allowed = allowedArchives(updates, security);
        return passUnless(
          allowed.length > 0 ? [] : security.map((archive) => `no pattern matches ${archiveText(archive)}`),
          `allowed: ${allowed.map(archiveText).join(", ")}`,
        );
      }),
  },
  {
    id: "UPD-004",
    layer: "updates",
    severity: "medium",
    title: "Repositories of others are covered too",
    fails: "Repositories of others get no automatic updates",
    why: "Docker, Node.js, Tailscale and Caddy from their own repositories are not updated by default",
    fix: 'add their origin to Unattended-Upgrade::Origins-Pattern, for example "origin=Docker,label=Docker CE"; or update them by hand and waive this',
    looksAt: "apt-cache policy: origin of every source, against the patterns",
    judge: (facts) =>
      onArchives(facts.updates, (updates, archives) => {
        const others = archives.filter(({ fields }) => !/^(Debian|Ubuntu|Raspbian)/.test(fields.o));
        const uncovered = others.filter((archive) => allowedArchives(updates, [archive]).length === 0);
        return passUnless(
          uncovered.map((archive) => `not covered: ${archiveText(archive)}`),
          others.length === 0
            ? "no source is another's repository"
            : `covered: ${others.map(archiveText).join(", ")}`,
        );
      }),
  },
  {
    id: "UPD-005",
    layer: "updates",
    severity: "high",
    title: "Something starts it every day",
    fails: "Nothing starts the automatic updates",
    why: "settings without a timer are a wish",
    fix: "systemctl unmask apt-daily.timer apt-daily-upgrade.timer && systemctl enable --now apt-daily.timer apt-daily-upgrade.timer",
    looksAt: "the state of apt's timers, or cron where systemd does not run",
    judge: (facts) =>
      given(facts.updates, ({ timers }) =>
        given(timers, ({ active, how }) => passUnless(active ? [] : [how], how)),
      ),
  },
  {
    id: "UPD-006",
    layer: "updates",
    severity: "medium",
    title: "It ran in the last three days",
    fails: byEvidence("Automatic updates have not run for days", [
      /never ran/,
      "Automatic updates never ran",
    ]),
    why: "an upgrade that fails every night is as good as none",
    fix: "unattended-upgrade --verbose, then read /var/log/unattended-upgrades/unattended-upgrades.log",
    looksAt: "apt's own stamps of its last run",
    judge: (facts) =>
      given(facts.updates, ({ unattendedInstalled, lastRunMs, listsMs }) => {
        if (!unattendedInstalled) return notApplicable("unattended-upgrades is not installed");
        const lists =
          listsMs !== null && facts.takenMs - listsMs > LISTS_AGE_MAX_MS
            ? [`the package lists are ${ageText(facts.takenMs - listsMs)} old`]
            : [];
        if (lastRunMs === null) return fail(["it never ran", ...lists]);
        const age = facts.takenMs - lastRunMs;
        return passUnless(
          [...(age > RUN_AGE_MAX_MS ? [`its last run is ${ageText(age)} ago`] : []), ...lists],
          `its last run is ${ageText(age)} ago`,
        );
      }),
  },
  {
    id: "UPD-007",
    layer: "updates",
    severity: "high",
    title: "No security update is waiting",
    fails: withNumbers("Security updates are waiting", /^(\d+) security/),
    why: "what waits is published: everybody can read what the hole is",
    fix: "apt-get update && apt-get upgrade",
    looksAt: "apt list --upgradable: what waits in a security archive",
    judge: (facts) =>
      given(facts.updates, ({ pending, listsMs }) =>
        given(pending, (all) => {
          const waiting = all.filter(({ security }) => security);
          if (waiting.length > 0)
            return fail([
              `${waiting.length} security update(s) wait`,
              ...waiting.slice(0, 8).map(({ name, to }) => `${name} ${to}`),
            ]);
          if (listsMs === null || facts.takenMs - listsMs > LISTS_AGE_MAX_MS)
            return unknown(
              listsMs === null
                ? "the package lists were never fetched"
                : `the package lists are ${ageText(facts.takenMs - listsMs)} old`,
              "apt-get update",
            );
          return pass("none, by lists that are less than a week old");
        }),
      ),
  },
  {
    id: "UPD-008",
    layer: "updates",
    severity: "medium",
    title: "A new kernel does not wait for a restart for long",
    fails: "A new kernel waits for a restart",
    why: "an updated kernel protects from its next start on, not before",
    fix: 'reboot when it suits you, or Unattended-Upgrade::Automatic-Reboot "true" with Automatic-Reboot-Time "04:00"',
    looksAt: "/run/reboot-required and apt-config dump: Automatic-Reboot",
    judge: (facts) =>
      given(facts.updates, ({ rebootRequiredMs, settings }) => {
        const automatic = settings.get("Unattended-Upgrade::Automatic-Reboot")?.at(-1) === "true";
        if (rebootRequiredMs === null) return pass("no restart is waiting");
        const age = facts.takenMs - rebootRequiredMs;
        if (automatic) return pass(`a restart waits since ${ageText(age)} and happens by itself`);
        return passUnless(
          age > REBOOT_AGE_MAX_MS ? [`a restart waits since ${ageText(age)}`] : [],
          `a restart waits since ${ageText(age)}, which is not long`,
        );
      }),
  },
  {
    id: "UPD-009",
    layer: "updates",
    severity: "low",
    title: "An update does not restart the agent in mid-task",
    fails: "An update may restart the agent in mid-task",
    why: "needrestart restarts services by itself, and the agent loses what it was doing",
    fix: "echo '$nrconf{override_rc}{qr(^openclaw)} = 0;' >/etc/needrestart/conf.d/seawall.conf",
    looksAt: "needrestart's configuration",
    judge: (facts) =>
      given(facts.updates, ({ needrestart }) => {
        if (!needrestart.installed) return notApplicable("needrestart is not installed");
        return passUnless(
          needrestart.automatic && !needrestart.spares
            ? ["needrestart restarts services by itself, the agent's too"]
            : [],
          needrestart.spares ? "the agent's service is spared" : "needrestart does not restart by itself",
        );
      }),
  },
  {
    id: "UPD-010",
    layer: "updates",
    severity: "high",
    title: "Every source of packages is signed",
    fails: "Packages are taken without a signature",
    why: "an unsigned source lets whoever sits on the way install what they like, as root",
    fix: "remove trusted=yes and AllowInsecure, and add the archive's key with signed-by",
    looksAt: "the options of every source, and apt-config dump: Allow-Insecure, AllowUnauthenticated",
    judge: (facts) =>
      given(facts.updates, ({ unsigned }) => passUnless(unsigned, "no source is exempt from signatures")),
  },
  {
    id: "UPD-011",
    layer: "updates",
    severity: "high",
    title: "The release still gets security updates",
    fails: "This release gets no more security updates",
    why: "after its end a release gets no fixes, and nothing says so",
    fix: "upgrade to the next release",
    looksAt: "/etc/os-release against the table of distro-info-data",
    judge: (facts) =>
      given(facts.updates, ({ release, supportEnds }) => {
        if (supportEnds === null)
          return unknown(`the end of ${release.name} is not known here`, "apt-get install distro-info-data");
        const ends = Date.parse(`${supportEnds}T23:59:59Z`);
        return passUnless(
          facts.takenMs > ends ? [`support of ${release.name} ended on ${supportEnds}`] : [],
          `${release.name} is supported until ${supportEnds}`,
        );
      }),
  },
];

function onArchives(
  updates: Parameters<typeof given<UpdateFacts>>[0],
  judge: (updates: UpdateFacts, archives: readonly AptArchive[]) => Outcome,
): Outcome {
  return given(updates, (value) => {
    if (!value.unattendedInstalled)
      return notApplicable("unattended-upgrades is not installed (see UPD-001)");
    return given(value.archives, (archives) => judge(value, archives));
  });
}

function archiveText({ site, fields }: AptArchive): string {
  return `${fields.o || site} ${fields.a || fields.n}`;
}

/** `3 days`, `5 hours`: for people. */
export function ageText(ms: number): string {
  const hours = Math.max(0, Math.round(ms / 3_600_000));
  return hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`;
}
