/** A decision in plain English: what happens, which rule, where it stands, why. */
import { unreachable } from "../base/assert.ts";
import type { Flow } from "../net/flow.ts";
import { formatIp } from "../net/ip.ts";
import type { Decision, Verdict } from "./decision.ts";
import { isPanicRule } from "./panic.ts";
import type { ResolvedPolicy } from "./resolved.ts";

/** Returns sentences for a person, without line breaks inside a sentence. */
export function explain(policy: ResolvedPolicy, flow: Flow, decision: Decision): string[] {
  const sentences = [`${describeFlow(flow)} is ${verdictWord(decision)}.`, reasonSentence(policy, decision)];
  if (decision.observed) {
    const word = decision.verdict === "accept" ? "would accept it too" : `would ${decision.verdict} it`;
    sentences.push(`This direction is only watched: the packet passes, and enforce ${word}.`);
  }
  return sentences;
}

/** Returns `203.0.113.9 -> tcp/22 (from the world)` or `agent -> api.github.com [140.82.112.5] tcp/443`. */
export function describeFlow(flow: Flow): string {
  const service =
    flow.protocol === "tcp" || flow.protocol === "udp" ? `${flow.protocol}/${flow.port}` : flow.protocol;
  if (flow.direction === "inbound") {
    return `${formatIp(flow.from)} -> ${service} (${flow.zone === "world" ? "from the world" : `zone ${flow.zone}`})`;
  }
  const address = flow.address === null ? null : formatIp(flow.address);
  const target = flow.host === null ? address : address === null ? flow.host : `${flow.host} [${address}]`;
  return `${flow.scope} -> ${target} ${service}`;
}

function verdictWord(decision: Decision): string {
  return decision.observed ? "let through" : verdictParticiple(decision.verdict);
}

function verdictParticiple(verdict: Verdict): string {
  switch (verdict) {
    case "accept":
      return "accepted";
    case "refuse":
      return "refused (the caller gets an answer)";
    case "drop":
      return "dropped (the caller gets no answer)";
  }
}

function reasonSentence(policy: ResolvedPolicy, decision: Decision): string {
  const { rule, why } = decision;
  const place = rule === null ? "" : placeOf(policy, rule);
  switch (decision.reason) {
    case "host-life":
      return `Built-in rule ${rule} keeps the host alive: ${why}.`;
    case "guard":
      return `Guard ${rule} holds in every mode: ${why}.`;
    case "denied":
      return `Rule ${rule}${place} denies it: ${why}.`;
    case "allowed":
      return `Rule ${rule}${place} allows it: ${why}.`;
    case "default":
      return `No rule matched: ${why}.`;
    case "clock":
      return `Rule ${rule}${place} waits: ${why}.`;
    case "not-judged":
      return `Nothing judges it: ${why}.`;
    case "invalid-flow":
    case "invalid-host":
    case "invalid-address":
    case "invalid-port":
    case "invalid-protocol":
    case "invalid-zone":
    case "invalid-scope":
      return `It cannot be judged (${decision.reason}): ${why}.`;
    case "private-address":
    case "not-pinned":
    case "no-name":
    case "bad-request":
    case "is-ssh":
    case "is-http":
    case "is-tls":
    case "name-mismatch":
    case "ech":
    case "record-type":
    case "unresolved":
    case "unreachable":
    case "limit":
      return `The gate refused it (${decision.reason}): ${why}.`;
    default:
      return unreachable(decision.reason);
  }
}

function placeOf(policy: ResolvedPolicy, id: string): string {
  const outbound = [...(policy.outbound ?? []), ...(policy.waiting ?? [])];
  const rule = [...policy.inbound, ...outbound].find((one) => one.id === id);
  // Nobody wrote the rule of a panic.
  if (rule === undefined || isPanicRule(rule.id)) return "";
  return rule.file === null ? ` (line ${rule.line})` : ` (${rule.file}, line ${rule.line})`;
}
