import { type InForce, readInForce } from "../../apply/in-force.ts";
import { SeawallError } from "../../core/base/error.ts";
import { idForm } from "../../core/gate/refusal.ts";
import { plain } from "../../core/base/plain.ts";
import { protocolName } from "../../core/event/event.ts";
import type { Flow } from "../../core/net/flow.ts";
import type { Decision } from "../../core/policy/decision.ts";
import { evaluate } from "../../core/policy/evaluate.ts";
import { explain } from "../../core/policy/explain.ts";
import { type FlowInput, parseFlow } from "../../core/policy/flow-input.ts";
import { type Command, type CommandContext, SCHEMA } from "../command.ts";
import { foldersOf } from "../../edge/state/folder.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type Draft, draftBeside } from "../draft.ts";
import { loadPolicy } from "../policy.ts";
import { findRefusal, type FoundRefusal } from "../refusal.ts";
import { type DraftAnswer, draftText, forceText } from "../render/explain.ts";
import { flowRecord } from "../render/flow.ts";
import { refusalNext, refusalText } from "../render/refusal.ts";
import { requireWho } from "../root.ts";

export const command: Command = {
  path: ["explain"],
  summary: "Say in plain English what happens to a flow",
  about:
    "Says what the kernel does with a connection now, by which rule and why, and what the policy file would say where that differs; or, for the id of a refusal, what the log knows of it. It only reads, and never tries anything on the network.",
  usage: [
    "seawall explain FROM PORT [--zone NAME] [--protocol udp] [--draft | --policy FILE] [--json]",
    "seawall explain HOST:PORT [--scope NAME] [--address ADDR] [--protocol udp] [--draft | --policy FILE] [--json]",
    "seawall explain ID [--json]   (six characters of it are enough while no other begins so)",
  ].join("\n"),
  words: { least: 1, most: 2, shown: "HOST:PORT, FROM PORT or ID" },
  who: "anybody",
  options: {
    draft: { type: "boolean" },
    policy: { type: "string" },
    protocol: { type: "string" },
    scope: { type: "string" },
    zone: { type: "string" },
    address: { type: "string" },
    json: { type: "boolean" },
  },
  optionHelp: {
    draft: "only what the installed policy file says, applied or not",
    policy: "only what this policy file says",
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
    5: "not root, and only root may ask the kernel or read the log",
  },
  places: ["policy", "kernel", "history", "run", "events"],
  examples: [
    "sudo seawall explain api.github.com:443",
    "sudo seawall explain 203.0.113.9 22",
    "seawall explain api.github.com:443 --draft",
    "seawall explain 203.0.113.9 22 --policy policy.yaml",
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
    if (idForm(first) !== undefined) {
      requireWho({ path: ["explain", first], who: "root-files" });
      return explainRefusal(context, first);
    }
    const parsed = parseFlow(recordOf(context));
    const { policy: named, draft } = context.flags;
    if (typeof named === "string" || draft === true) return explainDraft(context, parsed);
    requireWho({ path: ["explain", ...context.positionals], who: "root-sees" });
    return explainInForce(context, parsed);
  },
};

/** A file alone: what is in force is not asked. */
function explainDraft(context: CommandContext, parsed: FlowInput): ExitCode {
  const named = context.flags["policy"];
  const { policy, path } = loadPolicy(context, typeof named === "string" ? named : undefined);
  if (!parsed.ok) return refuseFlow(context, parsed.decision);
  const decision = evaluate(policy, parsed.flow, context.nowMs());
  if (isJson(context)) print(context, decision, { inForce: null, draft: { path, ...decision } });
  else context.out(draftText(parsed.flow, path, policy, decision));
  return EXIT.ok;
}

