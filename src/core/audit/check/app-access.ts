/** Layer 8, who may talk to the agent: bind, token, direct messages, groups, sessions. */
import { type Check, type Outcome, fail, given, notApplicable, pass, passUnless, unknown } from "../check.ts";
import { isLoopbackAddress, listenerText } from "../fact/listener.ts";
import type { ConfigObject, ConfigValue, OpenclawInstance } from "../fact/openclaw.ts";
import type { Facts } from "../fact/facts.ts";
import { byEvidence } from "../failure.ts";
import { at, isObject, listAt, objectsUnder, textAt } from "../read/config-path.ts";
import { isReference, weaknessOf } from "../read/secret-rule.ts";
import { onConfigs, onInstances } from "./app-instance.ts";
import { isForWorld } from "./firewall-rule.ts";

export const APP_ACCESS_CHECKS: readonly Check[] = [
  {
    id: "APP-001",
    layer: "app",
    severity: "critical",
    title: "The gateway listens on loopback only",
    fails: byEvidence(
      "The gateway listens beyond loopback",
      [/from its next start/, "The gateway will listen beyond loopback"],
      [/published/, "The gateway's port is published to the outside"],
    ),
    why: "a gateway on every address takes orders from whoever finds it",
    fix: "openclaw config set gateway.bind loopback && openclaw gateway restart",
    looksAt: "the sockets of the gateway's process, and gateway.bind",
    judge: (facts) => onInstances(facts, (instance) => judgeBind(facts, instance)),
  },
  {
    id: "APP-002",
    layer: "app",
    severity: "critical",
    title: "The gateway asks for a strong token",
    fails: byEvidence(
      "The gateway's token is weak or missing",
      [/answered by 200/, "The gateway answers without a token"],
      [/auth.mode is none/, "The gateway asks for no token"],
    ),
    why: "without one every program and every web page that reaches the port may give orders",
    fix: "openclaw doctor --generate-gateway-token, or: openssl rand -hex 32 into OPENCLAW_GATEWAY_TOKEN",
    looksAt: "the answers 401 and 200 on /v1/models, gateway.auth, and the gateway's environment",
    judge: (facts) => onInstances(facts, judgeToken),
  },
  {
    id: "APP-003",
    layer: "app",
    severity: "high",
    title: "Strangers must pair before they can write",
    fails: "Strangers may write to the agent without pairing",
    why: "with open direct messages anybody who finds the bot gives it orders and spends your money",
    fix: "openclaw config set channels.CHANNEL.dmPolicy pairing",
    looksAt: "dmPolicy of every channel and account",
    judge: (facts) =>
      onConfigs(facts, (config) => {
        const policies = channelValues(config, "dmPolicy", ["dm.policy", "dm.dmPolicy"]);
        return onChannels(
          config,
          passUnless(
            policies.filter(([, value]) => value === "open").map(([path]) => `${path} is open`),
            policyText(policies, "dmPolicy", "pairing"),
          ),
        );
      }),
  },
  {
    id: "APP-004",
    layer: "app",
    severity: "high",
    title: "Groups are listed, and the agent is called by name",
    fails: "Everybody in a group gives the agent orders",
    why: "in an open group every member may give orders, and whoever adds the bot to a group makes one",
    fix: "openclaw config set channels.CHANNEL.groupPolicy allowlist, and requireMention true",
    looksAt: "groupPolicy and groups of every channel and account",
    judge: (facts) =>
      onConfigs(facts, (config) => {
        const open = [
          ...channelValues(config, "groupPolicy", [])
            .filter(([, value]) => value === "open")
            .map(([path]) => `${path} is open`),
          ...(textAt(config, "channels.defaults.groupPolicy") === "open"
            ? ["channels.defaults.groupPolicy is open"]
            : []),
        ];
        if (open.length > 0) return onChannels(config, fail(open));
        const loud = objectsUnder(config, "channels").flatMap(([path, channel]) =>
          objectsUnder(channel, "groups")
            .filter(([, group]) => at(group, "requireMention") === false)
            .map(([group]) => `${path}.${group}.requireMention is false`),
        );
        if (loud.length > 0) return onChannels(config, fail(loud, { severity: "low" }));
        return onChannels(
          config,
          pass(policyText(channelValues(config, "groupPolicy", []), "groupPolicy", "allowlist")),
        );
      }),
  },
  {
    id: "APP-010",
    layer: "app",
    severity: "high",
    title: "The gateway trusts exactly its proxy",
    fails: byEvidence("The gateway does not know its proxy", [
      /trusts all of/,
      "The gateway trusts a whole network as its proxy",
    ]),
    why: "without it every visitor looks like this host; with a whole network anybody in it can pose as anybody",
    fix: 'openclaw config set gateway.trustedProxies \'["127.0.0.1", "::1"]\'',
    looksAt: "gateway.trustedProxies, and whether a proxy leads to the gateway",
    judge: (facts) =>
      onConfigs(facts, (config, instance) => {
        const trusted = listAt(config, "gateway.trustedProxies").map(String);
        const wide = trusted.filter(
          (entry) => /\/\d+$/.test(entry) && !/\/(32|128)$/.test(entry) && !isLoopbackAddress(entry),
        );
        if (wide.length > 0)
          return fail(wide.map((entry) => `gateway.trustedProxies trusts all of ${entry}`));
        const proxied =
          facts.proxy.kind === "read" &&
          facts.proxy.value.sites.some(({ upstreams }) =>
            upstreams.some((upstream) =>
              instance.listeners.some(({ port }) => upstream.endsWith(`:${port}`)),
            ),
          );
        if (proxied && trusted.length === 0)
          return fail(
            "a proxy leads to the gateway, and gateway.trustedProxies is empty: every visitor is refused or looks local",
          );
        return pass(
          trusted.length === 0
            ? "no proxy leads to it, and none is trusted"
            : `trusted: ${trusted.join(", ")}`,
        );
      }),
  },
  {
    id: "APP-012",
    layer: "app",
    severity: "high",
    title: "Only your own pages may use the dashboard's interface",
    fails: "Any web page may use the dashboard's interface",
    why: "with `*` any web page you visit could drive the gateway from your browser",
    fix: "openclaw config set gateway.controlUi.allowedOrigins '[\"https://YOUR.NAME\"]'",
    looksAt: "gateway.controlUi",
    judge: (facts) =>
      onConfigs(facts, (config) => {
        const origins = listAt(config, "gateway.controlUi.allowedOrigins").map(String);
        const bind = textAt(config, "gateway.bind") ?? "loopback";
        return passUnless(
          [
            ...(origins.includes("*") ? ["gateway.controlUi.allowedOrigins holds *"] : []),
            ...(at(config, "gateway.controlUi.dangerouslyAllowHostHeaderOriginFallback") === true
              ? ["the Host header is taken for the origin"]
              : []),
            ...(origins.length === 0 && !["loopback", "auto"].includes(bind)
              ? [`gateway.bind is ${bind} and no origin is listed`]
              : []),
          ],
          origins.length === 0 ? "loopback only, so no origin is needed" : `allowed: ${origins.join(", ")}`,
        );
      }),
  },
  {
    id: "APP-019",
    layer: "app",
    severity: "medium",
    title: "Every chat has a session of its own",
    fails: "All chats share one session",
    why: "in a shared session one person reads what the agent said to another",
    fix: "openclaw config set session.dmScope per-channel-peer",
    looksAt: "session.dmScope and the channels",
    judge: (facts) =>
      onConfigs(facts, (config) => {
        if (enabledChannels(config).length === 0) return notApplicable("no channel is configured");
        const scope = textAt(config, "session.dmScope") ?? "main";
        return passUnless(
          scope === "main" ? ["session.dmScope is main: direct messages of everybody share one session"] : [],
          `session.dmScope ${scope}`,
        );
      }),
  },
  {
    id: "APP-021",
    layer: "app",
    severity: "low",
    title: "Agents do not read each other's sessions",
    fails: "Agents can read each other's sessions",
    why: "an agent that meets strangers could fetch what the one with your mail knows",
    fix: "openclaw config set tools.agentToAgent.enabled false, and tools.sessions.visibility agent",
    looksAt: "agents.entries, tools.agentToAgent, tools.sessions.visibility",
    judge: (facts) =>
      onConfigs(facts, (config) => {
        const agents = Math.max(
          objectsUnder(config, "agents.entries").length,
          listAt(config, "agents.list").length,
        );
        if (agents < 2) return notApplicable("there is one agent");
        const visibility = textAt(config, "tools.sessions.visibility") ?? "default";
        return passUnless(
          [
            ...(at(config, "tools.agentToAgent.enabled") === false
              ? []
              : ["tools.agentToAgent.enabled is on (its default)"]),
            ...(visibility === "all" ? ["tools.sessions.visibility is all"] : []),
          ],
          `${agents} agents, apart`,
        );
      }),
  },
];

