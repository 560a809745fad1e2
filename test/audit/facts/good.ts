/** A host on which everything that the audit knows is as it should be. */
import type { Facts } from "../../../src/core/audit/fact/facts.ts";
import type { SshContext } from "../../../src/core/audit/fact/ssh.ts";
import { tablesOfNft } from "../../../src/core/audit/filter/from-nft.ts";
import type { Table } from "../../../src/core/audit/filter/model.ts";
import { read } from "../../../src/core/audit/reading.ts";
import { GOOD_CONTAINER, GOOD_INSTANCE, GOOD_SANDBOX, GOOD_SITE } from "./good-agent.ts";
import { DAY, NOW } from "./moment.ts";

const root = { uid: 0, gid: 0, mtimeMs: NOW - 10 * DAY };

/** Drops everything but SSH (at a rate), the web and loopback; nothing goes out but to the web. */
const RULES = {
  nftables: [
    { table: { family: "inet", name: "seawall" } },
    {
      chain: {
        family: "inet",
        table: "seawall",
        name: "in",
        type: "filter",
        hook: "input",
        prio: 0,
        policy: "drop",
      },
    },
    {
      chain: {
        family: "inet",
        table: "seawall",
        name: "through",
        type: "filter",
        hook: "forward",
        prio: -10,
        policy: "drop",
      },
    },
    {
      chain: {
        family: "inet",
        table: "seawall",
        name: "out",
        type: "filter",
        hook: "output",
        prio: 0,
        policy: "accept",
      },
    },
    rule("in", [{ match: { op: "==", left: { meta: { key: "iifname" } }, right: "lo" } }, { accept: null }]),
    rule("in", [
      { match: { op: "==", left: { meta: { key: "iifname" } }, right: "tailscale0" } },
      { accept: null },
    ]),
    rule("in", [port(22), { limit: { rate: 10, burst: 5, per: "minute" } }, { accept: null }]),
    rule("in", [
      {
        match: {
          op: "==",
          left: { payload: { protocol: "tcp", field: "dport" } },
          right: { set: [80, 443] },
        },
      },
      { accept: null },
    ]),
  ],
};

function rule(chain: string, expr: readonly object[]): object {
  return { rule: { family: "inet", table: "seawall", chain, expr } };
}

function port(number: number): object {
  return { match: { op: "==", left: { payload: { protocol: "tcp", field: "dport" } }, right: number } };
}

export function tablesOf(json: object): readonly Table[] {
  const tables = tablesOfNft(JSON.stringify(json));
  if (tables === undefined) throw new Error("not a ruleset");
  return tables;
}

export const GOOD_OPTIONS: Readonly<Record<string, string>> = {
  port: "22",
  permitrootlogin: "no",
  passwordauthentication: "no",
  kbdinteractiveauthentication: "no",
  pubkeyauthentication: "yes",
  permitemptypasswords: "no",
  maxauthtries: "3",
  x11forwarding: "no",
  allowtcpforwarding: "local",
  allowagentforwarding: "no",
  logingracetime: "30",
  maxstartups: "10:30:60",
  clientaliveinterval: "300",
  clientalivecountmax: "2",
  kexalgorithms: "sntrup761x25519-sha512@openssh.com,curve25519-sha256",
  ciphers: "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com",
  macs: "hmac-sha2-256-etm@openssh.com",
  permituserenvironment: "no",
  permittunnel: "no",
  gatewayports: "no",
  allowgroups: "ssh-users",
};

export function context(
  user: string,
  address: string,
  over: Readonly<Record<string, string>> = {},
): SshContext {
  const options = Object.entries({ ...GOOD_OPTIONS, ...over }).map(
    ([key, value]) => [key, value.split("|")] as const,
  );
  return { user, address, options: new Map(options) };
}

