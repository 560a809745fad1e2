import { protocolName } from "../../core/event/event.ts";
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
  const word = flow.observed ? `would ${flow.verdict}` : `${flow.verdict}d`.replace("dropd", "dropped");
  const rule = flow.rule === null ? "" : ` by ${flow.rule}`;
  const lines = [
    plain(`${id}: ${subjectOf(flow)} was ${word}${rule} (${flow.reason}).`),
    ...others(targets),
    GATE_REASONS[flow.reason] ?? "No gate was asked; the rules of the policy decided.",
    `Seen ${times} time${times === 1 ? "" : "s"} by ${where}, from ${timeText(firstMs)} to ${timeText(flow.timeMs)}.`,
  ];
  return `${lines.join("\n")}\n`;
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
  return flow.reason === "default" && targets.length === 1
    ? `Next: seawall approve ${id} --why "..." [--for 1h]\n`
    : null;
}

function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