function judgeBind(facts: Facts, instance: OpenclawInstance): Outcome {
  if (instance.container !== null) return judgeContainerBind(facts, instance);
  const open = instance.listeners.filter(({ address }) => !isLoopbackAddress(address));
  const bind = instance.config.kind === "read" ? textAt(instance.config.value, "gateway.bind") : undefined;
  const tailnet = open.length > 0 && open.every(({ address }) => isTailnet(address));
  if (open.length > 0 && !tailnet)
    return fail(open.map((listener) => `it listens on ${listenerText(listener)}`));
  if (
    bind !== undefined &&
    !["loopback", "tailnet", "auto"].includes(bind) &&
    !(bind === "custom" && isLoopbackAddress(hostOf(instance)))
  )
    return fail(`gateway.bind is ${bind}: from its next start on it listens on every address`);
  if (tailnet)
    return pass(...open.map((listener) => `it listens on the tailnet only: ${listenerText(listener)}`));
  if (instance.listeners.length > 0)
    return pass(...instance.listeners.map((listener) => `it listens on ${listenerText(listener)}`));
  if (instance.config.kind !== "read") return given(instance.config, () => notApplicable(""));
  if (instance.pid !== null) return unknown("its sockets cannot be seen", "sudo seawall audit --layer app");
  return pass(`it does not run; gateway.bind ${bind ?? "is not set, which means loopback"}`);
}