export function goodFacts(): Facts {
  return {
    takenMs: NOW,
    privileged: true,
    listeners: read([
      { protocol: "tcp", address: "0.0.0.0", port: 22, uid: 0, pid: 1, program: "sshd" },
      { protocol: "tcp", address: "0.0.0.0", port: 443, uid: 0, pid: 2, program: "caddy" },
      ...GOOD_INSTANCE.listeners,
    ]),
    accounts: read([
      {
        name: "root",
        uid: 0,
        gid: 0,
        home: "/root",
        shell: "/bin/bash",
        groups: ["root"],
        password: "locked",
      },
      {
        name: "openclaw",
        uid: 990,
        gid: 990,
        home: "/home/openclaw",
        shell: "/bin/sh",
        groups: ["openclaw"],
        password: "locked",
      },
    ]),
    ssh: read({
      version: "9.2p1",
      contexts: [context("ann", "203.0.113.9"), context("root", "10.0.0.9")],
      files: [
        {
          ...root,
          path: "/etc/ssh/sshd_config",
          mode: 0o600,
          text: "Include /etc/ssh/sshd_config.d/*.conf\n",
        },
        {
          ...root,
          path: "/etc/ssh/sshd_config.d/00-seawall.conf",
          mode: 0o600,
          text: "PasswordAuthentication no\n",
        },
      ],
      unread: [],
      dropIns: ["/etc/ssh/sshd_config.d/00-seawall.conf"],
      hostKeys: [{ ...root, path: "/etc/ssh/ssh_host_ed25519_key", mode: 0o600, type: "ED25519", bits: 256 }],
      users: [
        {
          name: "ann",
          uid: 1000,
          sudo: true,
          barred: null,
          keys: [{ type: "ssh-ed25519", file: "/home/ann/.ssh/authorized_keys" }],
          refused: [],
        },
      ],
      listening: read([22]),
      socketActivated: false,
      operators: ["198.51.100.7"],
      unit: "ssh.service",
      pidFile: "/run/sshd.pid",
      loadedMs: NOW - DAY,
    }),
    firewall: read({
      tables: read(tablesOf(RULES)),
      ufw: read({
        enabledInFile: true,
        inKernel4: true,
        inKernel6: true,
        atBoot: read(true),
        ipv6: true,
        incoming: "drop",
        routed: "drop",
        logLevel: "low",
        rules: ["limit tcp 22 0.0.0.0/0 any 0.0.0.0/0 in"],
      }),
      managers: read([{ name: "ufw", atBoot: true, running: true, flushesAtStop: false }]),
      nftablesFlushes: true,
      nftablesTables: [],
      uplinks: ["eth0"],
      interfaces: ["lo", "eth0", "docker0", "tailscale0"],
      addresses: ["203.0.113.10", "2001:db8::10"],
      hasIpv6: true,
      legacyTables: [],
      dockerUser: [
        "-A DOCKER-USER -i eth0 -p tcp -m conntrack --ctorigdstport 443 --ctdir ORIGINAL -j RETURN",
      ],
      forwarding: { v4: true, v6: false },
      seawall: { state: "enforcing", outbound: "enforce", policyFile: "/etc/seawall/policy.yaml" },
    }),
    fail2ban: read({
      running: true,
      jails: ["sshd", "recidive"],
      parses: read({ ok: true, said: "" }),
      sshd: read({
        backend: "systemd",
        journalMatch: "_SYSTEMD_UNIT=ssh.service + _COMM=sshd",
        logFiles: [],
        missingLogs: [],
        maxRetry: 5,
        findSeconds: 600,
        banSeconds: 3600,
        increment: true,
        recidive: true,
        ports: ["ssh"],
        allPorts: false,
        actions: ["nftables-multiport"],
        banned: ["192.0.2.66"],
        ignored: ["127.0.0.1/8", "198.51.100.7"],
      }),
      inKernel: read(["192.0.2.66"]),
      edited: read([]),
      hasNft: true,
      hasIptables: true,
      sshVersion: "9.2p1",
      operators: ["198.51.100.7"],
    }),
    updates: read({
      settings: new Map([
        ["APT::Periodic::Update-Package-Lists", ["1"]],
        ["APT::Periodic::Unattended-Upgrade", ["1"]],
        [
          "Unattended-Upgrade::Origins-Pattern",
          [
            "origin=Debian,codename=${distro_codename}-security,label=Debian-Security",
            "origin=Docker,label=Docker CE",
          ],
        ],
      ]),
      unattendedInstalled: true,
      archives: read([
        {
          site: "http://deb.debian.org/debian-security",
          fields: {
            o: "Debian",
            a: "stable-security",
            n: "trixie-security",
            l: "Debian-Security",
            v: "13",
            c: "main",
          },
        },
        {
          site: "https://download.docker.com/linux/debian",
          fields: { o: "Docker", a: "trixie", n: "trixie", l: "Docker CE", v: "", c: "stable" },
        },
      ]),
      pending: read([{ name: "tzdata", to: "2026b-0", security: false }]),
      timers: read({ active: true, how: "apt-daily.timer and apt-daily-upgrade.timer are active" }),
      lastRunMs: NOW - DAY,
      listsMs: NOW - DAY,
      rebootRequiredMs: null,
      needrestart: { installed: true, automatic: true, spares: true },
      securitySources: ["/etc/apt/sources.list:1"],
      unsigned: [],
      release: { id: "debian", codename: "trixie", version: "13", name: "Debian GNU/Linux 13 (trixie)" },
      supportEnds: "2030-06-30",
    }),
    docker: read({
      version: "28.5.1",
      firewallBackend: "iptables",
      containers: [GOOD_CONTAINER, GOOD_SANDBOX],
      socket: read({ ...root, path: "/run/docker.sock", mode: 0o660, gid: 110 }),
      dockerGid: 110,
      rootless: false,
      usernsRemap: false,
      liveRestore: true,
      settings: {},
      appArmorOnHost: true,
      tcp: [],
    }),
    secrets: read({
      config: read([]),
      envFiles: [
        {
          ...root,
          path: "/home/openclaw/.openclaw/.env",
          mode: 0o600,
          uid: 990,
          links: 1,
          ownerUid: 990,
          parent: { ...root, path: "/home/openclaw/.openclaw", mode: 0o700, uid: 990 },
          hits: [],
        },
      ],
      repositories: read([
        {
          path: "/home/openclaw/.openclaw/workspace",
          hits: [],
          unignored: [],
          hasEnv: true,
          commits: 12,
          complete: true,
        },
      ]),
      units: [],
      environments: read([]),
      traces: read([]),
      statePermissions: read([]),
      resolvers: [{ provider: "vault", problem: null }],
      sources: ["exec"],
      sealed: [
        {
          path: "/var/lib/seawall/secrets/anthropic",
          problem: null,
          createdMs: NOW - 10 * DAY,
          keySource: "tpm2",
        },
      ],
      swap: [],
      swapEncrypted: true,
      suidDumpable: 0,
    }),
    proxy: read({
      kind: "caddy",
      version: "v2.10.0",
      sites: [GOOD_SITE],
      admin: read("unix//run/caddy/admin.sock"),
      configValid: read({ ok: true, said: "" }),
      loadedIsFile: read(true),
      lostHeaders: [],
      banner: false,
      oldTls: [],
      unknownNameRefused: read(true),
    }),
    openclaw: read({ instances: [GOOD_INSTANCE], notLookedAt: [], claims: [] }),
    tailscale: read({
      running: true,
      serves: [
        { text: "https://agent.tailnet.ts.net/ -> http://127.0.0.1:18789", funnel: false, port: 18_789 },
      ],
    }),
    host: read({
      sysctls: new Map([
        ["kernel.kptr_restrict", "1"],
        ["net.ipv4.tcp_syncookies", "1"],
        ["net.ipv4.conf.all.route_localnet", "0"],
      ]),
      timeSync: read({ synced: true, by: "chronyd" }),
      appArmor: read({ enabled: true, enforced: 30 }),
      journal: read({ persistent: true, how: "the journal is kept in /var/log/journal" }),
      virtual: "KVM",
    }),
    operator: { user: "ann", sessions: [{ peer: "198.51.100.7", address: "203.0.113.10", port: 22 }] },
    attested: [
      { check: "APP-017", says: "alert at 20 USD", owner: "ann", on: "2026-11-01" },
      { check: "APP-018", says: "50 USD a month", owner: "ann", on: "2026-11-01" },
      { check: "NET-003", says: "22 and 443 only", owner: "ann", on: "2026-11-01" },
    ],
    containment: read({ verdict: "contained", reasons: [] }),
  };
}
