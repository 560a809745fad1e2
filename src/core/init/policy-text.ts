import { shownPath } from "../openclaw/shown.ts";
import type { ScopeTarget } from "../policy/document.ts";
import { unreachable } from "../base/assert.ts";
import type { Facts } from "./facts.ts";
import { inboundLines } from "./inbound.ts";
import { outboundLines } from "./outbound.ts";
import { planScopes, type ScopePlan } from "./scope.ts";
import { comment, term } from "./text.ts";

/** Who `agent` is when the file does not say. */
const DEFAULT_USER = "openclaw";

/**
 * Returns the policy for what was found: inbound enforced, outbound observed, every rule with its reason and
 * where it comes from. `policy check` finds nothing to warn of in it, whatever the configuration said.
 */
export function policyText(facts: Facts): string {
  const plans = planScopes(facts.instances);
  return [
    ...header(facts),
    "version: 1",
    "mode: {inbound: enforce, outbound: observe}",
    "",
    ...scopeLines(plans),
    ...inboundLines(facts),
    "",
    ...outboundLines(plans),
    "",
  ].join("\n");
}

function header({ day, instances }: Facts): string[] {
  const read = instances.filter(({ needs }) => needs !== null).map(({ configPath }) => shownPath(configPath));
  const none = instances.length === 0 ? "; no OpenClaw was found" : "; no configuration could be read";
  return [
    ...comment(
      `Written by \`seawall init\` on ${day}${read.length === 0 ? none : ` from ${[...new Set(read)].join(", ")}`}.`,
    ),
    ...comment(
      "Who may reach this host is enforced; what the agent reaches is only watched until you say otherwise.",
    ),
  ];
}

function scopeLines(plans: readonly ScopePlan[]): string[] {
  const problems = plans.flatMap(({ problem, instances }) =>
    problem === null
      ? []
      : comment(
          `${instances.map(({ configPath }) => shownPath(configPath)).join(", ")} is not held: ${problem}.`,
        ),
  );
  const held = plans.flatMap(({ name, target }) => (target === null ? [] : [{ name, target }]));
  const [only] = held;
  const isDefault =
    held.length <= 1 &&
    (only === undefined || (only.target.kind === "user" && only.target.user === DEFAULT_USER));
  if (isDefault) return problems.length === 0 ? [] : [...problems, ""];
  return [
    ...problems,
    "scopes:",
    ...held.map(({ name, target }) => `  ${term(name)}: {${target.kind}: ${term(valueOf(target))}}`),
    "",
  ];
}

function valueOf(target: ScopeTarget): string | number {
  switch (target.kind) {
    case "user":
      return target.user;
    case "unit":
      return target.unit;
    case "cgroup":
      return target.path;
    case "docker":
      return target.network;
    case "netns":
      return target.name;
    default:
      return unreachable(target);
  }
}