function hostOf(instance: OpenclawInstance): string {
  return instance.config.kind === "read"
    ? (textAt(instance.config.value, "gateway.customBindHost") ?? "")
    : "";
}

/** In a container the gateway must listen on every address; what counts is where its port is published. */
function judgeContainerBind(facts: Facts, instance: OpenclawInstance): Outcome {
  return given(facts.docker, ({ containers }) => {
    const own = containers.find(({ name, id }) => name === instance.container || id === instance.container);
    if (own === undefined) return unknown("its container is not one that Docker tells of", "docker ps");
    if (own.networkMode === "host") return fail("its container shares the host's network");
    const open = own.published.filter(({ address }) => isForWorld(address));
    return passUnless(
      open.map(
        ({ address, hostPort }) => `its container is published on ${address || "0.0.0.0"}:${hostPort}`,
      ),
      own.published.length === 0
        ? "its container publishes no port"
        : own.published.map(({ address, hostPort }) => `published on ${address}:${hostPort}`),
    );
  });
}

/** 100.64.0.0/10 and fd7a:115c:a1e0::/48 are Tailscale's. */
function isTailnet(address: string): boolean {
  const [first = 0, second = 0] = address.split(".").map(Number);
  return (first === 100 && second >= 64 && second < 128) || address.startsWith("fd7a:115c:a1e0:");
}

