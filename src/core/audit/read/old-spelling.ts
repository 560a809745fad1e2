/** Settings as older versions and guides of others write them, and what they are called today. */
import type { ConfigObject } from "../fact/openclaw.ts";
import { at, isObject, objectsUnder } from "./config-path.ts";

interface Spelling {
  readonly path: string;
  readonly today: string;
}

const SPELLINGS: readonly Spelling[] = [
  {
    path: "gateway.authToken",
    today: 'gateway.auth: {mode: "token", token: ...}, or OPENCLAW_GATEWAY_TOKEN',
  },
  { path: "gateway.token", today: 'gateway.auth: {mode: "token", token: ...}' },
  { path: "gateway.host", today: 'gateway.bind: "loopback"' },
  { path: "gateway.bindHost", today: 'gateway.bind: "loopback", or "custom" with gateway.customBindHost' },
  {
    path: "pairing",
    today: 'channels.CHANNEL.dmPolicy: "pairing" (autoApprove was dmPolicy "open" with allowFrom ["*"])',
  },
  { path: "security.workspace", today: "agents.defaults.workspace" },
  { path: "security.allowedPaths", today: "tools.fs.workspaceOnly: true with agents.defaults.workspace" },
  { path: "security.deniedPaths", today: "no key: the agent's own user and a sandbox deny paths" },
  {
    path: "providers",
    today: "models.providers.ID {api, baseUrl, apiKey}; mostly just ANTHROPIC_API_KEY in the environment",
  },
  { path: "dmPolicy", today: "channels.CHANNEL.dmPolicy: it is per channel" },
  { path: "groupPolicy", today: "channels.CHANNEL.groupPolicy: it is per channel" },
  { path: "exec", today: 'tools.exec.mode: "deny"' },
  { path: "filesystem", today: "tools.fs.workspaceOnly: true" },
  { path: "tools.exec.approval", today: 'tools.exec.mode: "ask"' },
  { path: "redactSensitive", today: "no key: redaction is always on" },
  { path: "logging.redactSensitive", today: "no key: redaction is always on" },
];

const ADDRESSES = /^(?:\d{1,3}\.){3}\d{1,3}$|^::1?$|^localhost$/;

/** Returns the old spellings that a configuration holds, each with today's key. */
export function oldSpellings(config: ConfigObject): { readonly key: string; readonly today: string }[] {
  const found = SPELLINGS.filter(({ path }) => at(config, path) !== undefined).map(({ path, today }) => ({
    key: path,
    today,
  }));
  const bind = at(config, "gateway.bind");
  if (typeof bind === "string" && ADDRESSES.test(bind))
    found.push({
      key: `gateway.bind "${bind}"`,
      today:
        bind === "0.0.0.0" || bind === "::"
          ? 'gateway.bind: "lan"; better "loopback"'
          : 'gateway.bind: "loopback"',
    });
  const port = at(config, "gateway.port");
  if (port === 3000 || port === 8080 || port === 8443)
    found.push({
      key: `gateway.port ${port}`,
      today: "works, but 18789 is the port every guide and guard of today means",
    });
  for (const path of ["tools.exec.mode", "tools.exec.security"])
    if (at(config, path) === "denied") found.push({ key: `${path} "denied"`, today: `${path}: "deny"` });
  for (const [path, channel] of objectsUnder(config, "channels"))
    if (isObject(at(channel, "pairing")))
      found.push({ key: `${path}.pairing`, today: `${path}.dmPolicy: "pairing"` });
  return found;
}
