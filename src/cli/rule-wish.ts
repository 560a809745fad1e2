/** `allow` and `block`: what the words and flags of the command line ask for. */
import type { ParseArgsOptionsConfig } from "node:util";
import { SeawallError } from "../core/base/error.ts";
import { parsePort } from "../core/net/port-range.ts";
import type { RuleWish } from "../core/policy/edit/outbound-rule.ts";
import { DEFAULT_SCOPE } from "../core/policy/resolve.ts";
import type { CommandContext, Offer } from "./command.ts";
import { parseDurationMs } from "./duration.ts";
import { addOutboundRule, operatorOf } from "./rule-edit.ts";

export const EDIT_OPTIONS: ParseArgsOptionsConfig = {
  why: { type: "string" },
  port: { type: "string" },
  protocol: { type: "string" },
  scope: { type: "string" },
  for: { type: "string" },
  policy: { type: "string" },
  "dry-run": { type: "boolean" },
};

export const EDIT_HELP: Readonly<Record<string, string>> = {
  why: "the reason, for whoever reads the policy later (at least 10 characters)",
  port: "ports, separated by commas",
  protocol: "tcp (default) or udp",
  scope: "whose rule it is (agent)",
  for: "it ends by itself after this time (30m, 1h, 7d)",
  policy: "the policy file (policy.yaml of the configuration folder)",
  "dry-run": "show the change, write nothing",
};

export const EDIT_OFFERS: Readonly<Record<string, Offer>> = {
  protocol: { kind: "word", words: ["tcp", "udp"] },
  scope: { kind: "word", words: [DEFAULT_SCOPE] },
  for: { kind: "word", words: ["30m", "1h", "1d", "7d"] },
  policy: { kind: "file" },
};

/** Adds the rule that the command line describes. */
export function addWished(context: CommandContext, action: RuleWish["action"]): void {
  const { positionals, flags } = context;
  const verb = action === "allow" ? "allow" : "block";
  if (positionals.length === 0) throw usage(verb, "say what: a name, an address or a network");
  const why = flags["why"];
  if (typeof why !== "string")
    throw usage(verb, "say why, so that somebody can decide about it later: --why TEXT");
  const protocol = flags["protocol"] ?? "tcp";
  if (protocol !== "tcp" && protocol !== "udp") throw usage(verb, "--protocol is tcp or udp");
  const wish: RuleWish = {
    action,
    to: positionals,
    ports: portsOf(verb, flags["port"]),
    protocol,
    scope: String(flags["scope"] ?? DEFAULT_SCOPE),
    why,
    owner: operatorOf(context),
    expires: expiryOf(context, verb),
  };
  const file = flags["policy"];
  addOutboundRule(context, typeof file === "string" ? file : undefined, wish, flags["dry-run"] === true);
}

function portsOf(verb: string, flag: string | boolean | undefined): number[] | null {
  if (typeof flag !== "string") return null;
  return flag.split(",").map((text) => {
    const port = parsePort(text);
    if (port === undefined) throw usage(verb, `\`${text}\` is no port 1..65535`);
    return port;
  });
}

/** Returns the end of `--for`, or null without one. */
export function expiryOf(context: CommandContext, verb: string): string | null {
  const text = context.flags["for"];
  if (typeof text !== "string") return null;
  const lengthMs = parseDurationMs(text);
  if (lengthMs === undefined) throw usage(verb, `--for is a time like 30m, 1h or 7d, not \`${text}\``);
  return new Date(Math.ceil((context.nowMs() + lengthMs) / 1_000) * 1_000)
    .toISOString()
    .replace(".000Z", "Z");
}

function usage(verb: string, message: string): SeawallError {
  return new SeawallError("SEAWALL_USAGE", message, {
    still: "nothing was written",
    help: `seawall ${verb} --help`,
  });
}
