/** Where a file says one thing and the host does another, and where nothing may be guessed. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkNamed } from "../../src/core/audit/check/all.ts";
import type { Outcome } from "../../src/core/audit/check.ts";
import type { Facts } from "../../src/core/audit/fact/facts.ts";
import type { OpenclawInstance } from "../../src/core/audit/fact/openclaw.ts";
import { absent, read, unreadable } from "../../src/core/audit/reading.ts";
import { change, partOf, valueIn } from "./facts/change.ts";
import { context, DAY, GOOD_CONTAINER, GOOD_INSTANCE, goodFacts, NOW, tablesOf } from "./facts/good.ts";

const good = goodFacts();
const hidden = unreadable("only root may see it", "sudo seawall audit");

type Row = readonly [sentence: string, id: string, facts: Facts, status: Outcome["status"], says?: RegExp];

function instance(over: Partial<OpenclawInstance>): Facts {
  return change(good, "openclaw", { instances: [{ ...GOOD_INSTANCE, ...over }] });
}

function config(over: object): Facts {
  return instance({ config: read(over as never) });
}

function rules(...expressions: readonly (readonly object[])[]): Facts {
  const json = {
    nftables: [
      { table: { family: "inet", name: "filter" } },
      {
        chain: {
          family: "inet",
          table: "filter",
          name: "input",
          type: "filter",
          hook: "input",
          prio: 0,
          policy: "drop",
        },
      },
      ...expressions.map((expr) => ({ rule: { family: "inet", table: "filter", chain: "input", expr } })),
    ],
  };
  return change(good, "firewall", {
    tables: read(tablesOf(json)),
    seawall: { state: "off", outbound: null },
    ufw: absent("UFW is not installed"),
  });
}

const accept = { accept: null };
const port = (right: unknown): object => ({
  match: { op: "==", left: { payload: { protocol: "tcp", field: "dport" } }, right },
});
const unreadableTerm = { xt: { type: "match", name: "string" } };

const ROWS: readonly Row[] = [
  [
    "the plain answer of sshd is no, a Match block says yes for one network",
    "SSH-002",
    change(good, "ssh", {
      contexts: [
        context("ann", "203.0.113.9"),
        context("ann", "10.0.0.9", { passwordauthentication: "yes" }),
      ],
    }),
    "fail",
    /yes as ann from 10\.0\.0\.9/,
  ],
  [
    "a Match block that only tightens is no weaker",
    "SSH-017",
    change(good, "ssh", {
      contexts: [
        context("ann", "203.0.113.9", { passwordauthentication: "yes" }),
        context("root", "10.0.0.9"),
      ],
    }),
    "pass",
  ],
  [
    "root with keys only is a trifle beside root with a password",
    "SSH-001",
    change(good, "ssh", {
      contexts: [context("root", "203.0.113.9", { permitrootlogin: "without-password" })],
    }),
    "fail",
    /without-password/,
  ],
  [
    "keyboard-interactive beside a key that is always asked for is no way around it",
    "SSH-003",
    change(good, "ssh", {
      contexts: [
        context("ann", "203.0.113.9", {
          kbdinteractiveauthentication: "yes",
          authenticationmethods: "publickey,keyboard-interactive",
        }),
      ],
    }),
    "pass",
  ],
  [
    "a drop-in that lies beside a main file without Include is ignored",
    "SSH-016",
    change(good, "ssh", { files: partOf(good, "ssh").files.slice(0, 1) }),
    "fail",
    /is not read by sshd/,
  ],
  [
    "a drop-in below an earlier value does not win",
    "SSH-016",
    change(good, "ssh", { contexts: [context("ann", "203.0.113.9", { passwordauthentication: "yes" })] }),
    "fail",
    /not in force: sshd uses yes/,
  ],
  [
    "the file names a port on which nobody listens",
    "SSH-018",
    change(good, "ssh", { contexts: [context("ann", "203.0.113.9", { port: "2222" })] }),
    "fail",
    /2222 is configured, nobody listens/,
  ],
  [
    "whose sockets are hidden is unknown, not equal",
    "SSH-018",
    change(good, "ssh", { listening: hidden }),
    "unknown",
  ],
  [
    "a file that is newer than the running sshd has not been read",
    "SSH-024",
    change(good, "ssh", { loadedMs: NOW - 20 * DAY }),
    "fail",
    /newer than the running sshd/,
  ],
  [
    "a key in a file that others may write is no key that works",
    "SSH-020",
    change(good, "ssh", {
      users: [
        {
          name: "ann",
          uid: 1000,
          sudo: true,
          barred: null,
          keys: [],
          refused: ["ann: sshd does not use /home/ann/.ssh/authorized_keys"],
        },
      ],
    }),
    "fail",
  ],
  [
    "root's key does not count when root may not log in",
    "SSH-020",
    change(good, "ssh", {
      users: [
        {
          name: "root",
          uid: 0,
          sudo: true,
          barred: null,
          keys: [{ type: "ssh-ed25519", file: "/root/.ssh/authorized_keys" }],
          refused: [],
        },
      ],
    }),
    "fail",
  ],
  [
    "without an SSH server there is nothing to harden",
    "SSH-002",
    { ...good, ssh: absent("no OpenSSH server is installed") },
    "not-applicable",
  ],

  [
    "a rule that the audit cannot read makes the port unknown, not closed",
    "FW-006",
    rules([unreadableTerm, accept]),
    "unknown",
    /cannot read/,
  ],
  [
    "a rule that cannot be read but only drops changes nothing",
    "FW-006",
    rules([unreadableTerm, { drop: null }]),
    "pass",
  ],
  [
    "the gateway's own port is closed, an accept of everything from 10/8 does not open it",
    "FW-006",
    rules([
      {
        match: {
          op: "==",
          left: { payload: { protocol: "ip", field: "saddr" } },
          right: { prefix: { addr: "10.0.0.0", len: 8 } },
        },
      },
      accept,
    ]),
    "pass",
  ],
  [
    "an accept for IPv4 alone leaves IPv6 closed, and the port open",
    "FW-006",
    rules([{ match: { op: "==", left: { meta: { key: "nfproto" } }, right: "ipv4" } }, port(18_789), accept]),
    "fail",
    /IPv4/,
  ],
  [
    "IPv4 is closed and IPv6 open",
    "FW-005",
    rules([{ match: { op: "==", left: { meta: { key: "nfproto" } }, right: "ipv6" } }, accept]),
    "fail",
    /open over IPv6/,
  ],
  [
    "UFW says IPV6=no",
    "FW-005",
    change(good, "firewall", {
      ufw: read({ ...valueIn(partOf(good, "firewall").ufw), ipv6: false }),
    }),
    "fail",
  ],
  ["SSH is closed to everybody", "FW-007", rules([port(80), accept]), "fail", /port 22 is closed/],
  ["SSH is open at any rate", "FW-008", rules([port(22), accept]), "fail"],
  [
    "UFW is on in its file and its chains are not in the kernel",
    "FW-002",
    change(good, "firewall", {
      ufw: read({ ...valueIn(partOf(good, "firewall").ufw), inKernel4: false }),
    }),
    "fail",
    /does not go to UFW/,
  ],
  [
    "a database on every address behind a closed port is not reachable",
    "FW-004",
    {
      ...good,
      listeners: read([
        { protocol: "tcp", address: "0.0.0.0", port: 5432, uid: 1, pid: 1, program: "postgres" },
      ]),
    },
    "pass",
  ],
  [
    "a database on an open port is",
    "FW-004",
    {
      ...rules([port(5432), accept]),
      listeners: read([{ protocol: "tcp", address: "::", port: 5432, uid: 1, pid: 1, program: "postgres" }]),
    },
    "fail",
    /postgres/,
  ],
  [
    "ports of containers published for all are let through by Docker's forward rules",
    "FW-011",
    {
      ...rules(),
      docker: read({
        ...partOf(good, "docker"),
        containers: [
          {
            ...GOOD_CONTAINER,
            published: [{ address: "0.0.0.0", hostPort: 8080, port: 80, protocol: "tcp" }],
          },
        ],
      }),
    },
    "fail",
    /8080/,
  ],
  [
    "the same where a table drops forwarded packets",
    "FW-011",
    change(good, "docker", {
      containers: [
        { ...GOOD_CONTAINER, published: [{ address: "0.0.0.0", hostPort: 8080, port: 80, protocol: "tcp" }] },
      ],
    }),
    "pass",
  ],
  [
    "forwarding with nothing that needs it",
    "FW-018",
    {
      ...change(good, "firewall", { interfaces: ["eth0"] }),
      docker: absent("Docker is not installed"),
      tailscale: absent("no Tailscale"),
    },
    "fail",
  ],
  [
    "rules of the kernel that cannot be read are unknown",
    "FW-001",
    change(good, "firewall", { tables: hidden }),
    "unknown",
  ],
  ["loopback in INPUT is dropped", "FW-009", rules([port(22), accept]), "fail", /loopback is dropped/],

  [
    "Fail2Ban counts bans that a flush took out of the kernel",
    "F2B-006",
    change(good, "fail2ban", { inKernel: read([]) }),
    "fail",
    /1 of them not in the kernel/,
  ],
  [
    "OpenSSH 9.8 logs as sshd-session, and the jail looks for sshd",
    "F2B-003",
    change(good, "fail2ban", { sshVersion: "9.8p1" }),
    "fail",
    /sshd-session/,
  ],
  [
    "the operator is logged in and banned",
    "F2B-008",
    change(good, "fail2ban", { operators: ["192.0.2.66"] }),
    "fail",
    /192\.0\.2\.66/,
  ],
  [
    "sshd listens on another port than the ban holds at",
    "F2B-005",
    change(good, "ssh", { listening: read([2222]) }),
    "fail",
    /2222/,
  ],
  [
    "a jail that bans at all ports holds at any",
    "F2B-005",
    change(change(good, "ssh", { listening: read([2222]) }), "fail2ban", {
      sshd: read({ ...valueIn(partOf(good, "fail2ban").sshd), allPorts: true }),
    }),
    "pass",
  ],
  [
    "installed and not running",
    "F2B-001",
    change(good, "fail2ban", { running: false }),
    "fail",
    /does not answer/,
  ],
  [
    "not installed on a host with SSH",
    "F2B-001",
    { ...good, fail2ban: absent("Fail2Ban is not installed") },
    "fail",
  ],

  [
    "unattended-upgrades is not there",
    "UPD-001",
    change(good, "updates", { unattendedInstalled: false }),
    "fail",
  ],
  [
    "one file says 1, a later one switches everything off",
    "UPD-002",
    change(good, "updates", {
      settings: new Map([...partOf(good, "updates").settings, ["APT::Periodic::Enable", ["0"]]]),
    }),
    "fail",
    /nothing of it runs/,
  ],
  [
    "no pattern matches the codename of this release",
    "UPD-003",
    change(good, "updates", {
      settings: new Map([
        ["Unattended-Upgrade::Origins-Pattern", ["origin=Debian,codename=bookworm-security"]],
      ]),
    }),
    "fail",
  ],
  [
    "Ubuntu's older spelling of origins is understood",
    "UPD-003",
    change(good, "updates", {
      settings: new Map([["Unattended-Upgrade::Allowed-Origins", ["${distro_id}:stable-security"]]]),
    }),
    "pass",
  ],
  [
    "Docker's own repository is left out",
    "UPD-004",
    change(good, "updates", {
      settings: new Map([
        ["Unattended-Upgrade::Origins-Pattern", ["origin=Debian,codename=${distro_codename}-security"]],
      ]),
    }),
    "fail",
    /Docker/,
  ],
  [
    "nothing waits, by lists of last month",
    "UPD-007",
    change(good, "updates", { listsMs: NOW - 30 * DAY }),
    "unknown",
    /30 days/,
  ],
  [
    "a release whose end nobody knows here",
    "UPD-011",
    change(good, "updates", { supportEnds: null }),
    "unknown",
  ],

  [
    "Docker was told a user, the process is root",
    "DKR-001",
    change(good, "docker", {
      containers: [
        {
          ...GOOD_CONTAINER,
          user: "1000",
          process: read({
            uid: 0,
            capBounding: 0n,
            capEffective: 0n,
            noNewPrivileges: true,
            seccomp: 2,
            appArmor: null,
          }),
        },
      ],
    }),
    "fail",
    /uid 0 \(Docker was told user "1000"\)/,
  ],
  [
    "Docker was told to drop all, the kernel still allows some",
    "DKR-002",
    change(good, "docker", {
      containers: [
        {
          ...GOOD_CONTAINER,
          process: read({
            uid: 1000,
            capBounding: 0x400n,
            capEffective: 0n,
            noNewPrivileges: true,
            seccomp: 2,
            appArmor: null,
          }),
        },
      ],
    }),
    "fail",
    /0x400/,
  ],
  [
    "a process that cannot be seen proves nothing",
    "DKR-002",
    change(good, "docker", { containers: [{ ...GOOD_CONTAINER, process: hidden }] }),
    "unknown",
  ],
  [
    "an empty address is every address",
    "DKR-007",
    change(good, "docker", {
      containers: [
        { ...GOOD_CONTAINER, published: [{ address: "", hostPort: 18_789, port: 18_789, protocol: "tcp" }] },
      ],
    }),
    "fail",
  ],
  [
    "published on the tailnet only",
    "DKR-007",
    change(good, "docker", {
      containers: [
        {
          ...GOOD_CONTAINER,
          published: [{ address: "100.101.102.103", hostPort: 18_789, port: 18_789, protocol: "tcp" }],
        },
      ],
    }),
    "pass",
  ],
  [
    "old Docker behind a policy that is enforced",
    "DKR-016",
    change(good, "docker", { version: "20.10.24" }),
    "pass",
    /Seawall/,
  ],
  [
    "the group file is clean, the running process is still in docker",
    "DKR-014",
    instance({ process: read({ uid: 990, groups: ["docker"], sudo: read([]) }) }),
    "fail",
  ],
  [
    "no Docker, nothing to judge",
    "DKR-001",
    { ...good, docker: absent("Docker is not installed") },
    "not-applicable",
  ],

  [
    "the configuration says loopback, the socket is open",
    "APP-001",
    instance({
      listeners: [
        { protocol: "tcp", address: "0.0.0.0", port: 18_789, uid: 990, pid: 800, program: "openclaw-gatewa" },
      ],
    }),
    "fail",
    /listens on tcp 0\.0\.0\.0/,
  ],
  [
    "the socket is on loopback, the next start opens it",
    "APP-001",
    config({ gateway: { bind: "lan" } }),
    "fail",
    /next start/,
  ],
  [
    "on the tailnet's address only",
    "APP-001",
    instance({
      listeners: [
        {
          protocol: "tcp",
          address: "100.64.3.4",
          port: 18_789,
          uid: 990,
          pid: 800,
          program: "openclaw-gatewa",
        },
      ],
    }),
    "pass",
  ],
  [
    "in a container it listens on all, published on loopback",
    "APP-001",
    instance({ container: GOOD_CONTAINER.id, listeners: [] }),
    "pass",
    /published on 127\.0\.0\.1/,
  ],
  [
    "in a container that is published to all",
    "APP-001",
    {
      ...instance({ container: GOOD_CONTAINER.id }),
      docker: read({
        ...partOf(good, "docker"),
        containers: [
          {
            ...GOOD_CONTAINER,
            published: [{ address: "0.0.0.0", hostPort: 18_789, port: 18_789, protocol: "tcp" }],
          },
        ],
      }),
    },
    "fail",
  ],
  [
    "the configuration names a token, and 200 comes without it",
    "APP-002",
    instance({ answers: read({ without: 200, withToken: null }) }),
    "fail",
    /answered by 200/,
  ],
  [
    "a token that repeats itself",
    "APP-002",
    config({ gateway: { auth: { token: "abababababababababababababababab" } } }),
    "fail",
    /different characters/,
  ],
  [
    "a short token in the environment",
    "APP-002",
    { ...instance({ answers: hidden, tokenInEnvironment: { present: true, length: 8 }, config: read({}) }) },
    "fail",
    /8 characters/,
  ],
  [
    "a dangling account with open direct messages",
    "APP-003",
    config({ channels: { telegram: { dmPolicy: "pairing", accounts: { second: { dmPolicy: "open" } } } } }),
    "fail",
    /accounts\.second\.dmPolicy/,
  ],
  [
    "a channel that is switched off does not count",
    "APP-003",
    config({ channels: { telegram: { enabled: false, dmPolicy: "open" } } }),
    "not-applicable",
  ],
  [
    "an agent of its own with commands, below a whole that denies them",
    "APP-006",
    config({
      tools: { exec: { mode: "deny" } },
      agents: { entries: { ops: { tools: { exec: { mode: "full" } } } } },
    }),
    "fail",
    /agents\.entries\.ops/,
  ],
  [
    "commands in a sandbox and asked for",
    "APP-006",
    config({ tools: { exec: { mode: "ask" } }, agents: { defaults: { sandbox: { mode: "all" } } } }),
    "pass",
  ],
  ["commands not mentioned means all of them", "APP-006", config({}), "fail", /means full/],
  [
    "runs as its own user, in group lxd",
    "APP-008",
    instance({ process: read({ uid: 990, groups: ["lxd"], sudo: read([]) }) }),
    "fail",
    /lxd/,
  ],
  [
    "may run everything by sudo",
    "APP-008",
    instance({ process: read({ uid: 990, groups: [], sudo: read(["(ALL : ALL) NOPASSWD: ALL"]) }) }),
    "fail",
    /by sudo/,
  ],
  [
    "what sudo allows cannot be seen",
    "APP-008",
    instance({ process: read({ uid: 990, groups: [], sudo: hidden }) }),
    "unknown",
  ],
  [
    "a wildcard behind journalctl",
    "APP-015",
    instance({
      process: read({
        uid: 990,
        groups: [],
        sudo: read(["(root) NOPASSWD: /usr/bin/journalctl -u openclaw *"]),
      }),
    }),
    "fail",
  ],
  [
    "a proxy leads to it and no proxy is trusted",
    "APP-010",
    config({ gateway: {} }),
    "fail",
    /refused or looks local/,
  ],
  [
    "the configuration cannot be parsed",
    "APP-023",
    instance({ config: absent("openclaw.json:3: a `:` is missing") }),
    "fail",
  ],
  ["OpenClaw's own audit could not be run", "APP-014", instance({ audit: hidden }), "unknown"],
  [
    "a statement of four months ago",
    "APP-017",
    { ...good, attested: [{ check: "APP-017", says: "alert at 20 USD", owner: "ann", on: "2026-07-01" }] },
    "unknown",
    /more than 90 days/,
  ],
  ["nothing is stated about billing", "APP-018", { ...good, attested: [] }, "unknown"],
  [
    "no OpenClaw, nothing to bill",
    "APP-018",
    { ...good, openclaw: absent("no OpenClaw was found"), attested: [] },
    "not-applicable",
  ],
  [
    "one of two instances is wrong, and named",
    "APP-005",
    change(good, "openclaw", {
      instances: [GOOD_INSTANCE, { ...GOOD_INSTANCE, name: "gateway of bob", config: read({}) }],
    }),
    "fail",
    /^gateway of bob: /,
  ],

  [
    "a secret in the history and a history that is only half read",
    "SEC-004",
    change(good, "secrets", {
      repositories: read([
        { path: "/r", hits: [], unignored: [], hasEnv: false, commits: 2000, complete: false },
      ]),
    }),
    "unknown",
  ],
  [
    "keys in an .env file that is 600 are still plain",
    "SEC-006",
    change(good, "secrets", {
      sealed: [],
      envFiles: [
        {
          ...partOf(good, "secrets").envFiles[0],
          hits: [{ place: ".env:1", rule: "OpenAI API key" }],
        } as never,
      ],
    }),
    "fail",
    /in plain text/,
  ],
  [
    "a private memory that swaps to an encrypted disk",
    "SEC-010",
    change(good, "secrets", { swap: ["/dev/dm-0"], swapEncrypted: true }),
    "pass",
  ],
  [
    "headers on 200 and missing on 401",
    "PRX-003",
    change(good, "proxy", {
      sites: [
        {
          ...partOf(good, "proxy").sites[0],
          answers: [{ request: "GET /", status: 401, headers: {} }],
        } as never,
      ],
    }),
    "fail",
    /GET \/ 401/,
  ],
  [
    "headers that vanish when the gateway is down",
    "PRX-004",
    change(good, "proxy", { sites: [{ ...partOf(good, "proxy").sites[0], onErrors: read([]) } as never] }),
    "fail",
    /502/,
  ],
  [
    "the admin interface in the file is a socket, the process still listens on 2019",
    "PRX-011",
    change(good, "proxy", { admin: read("127.0.0.1:2019") }),
    "fail",
  ],
  [
    "nginx that drops inherited headers",
    "PRX-013",
    change(good, "proxy", { kind: "nginx", lostHeaders: [] }),
    "pass",
  ],
  ["no proxy runs", "PRX-001", { ...good, proxy: absent("no reverse proxy runs here") }, "not-applicable"],
  [
    "shadow cannot be read",
    "HOST-003",
    {
      ...good,
      accounts: read([
        { name: "root", uid: 0, gid: 0, home: "/root", shell: "/bin/sh", groups: [], password: null },
      ]),
    },
    "unknown",
  ],
  ["containment that nobody looked at", "CTN-001", { ...good, containment: hidden }, "unknown"],
  [
    "a host of one's own has no provider",
    "NET-003",
    { ...change(good, "host", { virtual: null }), attested: [] },
    "not-applicable",
  ],
  [
    "Tailscale gets in although the world does not",
    "NET-002",
    rules([port(80), accept]),
    "fail",
    /tailscale0 is dropped/,
  ],
];

describe("a check says what is so", () => {
  for (const [sentence, id, facts, status, says] of ROWS) {
    test(`${id} ${status}: ${sentence}`, () => {
      const outcome = checkNamed(id)?.judge(facts);
      const lines =
        outcome === undefined
          ? []
          : [
              ...("evidence" in outcome ? (outcome.evidence ?? []) : []),
              ...("why" in outcome ? [outcome.why] : []),
            ];
      assert.equal(outcome?.status, status, lines.join("\n"));
      if (says !== undefined)
        assert.ok(
          lines.some((line) => says.test(line)),
          lines.join("\n"),
        );
    });
  }
});
