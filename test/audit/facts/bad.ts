/** A host on which every check of every layer fails: what the guides warn of, all at once. */
import type { Container } from "../../../src/core/audit/fact/docker.ts";
import type { Facts } from "../../../src/core/audit/fact/facts.ts";
import type { OpenclawInstance } from "../../../src/core/audit/fact/openclaw.ts";
import type { ProxySite } from "../../../src/core/audit/fact/proxy.ts";
import { read } from "../../../src/core/audit/reading.ts";
import { context, DAY, GOOD_CONTAINER, GOOD_INSTANCE, GOOD_SITE, goodFacts, NOW, tablesOf } from "./good.ts";
import { partOf } from "./change.ts";

const good = goodFacts();
const ours = { uid: 0, gid: 0, mtimeMs: NOW };

const BAD_CONTAINER: Container = {
  ...GOOD_CONTAINER,
  image: "openclaw/openclaw:latest",
  user: "",
  privileged: true,
  capDrop: [],
  securityOptions: ["seccomp:unconfined"],
  mounts: [
    { source: "/run/docker.sock", target: "/var/run/docker.sock", writable: true },
    { source: "/etc", target: "/host/etc", writable: true },
  ],
  networkMode: "bridge",
  namespaces: { pid: "host", ipc: "", uts: "", userns: "" },
  readOnly: false,
  limits: { pids: 0, memoryBytes: 0, nanoCpus: 0 },
  logMaxSize: null,
  published: [{ address: "", hostPort: 18_789, port: 18_789, protocol: "tcp" }],
  digestPinned: false,
  imageCreatedMs: NOW - 300 * DAY,
  secretEnv: ["ANTHROPIC_API_KEY"],
  process: read({
    uid: 0,
    capBounding: 0x1ffffffffffn,
    capEffective: 0x1ffffffffffn,
    noNewPrivileges: false,
    seccomp: 0,
    appArmor: "unconfined",
  }),
};

const BAD_SANDBOX: Container = { ...BAD_CONTAINER, name: "openclaw-sbx-main", sandbox: true };

const BAD_SITE: ProxySite = {
  ...GOOD_SITE,
  tls: read({
    validUntilMs: NOW + 2 * DAY,
    trusted: false,
    why: "its certificate is not trusted: self-signed",
    version: "TLSv1.2",
  }),
  answers: [
    { request: "GET /", status: 200, headers: { server: "nginx/1.18.0" } },
    { request: "WebSocket /", status: 400, headers: {} },
  ],
  plain: read({ status: 200, location: null }),
  upstreams: ["203.0.113.10:18789"],
  passes: read(["forwarded", "tailscale-user-login"]),
  authentication: [],
  rateLimited: false,
  onErrors: read([]),
};

export const BAD_INSTANCE: OpenclawInstance = {
  ...GOOD_INSTANCE,
  uid: 0,
  user: "root",
  config: read({
    gateway: {
      bind: "lan",
      port: 3000,
      authToken: "x",
      auth: { mode: "none" },
      trustedProxies: ["10.0.0.0/8"],
      controlUi: { allowedOrigins: ["*"], dangerouslyDisableDeviceAuth: true },
    },
    channels: { telegram: { dmPolicy: "open", allowFrom: ["*"], groupPolicy: "open" } },
    tools: {
      exec: { mode: "full" },
      elevated: { enabled: true, allowFrom: { telegram: ["*"] } },
      fs: { workspaceOnly: false },
      sessions: { visibility: "all" },
    },
    agents: { entries: { main: {}, public: {} } },
    discovery: { mdns: { mode: "full" } },
  }),
  listeners: [
    { protocol: "tcp", address: "0.0.0.0", port: 18_789, uid: 0, pid: 800, program: "openclaw-gatewa" },
  ],
  oldSpellings: [{ key: "gateway.authToken", today: "gateway.auth" }],
  answers: read({ without: 200, withToken: null }),
  version: "2026.2.1",
  audit: read({
    critical: 3,
    warn: 2,
    findings: [{ id: "gateway.bind_no_auth", severity: "critical", title: "no auth", detail: "" }],
    suppressed: 1,
  }),
  doctor: read({ ok: false, findings: ["gateway.authToken: Unrecognized key"] }),
  process: read({ uid: 0, groups: ["root", "docker"], sudo: read([]) }),
  sandbox: read({
    unit: "openclaw-gateway.service",
    properties: { NoNewPrivileges: "no", ProtectSystem: "no", PrivateTmp: "no" },
  }),
  plugins: read(["shiny"]),
  backups: read([]),
  tokenInEnvironment: { present: false, length: 0 },
};