/** What the kernel holds, and beside it the file where that would answer differently. */
function explainInForce(context: CommandContext, parsed: FlowInput): ExitCode {
  if (!parsed.ok) return refuseFlow(context, parsed.decision);
  const { flow } = parsed;
  const inForce = readInForce(foldersOf(context.env));
  const decision = decideInForce(inForce, flow, context.nowMs());
  const found = draftBeside(context, inForce.kind === "judging" ? inForce.path : null);
  const draft = found === null ? null : answerOf(found, flow, context.nowMs());
  if (!isJson(context)) {
    context.out(forceText(flow, { inForce, decision }, draft, context.nowMs()));
    return EXIT.ok;
  }
  const said = decision ?? NOT_KNOWN;
  const { kind } = inForce;
  const history = kind === "judging" || kind === "unknown" ? inForce.history : null;
  const state = kind === "judging" ? STATES[inForce.reason] : kind;
  print(context, said, {
    inForce: { history, state, ...said },
    draft: draft === null ? null : { path: draft.path, ...(draft.decision ?? NOT_KNOWN) },
  });
  return EXIT.ok;
}

const STATES = { policy: "policy", panic: "panic", pause: "paused" } as const;

/** For programs, where nobody can tell. */
const NOT_KNOWN = { verdict: null, observed: null, rule: null, reason: null, why: null } as const;

function decideInForce(inForce: InForce, flow: Flow, nowMs: number): Decision | null {
  switch (inForce.kind) {
    case "judging":
      return evaluate(inForce.policy, flow, nowMs);
    case "off":
      return OFF;
    case "rescued":
    case "unknown":
      return null;
  }
}

const OFF: Decision = {
  verdict: "accept",
  observed: false,
  rule: null,
  reason: "not-judged",
  why: "nothing of Seawall is in force",
};

function answerOf(draft: Draft, flow: Flow, nowMs: number): DraftAnswer {
  if (draft.kind === "unusable") return { path: draft.path, policy: null, decision: null };
  const { policy, written } = draft;
  return { path: written.path, policy, decision: evaluate(policy, flow, nowMs) };
}

function print(context: CommandContext, decision: object, both: object): void {
  context.out(`${JSON.stringify({ schema: SCHEMA, ...decision, ...both })}\n`);
}

function isJson({ flags }: CommandContext): boolean {
  return flags["json"] === true;
}

function refuseFlow(context: CommandContext, decision: Decision): never {
  if (isJson(context)) print(context, decision, { inForce: null, draft: null });
  throw new SeawallError("SEAWALL_USAGE", `this is no flow: ${decision.why}`, {
    help: "seawall explain 203.0.113.9 22 (inbound), seawall explain api.github.com:443 (outbound)",
  });
}

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
  const now = nowOf(context, found.flow);
  if (now !== null) context.out(`${plain(now.sentence)}\n`);
  // What passes by now needs nobody's approval.
  if (now?.isAllowed === true) return EXIT.ok;
  const next = refusalNext(found);
  if (next !== null) context.err(next);
  return EXIT.ok;
}

/** What would happen to it now: the policy may be another one than when it was refused. Null where nobody can tell. */
function nowOf(
  context: CommandContext,
  flow: FoundRefusal["flow"],
): { readonly sentence: string; readonly isAllowed: boolean } | null {
  const inForce = readInForce(foldersOf(context.env));
  if (inForce.kind !== "judging") return null;
  const protocol = protocolName(flow.protocol);
  const isQuestion = flow.door === "dns";
  const parsed = parseFlow(
    flow.direction === "inbound"
      ? { direction: "inbound", from: flow.source, zone: flow.place, port: flow.destinationPort, protocol }
      : {
          direction: "outbound",
          scope: flow.place,
          host: flow.host,
          address: flow.host === null ? flow.destination : null,
          // A question names no port: most that are asked are for TLS.
          port: isQuestion ? 443 : flow.destinationPort,
          protocol: isQuestion ? "tcp" : protocol,
        },
  );
  if (!parsed.ok) return null;
  const decision = evaluate(inForce.policy, parsed.flow, context.nowMs());
  const [sentence = ""] = explain(inForce.policy, parsed.flow, decision);
  const isAllowed = decision.verdict === "accept";
  return { sentence: `Now (history ${inForce.history}) ${sentence}`, isAllowed };
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
