/**
 * What the audit prints as a fix of the firewall is pasted into the host that fails, over SSH; whoever pasted it then
 * logs in anew, and the check holds. Where it prints no command, nothing is changed.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HOST4, HOST6 } from "../../support/host/host.ts";
import { said } from "./audit-on.ts";
import { consoleAudit, startDoor } from "./door.ts";
import { comesIn, OPEN, paste, type Row } from "./fix-row.ts";

const NO_UFW = "rm -rf /etc/ufw";

const FIREWALL: readonly Row[] = [
  { name: "UFW off and no rule, sshd on 22", check: "FW-001", sshd: OPEN, keys: ["root"], outcome: "pass" },
  { name: "UFW off and no rule, sshd on 22", check: "FW-002", sshd: OPEN, keys: ["root"], outcome: "pass" },
  { name: "UFW off and no rule, sshd on 22", check: "FW-003", sshd: OPEN, keys: ["root"], outcome: "pass" },
  {
    name: "sshd on 2222",
    check: "FW-001",
    sshd: `Port 2222\n${OPEN}`,
    keys: ["root"],
    login: { port: 2222 },
    outcome: "pass",
    says: /ssh -t -p 2222 /,
  },
  {
    name: "sshd on 2222",
    check: "FW-002",
    sshd: `Port 2222\n${OPEN}`,
    keys: ["root"],
    login: { port: 2222 },
    outcome: "pass",
  },
  {
    name: "sshd on two ports, one of them IPv6 only, by ListenAddress",
    check: "FW-002",
    sshd: `ListenAddress ${HOST4}:2022\nListenAddress [${HOST6}]:2026\n${OPEN}`,
    keys: ["root"],
    login: { port: 2022 },
    also: [{ port: 2026, to: HOST6 }],
    outcome: "pass",
  },
  {
    name: "over IPv6, while UFW says IPV6=no",
    check: "FW-001",
    sshd: OPEN,
    keys: ["root"],
    script: "sed -i 's/^IPV6=.*/IPV6=no/' /etc/default/ufw",
    login: { to: HOST6 },
    also: [{}],
    outcome: "pass",
  },
  {
    name: "UFW on with IPV6=no",
    check: "FW-005",
    sshd: OPEN,
    keys: ["root"],
    script:
      "sed -i 's/^IPV6=.*/IPV6=no/' /etc/default/ufw; ufw limit 22/tcp >/dev/null; ufw --force enable >/dev/null",
    outcome: "pass",
  },
  {
    name: "UFW on, default allow, no rule for SSH",
    check: "FW-003",
    sshd: OPEN,
    keys: ["root"],
    script: "ufw default allow incoming >/dev/null; ufw deny 3306 >/dev/null; ufw --force enable >/dev/null",
    also: [{ to: HOST6 }],
    outcome: "pass",
  },
  {
    name: "UFW on, default allow in and through, sshd on 2222 with a rule, and a web server",
    check: "FW-003",
    sshd: `Port 2222\n${OPEN}`,
    keys: ["root"],
    script:
      "ufw default allow incoming >/dev/null; ufw default allow routed >/dev/null; ufw allow 2222/tcp >/dev/null; ufw --force enable >/dev/null",
    login: { port: 2222 },
    outcome: "pass",
  },
  {
    name: "UFW off with a rule that refuses the port, and one for it behind",
    check: "FW-002",
    sshd: `Port 2222\n${OPEN}`,
    keys: ["root"],
    script: "ufw deny 2000:3000/tcp >/dev/null; ufw allow 2222/tcp >/dev/null",
    login: { port: 2222 },
    also: [{ port: 2222, to: HOST6 }],
    outcome: "pass",
    says: /refuses port 2222/,
  },
  {
    name: "UFW off with a rule that refuses just this port",
    check: "FW-002",
    sshd: OPEN,
    keys: ["root"],
    script: "ufw deny 22/tcp >/dev/null",
    outcome: "pass",
  },
  {
    name: "UFW off with a rule for somebody else's office",
    check: "FW-002",
    sshd: OPEN,
    keys: ["root"],
    script: "ufw allow from 192.0.2.0/24 to any port 22 proto tcp >/dev/null",
    outcome: "pass",
  },
  {
    name: "UFW on in its file and gone from the kernel",
    check: "FW-002",
    sshd: OPEN,
    keys: ["root"],
    script:
      "ufw --force enable >/dev/null; iptables -P INPUT ACCEPT; iptables -F INPUT; ip6tables -P INPUT ACCEPT; ip6tables -F INPUT",
    outcome: /would shut everything, SSH too\. Let SSH in \(ufw allow 22\/tcp\).*restart the server/,
  },
  {
    name: "iptables drops already, and UFW is installed and off",
    check: "FW-001",
    sshd: `Port 2222\n${OPEN}`,
    keys: ["root"],
    script:
      "iptables -P INPUT DROP; iptables -A INPUT -i lo -j ACCEPT; iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT; iptables -A INPUT -p tcp --dport 2222 -j ACCEPT",
    login: { port: 2222 },
    also: [{ port: 2222, to: HOST6 }],
    outcome: "pass",
  },
  {
    name: "no UFW and no policy: Seawall, on probation",
    check: "FW-001",
    sshd: `Port 2222\n${OPEN}`,
    keys: ["root"],
    script: NO_UFW,
    login: { port: 2222 },
    outcome: "pass",
    says: /seawall init\n[\s\S]*seawall confirm/,
  },
  {
    name: "SSH open to everybody by UFW",
    check: "FW-008",
    sshd: `Port 2222\n${OPEN}`,
    keys: ["root"],
    script: "ufw allow 2222/tcp >/dev/null; ufw --force enable >/dev/null",
    login: { port: 2222 },
    outcome: "pass",
  },
  {
    name: "a rule for a range lets the database in, and SSH with it",
    check: "FW-004",
    sshd: `Port 2222\n${OPEN}`,
    keys: ["root"],
    script:
      "ufw allow 2000:6000/tcp >/dev/null; ufw --force enable >/dev/null; nc -lk 5432 >/dev/null 2>&1 &",
    login: { port: 2222 },
    outcome: /a rule for more than this port[\s\S]*SSH on 2222/,
  },
  {
    name: "a rule for the database alone",
    check: "FW-004",
    sshd: OPEN,
    keys: ["root"],
    script:
      "ufw allow 22/tcp >/dev/null; ufw allow 5432/tcp >/dev/null; ufw --force enable >/dev/null; nc -lk 5432 >/dev/null 2>&1 &",
    outcome: "pass",
  },
  {
    name: "old rules with a policy of DROP beside a firewall that holds",
    check: "FW-015",
    sshd: `Port 2222\n${OPEN}`,
    keys: ["root"],
    script:
      "ufw allow 2222/tcp >/dev/null; ufw --force enable >/dev/null; iptables-legacy -A INPUT -p tcp --dport 2222 -j ACCEPT; iptables-legacy -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT; iptables-legacy -A INPUT -i lo -j ACCEPT; iptables-legacy -P INPUT DROP",
    login: { port: 2222 },
    also: [{ port: 2222, to: HOST6 }],
    outcome: "pass",
  },
  {
    name: "old rules that are the only firewall",
    check: "FW-015",
    sshd: OPEN,
    keys: ["root"],
    script:
      "for p in iptables-legacy ip6tables-legacy; do $p -A INPUT -p tcp --dport 22 -j ACCEPT; $p -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT; $p -A INPUT -i lo -j ACCEPT; $p -A INPUT -p ipv6-icmp -j ACCEPT; $p -P INPUT DROP; done",
    outcome: /they stay until another firewall does/,
  },
];

