/** A host on which every check of every layer fails: what the guides warn of, all at once. */
import type { Facts } from "../../../src/core/audit/fact/facts.ts";
import { read } from "../../../src/core/audit/reading.ts";
import { badAgent } from "./bad-agent.ts";
import { context, goodFacts, tablesOf } from "./good.ts";
import { DAY, NOW } from "./moment.ts";
import { partOf } from "./change.ts";

const good = goodFacts();
const ours = { uid: 0, gid: 0, mtimeMs: NOW };

export function badFacts(): Facts {
  return { ...good, ...badServer(), ...badAgent(), attested: [] };
}

function badServer(): Pick<
  Facts,
  "listeners" | "accounts" | "ssh" | "firewall" | "fail2ban" | "updates" | "host" | "tailscale"
> {
  const options = {
    port: "22|2222",
    permitrootlogin: "yes",
    passwordauthentication: "yes",
    kbdinteractiveauthentication: "yes",
    pubkeyauthentication: "no",
    permitemptypasswords: "yes",
    maxauthtries: "6",
    x11forwarding: "yes",
    allowtcpforwarding: "yes",
    allowagentforwarding: "yes",
    logingracetime: "0",
    maxstartups: "100:30:500",
    clientaliveinterval: "0",
    kexalgorithms: "diffie-hellman-group1-sha1",
    ciphers: "aes128-cbc",
    macs: "hmac-md5",
    permituserenvironment: "yes",
    permittunnel: "yes",
    gatewayports: "yes",
    allowgroups: "",
  };
  const ssh = partOf(good, "ssh");
  const firewall = partOf(good, "firewall");
  const fail2ban = partOf(good, "fail2ban");
  const updates = partOf(good, "updates");
  const file = {
    ...ours,
    path: "/etc/ssh/sshd_config",
    mode: 0o666,
    text: "Port 22\nPort 2222\nMatch Address 10.0.0.0/8\n",
  };
  return {
    listeners: read([
      { protocol: "tcp", address: "0.0.0.0", port: 22, uid: 0, pid: 1, program: "sshd" },
      { protocol: "tcp", address: "0.0.0.0", port: 5432, uid: 100, pid: 9, program: "postgres" },
    ]),
    accounts: read([
      { name: "root", uid: 0, gid: 0, home: "/root", shell: "/bin/bash", groups: ["root"], password: "set" },
      {
        name: "toor",
        uid: 0,
        gid: 0,
        home: "/root",
        shell: "/bin/bash",
        groups: ["root"],
        password: "empty",
      },
      {
        name: "bob",
        uid: 1001,
        gid: 1001,
        home: "/home/bob",
        shell: "/bin/bash",
        groups: ["bob", "docker"],
        password: "set",
      },
    ]),
    ssh: read({
      ...ssh,
      contexts: [
        context("ann", "203.0.113.9", { ...options, passwordauthentication: "yes", gatewayports: "no" }),
        context("root", "10.0.0.9", options),
      ],
      files: [file],
      hostKeys: [{ ...ours, path: "/etc/ssh/ssh_host_rsa_key", mode: 0o644, type: "RSA", bits: 1024 }],
      users: [
        {
          name: "root",
          uid: 0,
          sudo: false,
          barred: null,
          keys: [],
          refused: ["root: sshd does not use /root/.ssh/authorized_keys, because of /root (0777, owner 0)"],
        },
      ],
      listening: read([22]),
    }),
    firewall: read({
      ...firewall,
      // Forwards SSH by a rule for IPv4, drops it before: nobody gets in by SSH, and everything else is open.
      tables: read(
        tablesOf({
          nftables: [
            { table: { family: "inet", name: "t" } },
            {
              chain: {
                family: "inet",
                table: "t",
                name: "in",
                type: "filter",
                hook: "input",
                prio: 0,
                policy: "accept",
              },
            },
            {
              rule: {
                family: "inet",
                table: "t",
                chain: "in",
                expr: [
                  { match: { op: "==", left: { meta: { key: "iifname" } }, right: "lo" } },
                  { drop: null },
                ],
              },
            },
            {
              rule: {
                family: "inet",
                table: "t",
                chain: "in",
                expr: [
                  { match: { op: "==", left: { meta: { key: "iifname" } }, right: "tailscale0" } },
                  { drop: null },
                ],
              },
            },
          ],
        }),
      ),
      ufw: read({
        enabledInFile: true,
        inKernel4: false,
        inKernel6: false,
        atBoot: read(false),
        ipv6: false,
        incoming: "accept",
        routed: "accept",
        logLevel: "off",
        rules: [],
      }),
      managers: read([
        { name: "ufw", atBoot: true, running: true, flushesAtStop: false },
        { name: "nftables", atBoot: true, running: false, flushesAtStop: true },
      ]),
      legacyTables: ["filter"],
      dockerUser: ["-A DOCKER-USER -i ens3 -p tcp -m tcp --dport 80 -j RETURN"],
      seawall: { state: "off", outbound: null, policyFile: null },
    }),
    fail2ban: read({
      ...fail2ban,
      jails: ["nginx-http-auth"],
      parses: read({ ok: false, said: "Have not found any log file for sshd jail" }),
      sshd: read({
        backend: "systemd",
        journalMatch: "_SYSTEMD_UNIT=sshd.service",
        logFiles: [],
        missingLogs: [],
        maxRetry: 20,
        findSeconds: 60,
        banSeconds: 60,
        increment: false,
        recidive: false,
        ports: ["2222"],
        allPorts: false,
        actions: ["iptables-multiport"],
        banned: ["198.51.100.7", "192.0.2.66"],
        ignored: [],
      }),
      inKernel: read([]),
      edited: read(["/etc/fail2ban/jail.conf"]),
      hasIptables: false,
      sshVersion: "9.9p1",
    }),
    updates: read({
      ...updates,
      settings: new Map([
        ["Unattended-Upgrade::Origins-Pattern", ["origin=Raspbian,codename=${distro_codename}"]],
        ["APT::Periodic::Enable", ["0"]],
      ]),
      unattendedInstalled: true,
      pending: read([{ name: "openssh-server", to: "1:9.2p1-2+deb12u10", security: true }]),
      timers: read({ active: false, how: "apt-daily.timer is masked" }),
      lastRunMs: NOW - 30 * DAY,
      rebootRequiredMs: NOW - 30 * DAY,
      needrestart: { installed: true, automatic: true, spares: false },
      unsigned: ["/etc/apt/sources.list:3: trusted=yes"],
      supportEnds: "2024-06-30",
    }),
    host: read({
      sysctls: new Map([
        ["kernel.kptr_restrict", "0"],
        ["net.ipv4.conf.all.route_localnet", "1"],
      ]),
      timeSync: read({ synced: false, by: "no program keeps the clock" }),
      appArmor: read({ enabled: false, enforced: 0 }),
      journal: read({
        persistent: false,
        how: "there is no /var/log/journal: the journal is lost at a restart",
      }),
      virtual: "KVM",
    }),
    tailscale: read({
      running: true,
      serves: [
        { text: "https://agent.tailnet.ts.net/ -> http://127.0.0.1:18789", funnel: true, port: 18_789 },
      ],
    }),
  };
}