/** A second instance under a user of its own, who may use Docker and sudo with a wildcard. */
const SECOND_INSTANCE: OpenclawInstance = {
  ...BAD_INSTANCE,
  name: "gateway of bob (pid 801)",
  pid: 801,
  uid: 1001,
  user: "bob",
  process: read({
    uid: 1001,
    groups: ["bob", "docker"],
    sudo: read(["(root) NOPASSWD: /usr/bin/journalctl -u openclaw *"]),
  }),
};

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
        { name: "ufw", atBoot: true, running: true },
        { name: "nftables", atBoot: true, running: false },
      ]),
      legacyTables: ["filter"],
      dockerUser: ["-A DOCKER-USER -i ens3 -p tcp -m tcp --dport 80 -j RETURN"],
      seawall: { state: "off", outbound: null },
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

function badAgent(): Pick<Facts, "docker" | "secrets" | "proxy" | "openclaw" | "containment"> {
  const docker = partOf(good, "docker");
  const secrets = partOf(good, "secrets");
  const proxy = partOf(good, "proxy");
  const hit = { place: "openclaw.json: models.providers.anthropic.apiKey", rule: "Anthropic API key" };
  return {
    docker: read({
      ...docker,
      version: "20.10.24",
      containers: [BAD_CONTAINER, BAD_SANDBOX],
      socket: read({ ...ours, path: "/run/docker.sock", mode: 0o666, gid: 110 }),
      liveRestore: false,
      settings: { iptables: false },
      tcp: ["tcp 0.0.0.0:2375 (dockerd)"],
    }),
    secrets: read({
      ...secrets,
      config: read([hit]),
      envFiles: [
        {
          ...ours,
          path: "/root/.env",
          mode: 0o644,
          links: 2,
          ownerUid: 990,
          uid: 1000,
          mtimeMs: NOW - 400 * DAY,
          parent: { ...ours, path: "/root", mode: 0o777 },
          hits: [hit],
        },
      ],
      repositories: read([
        {
          path: "/root/bot",
          hits: [{ place: "commit 1234567 .env", rule: "Anthropic API key" }],
          unignored: [".env"],
          hasEnv: true,
          commits: 3,
          complete: true,
        },
      ]),
      units: [
        { place: "/etc/systemd/system/openclaw.service:5 ANTHROPIC_API_KEY", rule: "Anthropic API key" },
      ],
      traces: read([{ place: "/root/.bash_history:12", rule: "Anthropic API key" }]),
      statePermissions: read(["/root/.openclaw: 0777"]),
      resolvers: [{ provider: "vault", problem: "others may write /opt/resolver" }],
      sealed: [
        {
          path: "/var/lib/seawall/secrets/anthropic",
          problem: "its tag has 4 bytes",
          createdMs: NOW - 400 * DAY,
          keySource: "file",
        },
      ],
      swap: ["/dev/sda2"],
      swapEncrypted: false,
      suidDumpable: 2,
    }),
    proxy: read({
      ...proxy,
      kind: "nginx",
      sites: [BAD_SITE],
      admin: read("localhost:2019"),
      configValid: read({ ok: false, said: "nginx: [emerg] unknown directive" }),
      lostHeaders: ["server agent.example.org, location / drops Strict-Transport-Security"],
      banner: true,
      oldTls: ["TLS 1.1 or older"],
      unknownNameRefused: read(false),
    }),
    openclaw: read({ instances: [BAD_INSTANCE, SECOND_INSTANCE] }),
    containment: read({
      verdict: "not-contained",
      reasons: [{ way: "agent: sudo without a password", cure: "visudo" }],
    }),
  };
}
