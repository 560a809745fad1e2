/** What an OpenClaw instance needs of the network, from its configuration alone. */
import { gatherChannels, gatherMail } from "./channel-need.ts";
import { type Endpoint, parseEndpoint } from "./endpoint.ts";
import { configuredVariables, substitute, type Variables } from "./environment.ts";
import { closeGathering, type Need, needPreset, startGathering } from "./gathering.ts";
import { at, isOff, type JsonObject, objectAt, textAt } from "./json.ts";
import { gatherModels } from "./model-need.ts";
import { gatherTools } from "./tool-need.ts";
import { gatherUrls } from "./url-need.ts";

/** Where the gateway listens when nothing says otherwise (OpenClaw 2026.9.6). */
export const GATEWAY_PORT = 18_789;

export interface Gateway {
  readonly port: number;
  /** `gateway.bind` if it is one of OpenClaw's words, else null: loopback, or everything in a container. */
  readonly bind: "auto" | "loopback" | "lan" | "tailnet" | "custom" | null;
}

export interface OpenclawNeeds {
  readonly gateway: Gateway;
  /** Names of presets. */
  readonly presets: readonly Need<string>[];
  /** Hosts and addresses that no needed preset holds. */
  readonly endpoints: readonly Need<Endpoint>[];
  /** Channels that are called by webhook: at a port of their own, or (null) at the gateway behind a proxy. */
  readonly listeners: readonly Need<{ readonly channel: string; readonly port: number | null }>[];
  /** `proxy.proxyUrl`: OpenClaw itself goes out by this proxy. */
  readonly proxy: Endpoint | null;
  /** Tools that by their nature reach any site. */
  readonly browsing: readonly string[];
  /** What a person has to look at, in words. */
  readonly open: readonly string[];
}

/**
 * Returns what the instance needs. `variables` are those of its process and environment files; the
 * configuration's own `env` block counts after them, as OpenClaw reads it. Nothing of their values is returned
 * but the hosts of addresses that name them.
 */
export function openclawNeeds(root: JsonObject, variables: Variables): OpenclawNeeds {
  const known = new Map([...configuredVariables(root), ...variables]);
  const found = startGathering(known);
  needPreset(found, "openclaw", "every instance");
  gatherModels(found, root);
  gatherChannels(found, root);
  gatherMail(found, root);
  gatherTools(found, root);
  gatherUrls(found, root);
  return {
    gateway: gatewayOf(root, known),
    ...closeGathering(found),
    proxy: proxyOf(root, known),
    browsing: browsingOf(root),
  };
}

const BINDS = ["auto", "loopback", "lan", "tailnet", "custom"] as const;

function gatewayOf(root: JsonObject, variables: Variables): Gateway {
  const given = Number(variables.get("OPENCLAW_GATEWAY_PORT") ?? at(root, "gateway", "port"));
  const isPort = Number.isInteger(given) && given >= 1 && given <= 65_535;
  return {
    port: isPort ? given : GATEWAY_PORT,
    bind: BINDS.find((word) => word === textAt(root, "gateway", "bind")) ?? null,
  };
}

function proxyOf(root: JsonObject, variables: Variables): Endpoint | null {
  const block = objectAt(root, "proxy");
  const text = isOff(block)
    ? null
    : (textAt(block, "proxyUrl") ?? variables.get("OPENCLAW_PROXY_URL") ?? null);
  const parsed = text === null ? null : parseEndpoint(substitute(text, variables) ?? "");
  return parsed?.ok === true ? parsed.endpoint : null;
}

function browsingOf(root: JsonObject): string[] {
  const fetches = !isOff(objectAt(root, "tools", "web", "fetch"));
  const browses = !isOff(objectAt(root, "browser"));
  return [...(fetches ? ["web_fetch"] : []), ...(browses ? ["browser"] : [])];
}