const FAIL2BAN: readonly Row[] = [
  {
    name: "bans at 22 while sshd is on 2222, and the operator is among the banned",
    check: "F2B-005",
    sshd: `Port 2222\n${OPEN}`,
    keys: ["root"],
    script: `mkdir -p /run/fail2ban; rm -f /etc/fail2ban/jail.d/*; : >/run/auth.log
printf '[DEFAULT]\\nbanaction = nftables-multiport\\n[sshd]\\nenabled = true\\nbackend = polling\\nlogpath = /run/auth.log\\nport = 22\\n' >/etc/fail2ban/jail.d/00.local
fail2ban-client start >/dev/null; fail2ban-client set sshd banip 198.51.100.7 >/dev/null`,
    login: { port: 2222 },
    outcome: "pass",
    says: /set sshd unbanip 198\.51\.100\.7/,
  },
];

describe("the fix of the firewall, pasted over SSH", () => {
  for (const row of FIREWALL) test(`${row.check}: ${row.name}`, () => paste(row));
});

describe("the fix of Fail2Ban, pasted over SSH", () => {
  for (const row of FAIL2BAN) test(`${row.check}: ${row.name}`, () => paste(row));
});

describe("SSH is shut, and the fix is pasted at the console", () => {
  for (const [name, script] of [
    ["by UFW without a rule", "ufw --force enable >/dev/null"],
    [
      "by iptables",
      "for p in iptables ip6tables; do $p -P INPUT DROP; $p -A INPUT -i lo -j ACCEPT; $p -A INPUT -p tcp --dport 22 -j ACCEPT; done; rm -rf /etc/ufw",
    ],
    [
      "by a table of nft",
      "rm -rf /etc/ufw; nft 'table inet own { chain in { type filter hook input priority 0; policy drop; iif lo accept; ct state established accept; icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; }; }'",
    ],
  ] as const)
    test(`FW-007: ${name}`, async () => {
      const door = await startDoor({ sshd: `Port 2222\n${OPEN}`, script, keys: ["root"] });
      try {
        assert.notEqual((await door.login({ port: 2222 }, "echo in")).code, 0);
        const before = await consoleAudit(door, ["FW-007"]);
        assert.equal(before["FW-007"]?.status, "fail", said(before, "FW-007"));
        const fix = before["FW-007"].fix ?? "";
        await door.host.shell(fix);
        await comesIn(door, { port: 2222 }, `after:\n${fix}`);
        const after = await consoleAudit(door, ["FW-007"]);
        assert.equal(after["FW-007"]?.status, "pass", `${fix}\n${said(after, "FW-007")}`);
      } finally {
        await door.stop();
      }
    });
});

describe("what was printed before shuts this very door, so the rows above can fail", () => {
  for (const [name, sshd, script, old] of [
    ["UFW without a rule", OPEN, "", "ufw --force enable"],
    [
      "UFW with a rule for 22 while sshd is on 2222",
      `Port 2222\n${OPEN}`,
      "",
      "ufw allow ssh && ufw --force enable",
    ],
    [
      "an empty chain that drops",
      OPEN,
      "iptables-legacy -P INPUT DROP; iptables-legacy -A INPUT -j ACCEPT",
      "iptables-legacy -F",
    ],
  ] as const) {
    test(name, async () => {
      const door = await startDoor({ sshd, script, keys: ["root"] });
      const login = { port: sshd.startsWith("Port 2222") ? 2222 : 22 };
      try {
        await comesIn(door, login, "before");
        await door.host.shell(old);
        assert.notEqual((await door.login(login, "echo in")).code, 0);
      } finally {
        await door.stop();
      }
    });
  }
});
