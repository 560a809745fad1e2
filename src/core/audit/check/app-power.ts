/** Layer 8, what the agent may do: files, commands, elevated tools, sandbox, plugins, dangerous settings. */
import { type Check, fail, given, type Outcome, pass, passUnless } from "../check.ts";
import type { ConfigObject } from "../fact/openclaw.ts";
import { byEvidence } from "../failure.ts";
import { at, isObject, listAt, objectsUnder, textAt, walk } from "../read/config-path.ts";
import { onConfigs, onInstances } from "./app-instance.ts";

export const APP_POWER_CHECKS: readonly Check[] = [
  {
    id: "APP-005",
    layer: "app",
    severity: "high",
    title: "File tools stay in the workspace",
    fails: "File tools may leave the workspace",
    why: "an agent that is tricked could read keys and mail anywhere its user can",
    fix: "openclaw config set tools.fs.workspaceOnly true (it does not bind commands: see APP-006)",
    looksAt: "tools.fs.workspaceOnly, of the whole and of every agent",
    judge: (facts) =>
      onConfigs(facts, (config) => {
        const agents = perAgent(config, "tools.fs.workspaceOnly")
          .filter(([, value]) => value === false)
          .map(([path]) => `${path} is false`);
        const whole =
          at(config, "tools.fs.workspaceOnly") === true || deniesGroup(config, "group:fs")
            ? []
            : ["tools.fs.workspaceOnly is not true"];
        return passUnless(
          [...whole, ...agents],
          deniesGroup(config, "group:fs") ? "tools.deny holds group:fs" : "tools.fs.workspaceOnly true",
        );
      }),
  },
  {
    id: "APP-006",
    layer: "app",
    severity: "high",
    title: "The agent may not run commands freely",
    fails: "The agent may run commands freely",
    why: "a command on the host is everything the agent's user can do, told by whoever writes to the agent",
    fix: "openclaw exec-policy preset deny-all, or: openclaw config set tools.exec.mode deny (or ask, or a sandbox for all)",
    looksAt: "tools.exec, tools.deny and the sandbox, of the whole and of every agent",
    judge: (facts) =>
      onConfigs(facts, (config) => {
        const loose = perAgent(config, "tools.exec.mode")
          .filter(([, value]) => value === "full" || value === "auto")
          .map(([path, value]) => `${path} is ${String(value)}`);
        return loose.length > 0 ? fail(loose) : judgeExec(config);
      }),
  },
  {
    id: "APP-007",
    layer: "app",
    severity: "high",
    title: "Elevated tools are off",
    fails: byEvidence("Elevated tools are not off", [/allows everybody/, "Everybody may use elevated tools"]),
    why: "they run outside every sandbox",
    fix: "openclaw config set tools.elevated.enabled false",
    looksAt: "tools.elevated",
    judge: (facts) =>
      onConfigs(facts, (config) => {
        if (at(config, "tools.elevated.enabled") === false) return pass("tools.elevated.enabled false");
        const allowed = objectsOrLists(config, "tools.elevated.allowFrom");
        const everybody = allowed
          .filter(([, list]) => list.includes("*"))
          .map(([path]) => `${path} allows everybody`);
        if (everybody.length > 0) return fail(everybody, { severity: "critical" });
        if (allowed.length > 0)
          return fail(`elevated tools are on for ${allowed.map(([path]) => path).join(", ")}`);
        return fail("tools.elevated.enabled is not false; nobody is in allowFrom", { severity: "low" });
      }),
  },
  {
    id: "APP-011",
    layer: "app",
    severity: "critical",
    title: "No dangerous switch is on",
    fails: "Dangerous switches are on",
    why: "each of them turns a protection off that the rest relies on",
    fix: "openclaw config unset KEY, for each that is named",
    looksAt: "every key of the configuration, and OpenClaw's own audit",
    judge: (facts) =>
      onConfigs(facts, (config, instance) => {
        const own = dangerousSwitches(config);
        const audited =
          instance.audit.kind === "read"
            ? instance.audit.value.findings
                .filter(({ id }) => id === "config.insecure_or_dangerous_flags")
                .map(({ detail }) => detail)
            : [];
        return passUnless(own.length > 0 ? own : audited, "none is on");
      }),
  },
  {
    id: "APP-016",
    layer: "app",
    severity: "low",
    title: "It does not announce itself to the network",
    fails: "It announces itself to the network",
    why: "on a rented server the neighbours need not know that an agent is here",
    fix: "openclaw config set discovery.mdns.mode off",
    looksAt: "discovery.mdns.mode",
    judge: (facts) =>
      onConfigs(facts, (config) => {
        const mode = textAt(config, "discovery.mdns.mode") ?? "minimal (its default)";
        return passUnless(
          mode === "full" ? ["discovery.mdns.mode is full: host name, SSH port and paths are announced"] : [],
          `discovery.mdns.mode ${mode}`,
        );
      }),
  },
  {
    id: "APP-020",
    layer: "app",
    severity: "medium",
    title: "Plugins and skills are chosen, not just there",
    fails: "Plugins run that nobody chose",
    why: "a plugin runs inside the gateway with all its rights, a skill tells the agent what to do",
    fix: "openclaw config set plugins.allow '[...]' with those you want, and remove the rest",
    looksAt: "plugins.allow, plugins.load.paths, and what lies in the plugin and skill folders",
    judge: (facts) =>
      onInstances(facts, (instance) =>
        given(instance.config, (config) =>
          given(instance.plugins, (plugins) => {
            const skills = instance.skills.kind === "read" ? instance.skills.value : [];
            const extra = [...plugins, ...listAt(config, "plugins.load.paths").map(String)];
            const allow = at(config, "plugins.allow");
            const seen = [
              `plugins beside the bundled ones: ${extra.join(", ") || "none"}`,
              `skills: ${skills.join(", ") || "none"}`,
            ];
            if (extra.length > 0 && !Array.isArray(allow)) return fail(["plugins.allow is not set", ...seen]);
            return pass(...seen);
          }),
        ),
      ),
  },
  {
    id: "APP-022",
    layer: "app",
    severity: "medium",
    title: "No setting is written as old guides write it",
    fails: "Settings are written as old guides write them",
    why: "a key that OpenClaw does not know protects nothing, and stops its next start (exit 78)",
    fix: "replace each by today's key: openclaw config unset OLD && openclaw config set NEW",
    looksAt: "the configuration, for the spellings of older versions and guides",
    judge: (facts) =>
      onInstances(facts, ({ oldSpellings }) =>
        passUnless(
          oldSpellings.map(({ key, today }) => `${key}: ${today}`),
          "no old spelling",
        ),
      ),
  },
  {
    id: "APP-024",
    layer: "app",
    severity: "medium",
    title: "Tools run in a sandbox, or not at all",
    fails: "Tools run outside of a sandbox, or in a weak one",
    why: "without one a command of the agent sees the gateway's own files and keys",
    fix: "openclaw config set agents.defaults.sandbox.mode all (needs Docker or Podman)",
    looksAt: "agents.defaults.sandbox, of the whole and of every agent",
    judge: (facts) =>
      onConfigs(facts, (config) => {
        const denied =
          textAt(config, "tools.exec.mode") === "deny" ||
          textAt(config, "tools.exec.security") === "deny" ||
          deniesGroup(config, "group:runtime");
        const mode = textAt(config, "agents.defaults.sandbox.mode") ?? "off";
        const docker = at(config, "agents.defaults.sandbox.docker");
        const network = isObject(docker) ? (textAt(docker, "network") ?? "none") : "none";
        const binds = isObject(docker)
          ? listAt(docker, "binds")
              .map(String)
              .filter((bind) => /docker\.sock|^\/(:|etc|root)/.test(bind))
          : [];
        if (binds.length > 0)
          return fail(
            binds.map((bind) => `the sandbox mounts ${bind}`),
            { severity: "high" },
          );
        if (mode === "off" && denied) return pass("no sandbox, and no command is allowed");
        return passUnless(
          [
            ...(mode === "off" ? ["agents.defaults.sandbox.mode is off, and commands are allowed"] : []),
            ...(mode !== "off" && network !== "none" ? [`the sandbox's network is ${network}`] : []),
          ],
          `sandbox ${mode}, network ${network}`,
        );
      }),
  },
];

