/** The bad host's containers, secrets, proxy and agents. */
import type { Container } from "../../../src/core/audit/fact/docker.ts";
import type { Facts } from "../../../src/core/audit/fact/facts.ts";
import type { OpenclawInstance } from "../../../src/core/audit/fact/openclaw.ts";
import type { ProxySite } from "../../../src/core/audit/fact/proxy.ts";
import { read } from "../../../src/core/audit/reading.ts";
import { partOf } from "./change.ts";
import { goodFacts } from "./good.ts";
import { GOOD_CONTAINER, GOOD_INSTANCE, GOOD_SITE } from "./good-agent.ts";
import { DAY, NOW } from "./moment.ts";

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

const BAD_INSTANCE: OpenclawInstance = {
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

export function badAgent(): Pick<Facts, "docker" | "secrets" | "proxy" | "openclaw" | "containment"> {
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
    openclaw: read({ instances: [BAD_INSTANCE, SECOND_INSTANCE], notLookedAt: [], claims: [] }),
    containment: read({
      verdict: "not-contained",
      reasons: [{ way: "agent: sudo without a password", cure: "visudo" }],
    }),
  };
}
