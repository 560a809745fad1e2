/** Layer 3: Fail2Ban, by what its server answers and what the kernel holds. */
import { type Check, type Outcome, fail, given, notApplicable, pass, passUnless, unknown } from "../check.ts";
import type { Facts } from "../fact/facts.ts";
import { byEvidence } from "../failure.ts";
import { fixAction, fixJail, fixNoJail } from "../fix/fail2ban.ts";
import type { Fail2banFacts, SshdJail } from "../fact/fail2ban.ts";
import { sshPorts } from "./firewall-rule.ts";

function onJail(facts: Facts, judge: (jail: SshdJail, fail2ban: Fail2banFacts) => Outcome): Outcome {
  return given(facts.fail2ban, (fail2ban) => given(fail2ban.sshd, (jail) => judge(jail, fail2ban)));
}

/** Services whose name stands for a port in fail2ban's own files (services(5)). */
const PORT_OF: Readonly<Record<string, number>> = { ssh: 22, http: 80, https: 443 };
const OPENSSH_SESSION_SINCE = [9, 8] as const;

export const FAIL2BAN_CHECKS: readonly Check[] = [
  {
    id: "F2B-001",
    layer: "fail2ban",
    severity: "high",
    title: "Fail2Ban runs and watches SSH",
    fails: "Nobody bans those who guess at SSH",
    why: "without it nobody stops the bots that try all day",
    fix: "install fail2ban, with sshd's port and your own address in its jail",
    remedy: (facts) => fixNoJail(facts),
    looksAt: "the running server's answers: ping, status",
    judge: (facts) => {
      if (facts.fail2ban.kind === "absent") {
        if (facts.ssh.kind === "absent") return notApplicable("no SSH server and no Fail2Ban here");
        return fail(facts.fail2ban.why);
      }
      return given(facts.fail2ban, ({ running, jails }) => {
        if (!running) return fail("fail2ban is installed and its server does not answer");
        const watching = jails.filter((jail) => /^(sshd|ssh|dropbear)/.test(jail));
        return passUnless(
          watching.length > 0 ? [] : [`no jail for sshd (jails: ${jails.join(", ") || "none"})`],
          `jails: ${jails.join(", ")}`,
        );
      });
    },
  },
  {
    id: "F2B-002",
    layer: "fail2ban",
    severity: "high",
    title: "Its configuration can be loaded",
    fails: "Fail2Ban's configuration cannot be loaded",
    why: "a configuration with a mistake ends the server at its next start, and on a bare Debian 12 the stock one has such a mistake",
    fix: "backend = systemd in [sshd], with your own address in ignoreip",
    remedy: (facts) => fixJail(facts, { id: "F2B-002", lines: ["backend = systemd"] }),
    looksAt: "fail2ban-client -t",
    judge: (facts) =>
      given(facts.fail2ban, ({ parses }) =>
        given(parses, ({ ok, said }) =>
          passUnless(ok ? [] : [said || "fail2ban-client -t fails"], "fail2ban-client -t accepts it"),
        ),
      ),
  },
  {
    id: "F2B-003",
    layer: "fail2ban",
    severity: "high",
    title: "It reads the log that sshd really writes",
    fails: "Fail2Ban does not read the log that sshd writes",
    why: "a jail on a log that nobody writes looks active and never bans",
    fix: "backend = systemd and a journalmatch that names sshd-session too",
    remedy: (facts) =>
      fixJail(facts, {
        id: "F2B-003",
        lines: [
          "backend = systemd",
          "journalmatch = _SYSTEMD_UNIT=ssh.service + _COMM=sshd + _COMM=sshd-session",
        ],
      }),
    looksAt: "the jail's backend, journal match and log files, and the name sshd logs as",
    judge: (facts) =>
      onJail(facts, (jail, fail2ban) => {
        const problems = jail.missingLogs.map((file) => `${file} does not exist`);
        if (
          jail.backend === "systemd" &&
          isSince(fail2ban.sshVersion) &&
          !/sshd-session/.test(jail.journalMatch ?? "")
        )
          problems.push(
            `OpenSSH ${fail2ban.sshVersion ?? ""} logs as sshd-session, the journal match is: ${jail.journalMatch ?? "none"}`,
          );
        if (jail.backend === "systemd" && !/_COMM=sshd\b/.test(jail.journalMatch ?? ""))
          problems.push(`the journal match does not name _COMM=sshd: ${jail.journalMatch ?? "none"}`);
        if (jail.backend !== "systemd" && jail.logFiles.length === 0)
          problems.push("the jail reads no log file and not the journal");
        return passUnless(
          problems,
          jail.backend === "systemd"
            ? `journal: ${jail.journalMatch ?? ""}`
            : `files: ${jail.logFiles.join(", ")}`,
        );
      }),
  },
  {
    id: "F2B-004",
    layer: "fail2ban",
    severity: "medium",
    title: "Five failures in ten minutes, an hour out",
    fails: "Fail2Ban's threshold is mild",
    why: "a mild threshold gives a bot thousands of guesses a day",
    fix: "maxretry = 5, findtime = 10m, bantime = 1h, with your own address in ignoreip",
    remedy: (facts) =>
      fixJail(facts, { id: "F2B-004", lines: ["maxretry = 5", "findtime = 10m", "bantime = 1h"] }),
    looksAt: "fail2ban-client get sshd maxretry, findtime, bantime",
    judge: (facts) =>
      onJail(facts, ({ maxRetry, findSeconds, banSeconds }) =>
        passUnless(
          [
            ...(maxRetry <= 5 ? [] : [`maxretry is ${maxRetry}`]),
            ...(findSeconds >= 600 ? [] : [`findtime is ${findSeconds} s`]),
            ...(banSeconds >= 3600 || banSeconds < 0 ? [] : [`bantime is ${banSeconds} s`]),
          ],
          `maxretry ${maxRetry}, findtime ${findSeconds} s, bantime ${banSeconds} s`,
        ),
      ),
  },
  {
    id: "F2B-005",
    layer: "fail2ban",
    severity: "high",
    title: "It bans at the port on which sshd listens",
    fails: "Fail2Ban bans at a port where sshd is not",
    why: "a ban for port 22 does nothing when sshd listens on 2222",
    fix: "port in [sshd] is the one on which sshd listens, with your own address in ignoreip",
    remedy: (facts) => fixJail(facts, { id: "F2B-005", lines: [] }),
    looksAt: "the action's port in fail2ban-client -d, against the sockets of sshd",
    judge: (facts) =>
      onJail(facts, (jail) => {
        const ports = sshPorts(facts);
        if (ports.length === 0)
          return unknown("the port of sshd could not be seen", "sudo seawall audit --layer fail2ban");
        if (jail.allPorts) return pass("bans at every port");
        const covered = jail.ports.flatMap(portsOf);
        return passUnless(
          ports
            .filter((port) => !covered.some(([first, last]) => port >= first && port <= last))
            .map((port) => `sshd listens on ${port}, bans hold at ${jail.ports.join(", ")}`),
          `bans at ${jail.ports.join(", ")}`,
        );
      }),
  },
  {
    id: "F2B-006",
    layer: "fail2ban",
    severity: "high",
    title: "Its bans are really in the kernel",
    fails: "Bans of Fail2Ban hold nobody back",
    why: "after another program flushed the rules, Fail2Ban still counts bans that hold nobody back",
    fix: "restart Fail2Ban once your own address is not among the banned, and find out who flushed (see FW-010)",
    remedy: (facts) => fixJail(facts, { id: "F2B-006", lines: [], restart: "restart" }),
    looksAt: "the server's list of banned addresses against the sets and chains of the kernel",
    judge: (facts) =>
      onJail(facts, (jail, { inKernel }) =>
        given(inKernel, (held) => {
          const lost = jail.banned.filter((address) => !held.includes(address));
          if (lost.length > 0)
            return fail(
              `${jail.banned.length} banned, ${lost.length} of them not in the kernel: ${lost.slice(0, 5).join(", ")}`,
            );
          return pass(
            jail.banned.length === 0
              ? "nobody is banned now"
              : `all ${jail.banned.length} banned addresses are in the kernel`,
          );
        }),
      ),
  },
  {
    id: "F2B-007",
    layer: "fail2ban",
    severity: "medium",
    title: "The ban action works on this host",
    fails: "Fail2Ban's action cannot ban on this host",
    why: "an action for a program that is not installed bans nobody",
    fix: "an action whose program is installed, with your own address in ignoreip",
    remedy: (facts) => fixAction(facts),
    looksAt: "the jail's actions, and whether nft or iptables is installed",
    judge: (facts) =>
      onJail(facts, ({ actions }, { hasNft, hasIptables }) =>
        passUnless(
          [
            ...(actions.length === 0 ? ["the jail has no action"] : []),
            ...actions
              .filter((action) => action.startsWith("iptables") && !hasIptables)
              .map((action) => `${action}: iptables is not installed`),
            ...actions
              .filter((action) => action.startsWith("nftables") && !hasNft)
              .map((action) => `${action}: nft is not installed`),
          ],
          `action ${actions.join(", ")}`,
        ),
      ),
  },
  {
    id: "F2B-008",
    layer: "fail2ban",
    severity: "high",
    title: "The operator is not banned, and will not be",
    fails: byEvidence("You can be banned from your own server", [
      /logged in and banned/,
      "Somebody who is logged in is banned",
    ]),
    why: "a few failed logins of your own, or of a script, would lock you out",
    fix: "your own address in ignoreip",
    remedy: (facts) => fixJail(facts, { id: "F2B-008", lines: [] }),
    looksAt: "fail2ban-client get sshd ignoreip and the banned list, against who is logged in now",
    judge: (facts) =>
      onJail(facts, ({ banned, ignored }, { operators }) => {
        const out = operators.filter((address) => banned.includes(address));
        if (out.length > 0) return fail(out.map((address) => `${address} is logged in and banned`));
        if (ignored.length > 0) return pass(`ignored: ${ignored.join(", ")}`);
        return fail("no address is ignored", { severity: "low" });
      }),
  },
  {
    id: "F2B-009",
    layer: "fail2ban",
    severity: "info",
    title: "Who comes back is out for longer",
    fails: "Who comes back is banned no longer than before",
    why: "a bot that waits out its hour starts again",
    fix: "bantime.increment = true, with your own address in ignoreip",
    remedy: (facts) => fixJail(facts, { id: "F2B-009", lines: ["bantime.increment = true"] }),
    looksAt: "the jail's bantime.increment, or a recidive jail",
    judge: (facts) =>
      onJail(facts, ({ increment, recidive }) =>
        passUnless(
          increment || recidive ? [] : ["neither bantime.increment nor a recidive jail"],
          increment ? "bantime.increment is on" : "there is a recidive jail",
        ),
      ),
  },
  {
    id: "F2B-010",
    layer: "fail2ban",
    severity: "low",
    title: "The package's own files are untouched",
    fails: "Files of the Fail2Ban package were edited",
    why: "edits in jail.conf are lost or stop the upgrade of the package",
    fix: "move the edits to a file of your own in /etc/fail2ban/jail.d",
    looksAt: "the package's checksums of its configuration files",
    judge: (facts) =>
      given(facts.fail2ban, ({ edited }) =>
        given(edited, (files) =>
          passUnless(
            files.map((file) => `${file} was edited`),
            "no file of the package was edited",
          ),
        ),
      ),
  },
];

function isSince(version: string | null): boolean {
  const [major = 0, minor = 0] = (version ?? "").split(/[.p]/).map(Number);
  return (
    major > OPENSSH_SESSION_SINCE[0] ||
    (major === OPENSSH_SESSION_SINCE[0] && minor >= OPENSSH_SESSION_SINCE[1])
  );
}

function portsOf(text: string): (readonly [number, number])[] {
  return text.split(",").flatMap((part) => {
    const [first = "", last = first] = part.trim().split(/[:-]/);
    const [low, high] = [PORT_OF[first] ?? Number(first), PORT_OF[last] ?? Number(last)];
    return Number.isNaN(low) || Number.isNaN(high) ? [] : [[low, high] as const];
  });
}
