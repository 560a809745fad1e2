import { protocolName } from "../../core/event/event.ts";
import { cureOf, cureText, type Refused } from "../../core/policy/cure.ts";
import { GATE_REASONS } from "../../core/policy/decision.ts";
import { plain } from "../../core/base/plain.ts";
import type { FoundRefusal } from "../refusal.ts";

const DOORS = {
  dns: "the DNS gate",
  tls: "the TLS gate",
  http: "the HTTP gate",
  proxy: "the explicit proxy",
} as const;

/** Returns what happened, for a person. */
export function refusalText({ id, flow, times, firstMs, targets }: FoundRefusal): string {
  const where = flow.door === null ? "the kernel" : DOORS[flow.door];
  const word = wordOf(flow);
  const rule = flow.rule === null ? "" : ` by ${flow.rule}`;
  const lines = [
    plain(`${id}: ${subjectOf(flow)} was ${word}${rule} (${flow.reason}).`),
    ...others(targets),
    GATE_REASONS[flow.reason] ?? "No gate was asked; the rules of the policy decided.",
    `Seen ${times} time${times === 1 ? "" : "s"} by ${where}, from ${timeText(firstMs)} to ${timeText(flow.timeMs)}.`,
  ];
  return `${lines.join("\n")}\n`;
}

/** What the network did is a failure, and no refusal of ours. */
function wordOf({ verdict, observed, reason }: FoundRefusal["flow"]): string {
  if (reason === "unreachable" || reason === "unresolved") return "allowed, and failed";
  const done = verdict === "drop" ? "dropped" : verdict === "refuse" ? "refused" : "accepted";
  return observed ? `let through, and would be ${done}` : done;
}

/** What else has this id: only one of 0.1.0, which had no key, has more than one target. */
function others(targets: FoundRefusal["targets"]): string[] {
  if (targets.length < 2) return [];
  const rest = targets.slice(1).map((flow) => `  ${plain(subjectOf(flow))}`);
  return ["The same id stands for other targets, too, so nothing can be approved by it:", ...rest];
}

/** Returns who wanted what, in a few words. Text of the log as it is: `plain` is for the caller. */
export function subjectOf({
  place,
  host,
  door,
  destination,
  destinationPort,
  protocol,
}: FoundRefusal["flow"]): string {
  if (door === "dns" && host !== null) return `${place}'s question for ${host}`;
  const port = destinationPort === null ? "" : `:${destinationPort}`;
  return `${place} -> ${host ?? destination}${port} ${protocolName(protocol)}`;
}

/** Returns the one line of what to do, or null. */
export function refusalNext({ id, flow, targets }: FoundRefusal): string | null {
  // The lines above say that it stands for several, and that nothing can be approved by it.
  if (targets.length !== 1) return null;
  const cure = cureOf(refusedFlow(flow));
  if (cure.kind === "approve") return `Next: sudo seawall approve ${id} --why "..." [--for 1h]\n`;
  const isCurable = cure.kind === "rule" || cure.kind === "change" || cure.kind === "risk";
  return `${isCurable ? "Next" : "No rule cures this"}: ${cureText(cure)}\n`;
}

/** What the log knows of a refusal, as its cure is asked for. */
export function refusedFlow(flow: FoundRefusal["flow"]): Refused {
  const { direction, reason, rule, place, host, destination, source, door } = flow;
  const isKnown = destination !== "0.0.0.0" && destination !== "::";
  return {
    direction,
    reason,
    rule,
    place,
    host,
    address: isKnown ? destination : null,
    source: direction === "inbound" ? source : null,
    // A question is for a name, and names no port of what will be asked for.
    port: door === "dns" ? null : flow.destinationPort,
    protocol: door === "dns" ? "tcp" : protocolName(flow.protocol),
  };
}

function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