const TOKEN_CHARS_MIN = 24;

function judgeToken(instance: OpenclawInstance): Outcome {
  const { answers } = instance;
  if (answers.kind === "read" && answers.value.without === 200)
    return fail("a request without a token is answered by 200 on /v1/models");
  return given(instance.config, (config) => {
    const mode = textAt(config, "gateway.auth.mode");
    if (mode === "none") return fail("gateway.auth.mode is none");
    if (mode === "trusted-proxy") return judgeTrustedProxy(config);
    return judgeSecret(config, instance);
  });
}

function judgeTrustedProxy(config: ConfigObject): Outcome {
  const trusted = listAt(config, "gateway.trustedProxies");
  if (trusted.length > 0) return pass("the proxy says who it is");
  return fail("gateway.auth.mode is trusted-proxy and gateway.trustedProxies is empty");
}

/** A secret that was refused and taken over the wire outranks what the file says about it. */
function judgeSecret(config: ConfigObject, { answers, tokenInEnvironment }: OpenclawInstance): Outcome {
  const proof = proofOf(answers);
  const secrets = [at(config, "gateway.auth.token"), at(config, "gateway.auth.password")];
  const weak = secrets.flatMap(weakSecret);
  if (weak.length > 0) return fail([...weak, ...proof], { severity: proof.length > 0 ? "high" : "critical" });
  const { present, length } = tokenInEnvironment;
  if (present && length < TOKEN_CHARS_MIN)
    return fail(`the token in its environment has ${length} characters`);
  const configured = present || secrets.some((secret) => secret !== undefined);
  if (proof.length === 0 && !configured)
    return fail("gateway.auth sets no token and no password, and its environment neither");
  const named = present
    ? `a token of ${length} characters in its environment`
    : "a strong token, or a reference to one, in gateway.auth";
  return pass(...proof, ...(configured ? [named] : []));
}

function proofOf(answers: OpenclawInstance["answers"]): string[] {
  if (answers.kind !== "read" || answers.value.without !== 401) return [];
  return [`401 without a token${answers.value.withToken === 200 ? ", 200 with it" : ""}`];
}

function weakSecret(secret: ConfigValue | undefined): string[] {
  if (typeof secret !== "string" || isReference(secret)) return [];
  const weakness = secret.length < TOKEN_CHARS_MIN ? `has ${secret.length} characters` : weaknessOf(secret);
  return weakness === null ? [] : [`the gateway's token ${weakness}`];
}

/** `[["channels.telegram.dmPolicy", "open"]]` of every channel and every account of it. */
function channelValues(
  config: ConfigObject,
  key: string,
  others: readonly string[],
): (readonly [string, string])[] {
  return enabledChannels(config).flatMap(([path, channel]) => {
    const accounts = objectsUnder(channel, "accounts").map(
      ([account, value]) => [`${path}.${account}`, value] as const,
    );
    return [[path, channel] as const, ...accounts].flatMap(([place, value]) =>
      [key, ...others].flatMap((one) => {
        const text = textAt(value, one);
        return text === undefined ? [] : [[`${place}.${one}`, text] as const];
      }),
    );
  });
}

function enabledChannels(config: ConfigObject): (readonly [string, ConfigObject])[] {
  return objectsUnder(config, "channels").filter(
    ([path, channel]) => path !== "channels.defaults" && at(channel, "enabled") !== false,
  );
}

function onChannels(config: ConfigObject, outcome: Outcome): Outcome {
  const channels = at(config, "channels");
  if (outcome.status === "fail") return outcome;
  return isObject(channels) && enabledChannels(config).length > 0
    ? outcome
    : notApplicable("no channel is configured");
}

function policyText(policies: readonly (readonly [string, string])[], key: string, standard: string): string {
  if (policies.length === 0) return `${key} is not set, which means ${standard}`;
  return policies.map(([path, value]) => `${path} ${value}`).join(", ");
}
