/** The good host's containers, site and agent. */
import type { Container } from "../../../src/core/audit/fact/docker.ts";
import type { OpenclawInstance } from "../../../src/core/audit/fact/openclaw.ts";
import type { ProxySite } from "../../../src/core/audit/fact/proxy.ts";
import { read } from "../../../src/core/audit/reading.ts";
import { DAY, NOW } from "./moment.ts";

const root = { uid: 0, gid: 0, mtimeMs: NOW - 10 * DAY };

export const GOOD_CONTAINER: Container = {
  id: "0123456789ab",
  name: "openclaw-gateway",
  image: "ghcr.io/openclaw/openclaw@sha256:aa",
  agent: true,
  sandbox: false,
  pid: 700,
  user: "1000:1000",
  privileged: false,
  capAdd: [],
  capDrop: ["ALL"],
  securityOptions: ["no-new-privileges:true"],
  mounts: [{ source: "/srv/openclaw", target: "/home/node/.openclaw", writable: true }],
  networkMode: "openclaw-net",
  namespaces: { pid: "", ipc: "private", uts: "", userns: "" },
  readOnly: true,
  limits: { pids: 256, memoryBytes: 2 * 1024 ** 3, nanoCpus: 1.5e9 },
  logMaxSize: "10m",
  published: [{ address: "127.0.0.1", hostPort: 18_789, port: 18_789, protocol: "tcp" }],
  addresses: ["172.18.0.2"],
  digestPinned: true,
  imageCreatedMs: NOW - 10 * DAY,
  secretEnv: [],
  process: read({
    uid: 1000,
    capBounding: 0n,
    capEffective: 0n,
    noNewPrivileges: true,
    seccomp: 2,
    appArmor: "docker-default (enforce)",
  }),
};

export const GOOD_SANDBOX: Container = {
  ...GOOD_CONTAINER,
  id: "ba9876543210",
  name: "openclaw-sbx-main",
  sandbox: true,
  networkMode: "none",
  published: [],
};

const HEADERS = {
  "strict-transport-security": "max-age=31536000; includeSubDomains",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

export const GOOD_SITE: ProxySite = {
  name: "agent.example.org",
  tls: read({ validUntilMs: NOW + 60 * DAY, trusted: true, why: "", version: "TLSv1.3" }),
  answers: [
    { request: "GET /", status: 401, headers: HEADERS },
    { request: "GET /v1/models", status: 401, headers: HEADERS },
    { request: "WebSocket /", status: 401, headers: HEADERS },
  ],
  plain: read({ status: 308, location: "https://agent.example.org/" }),
  upstreams: ["127.0.0.1:18789"],
  passes: read([]),
  authentication: ["http_basic"],
  rateLimited: true,
  onErrors: read(Object.keys(HEADERS)),
};

export const GOOD_INSTANCE: OpenclawInstance = {
  name: "gateway of openclaw (pid 800)",
  pid: 800,
  uid: 990,
  user: "openclaw",
  unit: "openclaw-gateway.service",
  container: null,
  profile: null,
  refused: null,
  stateFolder: { ...root, path: "/home/openclaw/.openclaw", mode: 0o700, uid: 990 },
  configFile: { ...root, path: "/home/openclaw/.openclaw/openclaw.json", mode: 0o600, uid: 990 },
  config: read({
    gateway: {
      mode: "local",
      bind: "loopback",
      auth: { mode: "token", token: "${OPENCLAW_GATEWAY_TOKEN}" },
      trustedProxies: ["127.0.0.1", "::1"],
    },
    session: { dmScope: "per-channel-peer" },
    tools: {
      exec: { mode: "deny" },
      fs: { workspaceOnly: true },
      elevated: { enabled: false },
      agentToAgent: { enabled: false },
      sessions: { visibility: "agent" },
    },
    agents: { entries: { main: {}, work: {} } },
    channels: { telegram: { dmPolicy: "pairing", groupPolicy: "allowlist" } },
    plugins: { allow: ["telegram"] },
    discovery: { mdns: { mode: "off" } },
  }),
  listeners: [
    { protocol: "tcp", address: "127.0.0.1", port: 18_789, uid: 990, pid: 800, program: "openclaw-gatewa" },
  ],
  oldSpellings: [],
  answers: read({ without: 401, withToken: 200 }),
  version: "2026.11.10",
  audit: read({ critical: 0, warn: 1, findings: [], suppressed: 0 }),
  secretsAudit: read({ plaintext: 0, details: [] }),
  doctor: read({ ok: true, findings: [] }),
  process: read({
    uid: 990,
    groups: ["openclaw"],
    sudo: read(["(root) NOPASSWD: /usr/bin/systemctl restart openclaw-gateway.service"]),
  }),
  sandbox: read({
    unit: "openclaw-gateway.service",
    properties: { NoNewPrivileges: "yes", ProtectSystem: "strict", PrivateTmp: "yes" },
  }),
  skills: read(["weather"]),
  plugins: read([]),
  backups: read([{ path: "/home/openclaw/Backups/openclaw-20261120.tar.gz", newestMs: NOW - DAY }]),
  tokenInEnvironment: { present: true, length: 64 },
};
