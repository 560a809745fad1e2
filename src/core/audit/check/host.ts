/** The host itself, and what holds the agent in its place. */
import { type Check, fail, given, pass, passUnless } from "../check.ts";
import { byEvidence } from "../failure.ts";
import { fixAccounts } from "../fix/account.ts";

/** Value, or a range `a-b`, that each setting should have; a kernel without the setting is not judged by it. */
const SYSCTLS: Readonly<Record<string, readonly string[]>> = {
  "kernel.kptr_restrict": ["1", "2"],
  "kernel.dmesg_restrict": ["1"],
  "kernel.yama.ptrace_scope": ["1", "2", "3"],
  "kernel.unprivileged_bpf_disabled": ["1", "2"],
  "fs.protected_hardlinks": ["1"],
  "fs.protected_symlinks": ["1"],
  "fs.protected_fifos": ["1", "2"],
  "fs.protected_regular": ["1", "2"],
  "net.ipv4.tcp_syncookies": ["1", "2"],
  "net.ipv4.conf.all.accept_source_route": ["0"],
  "net.ipv6.conf.all.accept_source_route": ["0"],
  "net.ipv4.conf.all.accept_redirects": ["0"],
  "net.ipv6.conf.all.accept_redirects": ["0"],
  "net.ipv4.icmp_echo_ignore_broadcasts": ["1"],
};

export const HOST_CHECKS: readonly Check[] = [
  {
    id: "HOST-001",
    layer: "host",
    severity: "low",
    title: "The kernel's own protections are on",
    fails: "Protections of the kernel are off",
    why: "each closes a trick that makes a small hole a big one",
    fix: "write the values that are named to /etc/sysctl.d/60-seawall.conf, then: sysctl --system",
    looksAt: "/proc/sys",
    judge: (facts) =>
      given(facts.host, ({ sysctls }) => {
        const seen = Object.entries(SYSCTLS).flatMap(([name, wanted]) => {
          const value = sysctls.get(name);
          return value === undefined ? [] : [{ name, wanted, value }];
        });
        return passUnless(
          seen
            .filter(({ wanted, value }) => !wanted.includes(value))
            .map(({ name, wanted, value }) => `${name} = ${value}, should be ${wanted[0] ?? ""}`),
          `${seen.length} settings of the kernel, all as they should be`,
        );
      }),
  },
  {
    id: "HOST-002",
    layer: "host",
    severity: "low",
    title: "The clock is kept right",
    fails: "Nobody keeps the clock right",
    why: "certificates, tokens and logs need the right time",
    fix: "timedatectl set-ntp true, or: apt-get install chrony",
    looksAt: "adjtimex as timedatectl shows it, chronyc",
    judge: (facts) =>
      given(facts.host, ({ timeSync }) =>
        given(timeSync, ({ synced, by }) => passUnless(synced ? [] : [by], by)),
      ),
  },
  {
    id: "HOST-003",
    layer: "host",
    severity: "critical",
    title: "One root, and no account without a password",
    fails: byEvidence("An account needs no password", [/has uid 0/, "There is a second root account"]),
    why: "a second account with uid 0, or one that needs no password, is a door somebody left open",
    fix: "give an account without a password one (passwd NAME); rename a second root only after a login as somebody else who may become root",
    remedy: (facts) => fixAccounts(facts),
    looksAt: "/etc/passwd and /etc/shadow",
    judge: (facts) =>
      given(facts.accounts, (accounts) => {
        const roots = accounts
          .filter(({ uid, name }) => uid === 0 && name !== "root")
          .map(({ name }) => `${name} has uid 0`);
        const empty = accounts
          .filter(({ password }) => password === "empty")
          .map(({ name }) => `${name} needs no password`);
        if (roots.length + empty.length > 0) return fail([...roots, ...empty]);
        const hidden = accounts.every(({ password }) => password === null);
        if (hidden)
          return {
            status: "unknown",
            why: "/etc/shadow cannot be read",
            needs: "sudo seawall audit --layer host",
          };
        return pass(`${accounts.length} accounts, one with uid 0, none without a password`);
      }),
  },
  {
    id: "HOST-004",
    layer: "host",
    severity: "medium",
    title: "AppArmor is on",
    fails: "AppArmor is off",
    why: "it holds programs to what they need even when they are broken into",
    fix: "apt-get install apparmor, and apparmor=1 security=apparmor on the kernel's command line",
    looksAt: "/sys/module/apparmor and /sys/kernel/security/apparmor/profiles",
    judge: (facts) =>
      given(facts.host, ({ appArmor }) =>
        given(appArmor, ({ enabled, enforced }) =>
          passUnless(
            enabled ? [] : ["AppArmor is not on"],
            `AppArmor is on, ${enforced} profile(s) enforced`,
          ),
        ),
      ),
  },
  {
    id: "HOST-005",
    layer: "host",
    severity: "low",
    title: "Logs survive a restart",
    fails: "Logs are lost at a restart",
    why: "what happened before the restart is what you want to read after it",
    fix: "mkdir -p /var/log/journal && systemctl restart systemd-journald",
    looksAt: "/var/log/journal, journald.conf, or a syslog that writes",
    judge: (facts) =>
      given(facts.host, ({ journal }) =>
        given(journal, ({ persistent, how }) => passUnless(persistent ? [] : [how], how)),
      ),
  },
];

export const CONTAINMENT_CHECKS: readonly Check[] = [
  {
    id: "CTN-001",
    layer: "containment",
    severity: "high",
    title: "The agent's processes cannot become another subject",
    fails: "The agent's processes can become another subject",
    why: "rules for the agent's user hold only as long as it cannot act as another user or another service",
    fix: "close the ways out that are named; until then outbound rules are a hedge, not a wall",
    looksAt:
      "sudo, groups, sockets of Docker and LXD, writable units and PATH, user manager, subuids, at, cron, ssh to localhost",
    judge: (facts) =>
      given(facts.containment, ({ verdict, reasons }) => {
        const lines = reasons.map(({ way, cure }) => `${way} (${cure})`);
        if (verdict === "contained") return pass("no way out was found", ...lines);
        return fail(lines.length === 0 ? [verdict] : lines, {
          severity: verdict === "partly" ? "medium" : "high",
        });
      }),
  },
];