function judgeExec(config: ConfigObject): Outcome {
  const mode = textAt(config, "tools.exec.mode") ?? textAt(config, "tools.exec.security");
  if (mode === "deny") return pass("tools.exec deny");
  if (deniesGroup(config, "group:runtime") || deniesGroup(config, "exec"))
    return pass("tools.deny holds commands");
  const asks = mode === "ask" || textAt(config, "tools.exec.ask") === "always";
  if (textAt(config, "agents.defaults.sandbox.mode") === "all" && asks)
    return pass("commands run in a sandbox, and are asked for");
  if (mode === undefined) return fail("tools.exec.mode is not set, which means full: no approval");
  if (mode === "ask" || mode === "allowlist")
    return fail(`tools.exec is ${mode}: limited, not denied`, { severity: "low" });
  return fail(`tools.exec is ${mode}`);
}

function perAgent(config: ConfigObject, path: string): (readonly [string, unknown])[] {
  return objectsUnder(config, "agents.entries").flatMap(([agent, entry]) => {
    const value = at(entry, path);
    return value === undefined ? [] : [[`${agent}.${path}`, value] as const];
  });
}

function deniesGroup(config: ConfigObject, group: string): boolean {
  return listAt(config, "tools.deny").includes(group);
}

function objectsOrLists(config: ConfigObject, path: string): (readonly [string, readonly unknown[]])[] {
  const value = at(config, path);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, list]) =>
    Array.isArray(list) && list.length > 0 ? [[`${path}.${key}`, list] as const] : [],
  );
}

/** Switches by their own name, and those that only look harmless. */
const SWITCHES: Readonly<Record<string, boolean>> = {
  "gateway.controlUi.allowInsecureAuth": true,
  "gateway.allowRealIpFallback": true,
  "tools.exec.applyPatch.workspaceOnly": false,
  "browser.noSandbox": true,
  "browser.extensionRelay.allowLegacyAuth": true,
};

function dangerousSwitches(config: ConfigObject): string[] {
  const found: string[] = [];
  walk(config, (path, value) => {
    const last = path.slice(path.lastIndexOf(".") + 1);
    if (
      (last.startsWith("dangerously") && value === true) ||
      (SWITCHES[path] !== undefined && SWITCHES[path] === value)
    )
      found.push(`${path} is ${String(value)}`);
  });
  return found;
}
