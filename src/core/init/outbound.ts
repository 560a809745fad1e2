/** What the agents may reach, scope by scope, each rule with where the configuration says so. */
import { exfiltrationGrade } from "../policy/preset/way-out.ts";
import { parseNamePattern } from "../net/name-pattern.ts";
import { AGENT_SCOPE } from "../policy/parse/vocabulary.ts";
import { type Destinations, destinationsOf } from "./destination.ts";
import type { ScopePlan } from "./scope.ts";
import { comment, term, terms } from "./text.ts";

const HTTPS_PORT = 443;

/** Returns the section `outbound:` of the scopes that can be held; none of them: a comment, nothing is judged. */
export function outboundLines(plans: readonly ScopePlan[]): string[] {
  const held = plans.filter(({ target }) => target !== null);
  if (held.length === 0) {
    return comment(
      "outbound: is absent, so nothing outbound is judged: no agent was found that can be held.",
    );
  }
  return ["outbound:", ...held.flatMap((plan) => scopeRules(plan))];
}

function scopeRules(plan: ScopePlan): string[] {
  const scope = plan.name === AGENT_SCOPE ? [] : [`    scope: ${term(plan.name)}`];
  const found = destinationsOf(plan);
  return [
    ...presetRule(found, scope),
    ...found.names.flatMap(({ port, to, because }) => [
      ...comment(`${because.join(", ")}${waysOut(to)}`, "  "),
      `  - allow: ${terms(to)}`,
      ...(port === HTTPS_PORT ? [] : [`    port: ${port}`]),
      ...scope,
      "    why: a server that the agent's configuration names",
    ]),
    ...found.addresses.flatMap(({ port, to, because }) => [
      ...comment(because.join(", "), "  "),
      `  - allow: ${terms(to)}`,
      ...(port === HTTPS_PORT ? [] : [`    port: ${port}`]),
      ...scope,
      "    why: an address that the agent's configuration names",
    ]),
    ...loopbackRule(found, scope),
    ...suggestion(found, scope),
  ];
}

function presetRule({ presets }: Destinations, scope: readonly string[]): string[] {
  // A configuration that could not be read still needs OpenClaw's own hosts.
  const names = presets.length === 0 ? ["openclaw"] : presets.map(({ value }) => value);
  const evidence = presets.filter(({ value }) => value !== "openclaw");
  return [
    ...(presets.length === 0
      ? comment(
          "Its configuration could not be read: add the model provider and the channels yourself.",
          "  ",
        )
      : []),
    ...(evidence.length === 0
      ? []
      : comment(evidence.map(({ value, because }) => `${value}: ${because.join(", ")}`).join("; "), "  ")),
    `  - use: [${names.map(term).join(", ")}]`,
    ...scope,
    "    why: what this agent was built to reach",
  ];
}

function loopbackRule({ loopback }: Destinations, scope: readonly string[]): string[] {
  if (loopback.length === 0) return [];
  const ports = loopback.map(({ port }) => port);
  return [
    ...comment(loopback.map(({ port, because }) => `${port}: ${because.join(", ")}`).join("; "), "  "),
    '  - allow: [127.0.0.1, "::1"]',
    `    port: ${terms(ports)}`,
    ...scope,
    "    why: its own gateway and services on this host",
  ];
}

/** Not needed to run, wanted by many: left to a person, because both are ways out. */
function suggestion({ presets }: Destinations, scope: readonly string[]): string[] {
  const missing = ["github", "npm"].filter((name) => !presets.some(({ value }) => value === name));
  if (missing.length === 0) return [];
  return [
    ...comment(
      "Skills and plugins come from GitHub and npm, where anybody can also publish what he is sent:",
      "  ",
    ),
    `  # - use: [${missing.join(", ")}]`,
    ...scope.map((line) => `  # ${line.trimStart().padStart(line.length - 2)}`),
    "  #   why: skills and plugins of this agent",
  ];
}

/** Says of shared names that they are ways out. */
function waysOut(names: readonly string[]): string {
  const found = names.flatMap((name) => {
    const parsed = parseNamePattern(name);
    const out = parsed.ok ? exfiltrationGrade(parsed.pattern) : null;
    return out === null || out.grade === "key" || out.grade === "narrow" ? [] : [`${name}: ${out.why}`];
  });
  return found.length === 0 ? "" : `. A way out: ${found.join("; ")}`;
}
