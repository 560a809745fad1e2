import { SeawallError } from "../../core/base/error.ts";
import { idForm } from "../../core/gate/refusal.ts";
import { evaluate } from "../../core/policy/evaluate.ts";
import { explain } from "../../core/policy/explain.ts";
import { parseFlow } from "../../core/policy/flow-input.ts";
import { type Command, type CommandContext, SCHEMA } from "../command.ts";
import { foldersOf } from "../../edge/state/folder.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { loadPolicy } from "../policy.ts";
import { findRefusal } from "../refusal.ts";
import { flowRecord } from "../render/flow.ts";
import { refusalNext, refusalText } from "../render/refusal.ts";

export const command: Command = {
  path: ["explain"],
  summary: "Say in plain English what happens to a flow",
  about:
    "Says what the policy does with a connection, by which rule and why; or, for the id of a refusal, what the log knows of it. It only reads, and never tries anything on the network.",
  usage: [
    "seawall explain FROM PORT [--zone NAME] [--protocol udp] [--policy FILE] [--json]",
    "seawall explain HOST:PORT [--scope NAME] [--address ADDR] [--protocol udp] [--policy FILE] [--json]",
    "seawall explain ID [--json]   (six characters of it are enough while no other begins so)",
  ].join("\n"),
  options: {
    policy: { type: "string" },
    protocol: { type: "string" },
    scope: { type: "string" },
    zone: { type: "string" },
    address: { type: "string" },
    json: { type: "boolean" },
  },
  optionHelp: {
    policy: "the policy file",
    protocol: "tcp (default), udp or icmp",
    scope: "outbound: who asks (default: agent)",
    zone: "inbound: where it enters (default: world)",
    address: "outbound: the address behind the name",
    json: "print the decision as JSON",
  },
  exits: {
    0: "explained, allowed or not",
    2: "bad usage or policy",
    3: "the file or the id is not there",
    5: "an id, and not root",
  },
  places: ["policy", "events"],
  examples: [
    "seawall explain 203.0.113.9 22 --policy policy.yaml",
    "seawall explain api.github.com:443 --policy policy.yaml",
    "sudo seawall explain sw-c9xn9e",
  ],
  seeAlso: ["flows", "approve", "probe"],
  offers: {
    policy: { kind: "file" },
    protocol: { kind: "word", words: ["tcp", "udp", "icmp"] },
    scope: { kind: "word", words: ["agent"] },
    zone: { kind: "word", words: ["world"] },
  },
  run: async (context) => {
    const [first = ""] = context.positionals;
    if (idForm(first) !== undefined) return explainRefusal(context, first);
    const record = recordOf(context);
    const named = context.flags["policy"];
    const { policy } = loadPolicy(context, typeof named === "string" ? named : undefined);
    const parsed = parseFlow(record);
    const decision = parsed.ok ? evaluate(policy, parsed.flow, context.nowMs()) : parsed.decision;
    if (context.flags["json"] === true) {
      context.out(`${JSON.stringify({ schema: SCHEMA, ...decision })}\n`);
    } else if (parsed.ok) {
      context.out(`${explain(policy, parsed.flow, decision).join("\n")}\n`);
    }
    if (parsed.ok) return EXIT.ok;
    throw new SeawallError("SEAWALL_USAGE", `this is no flow: ${decision.why}`, {
      help: "seawall explain 203.0.113.9 22 (inbound), seawall explain api.github.com:443 (outbound)",
    });
  },
};

/** What the log knows of a refusal by its id. */
function explainRefusal(context: CommandContext, id: string): ExitCode {
  const found = findRefusal(foldersOf(context.env).state, id);
  if (context.flags["json"] === true) {
    context.out(
      `${JSON.stringify({ ...flowRecord(found.flow), times: found.times, targets: found.targets.length })}\n`,
    );
    return EXIT.ok;
  }
  context.out(refusalText(found));
  const next = refusalNext(found);
  if (next !== null) context.err(next);
  return EXIT.ok;
}

/** `203.0.113.9 22` is inbound, `host:443` or `[2001:db8::1]:443` outbound. */
function recordOf({ positionals, flags }: CommandContext): Record<string, unknown> {
  const [first = "", second] = positionals;
  const protocol = flags["protocol"] ?? "tcp";
  if (second !== undefined) {
    return {
      direction: "inbound",
      from: first,
      port: Number(second),
      protocol,
      zone: flags["zone"] ?? "world",
    };
  }
  const match = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]{1,5})$/.exec(first);
  if (match === null) {
    throw new SeawallError("SEAWALL_USAGE", "say which flow: FROM PORT, or HOST:PORT", {
      help: "seawall explain --help",
    });
  }
  return {
    direction: "outbound",
    host: match[1] ?? match[2],
    address: flags["address"] ?? null,
    port: Number(match[3]),
    protocol,
    scope: flags["scope"] ?? "agent",
  };
}
