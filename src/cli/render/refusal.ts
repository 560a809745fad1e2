import { protocolName } from "../../core/event/event.ts";
import { GATE_REASONS } from "../../core/policy/decision.ts";
import type { FoundRefusal } from "../refusal.ts";

const DOORS = {
  dns: "the DNS gate",
  tls: "the TLS gate",
  http: "the HTTP gate",
  proxy: "the explicit proxy",
} as const;

/** Returns what happened, for a person. */
export function refusalText({ id, flow, times, firstMs }: FoundRefusal): string {
  const where = flow.door === null ? "the kernel" : DOORS[flow.door];
  const word = flow.observed ? `would ${flow.verdict}` : `${flow.verdict}d`.replace("dropd", "dropped");
  const rule = flow.rule === null ? "" : ` by ${flow.rule}`;
  const lines = [
    `${id}: ${subjectOf(flow)} was ${word}${rule} (${flow.reason}).`,
    GATE_REASONS[flow.reason] ?? "No gate was asked; the rules of the policy decided.",
    `Seen ${times} time${times === 1 ? "" : "s"} by ${where}, from ${timeText(firstMs)} to ${timeText(flow.timeMs)}.`,
  ];
  return `${lines.join("\n")}\n`;
}

function subjectOf({
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
export function refusalNext({ id, flow }: FoundRefusal): string | null {
  return flow.reason === "default" ? `Next: seawall approve ${id} --why "..." [--for 1h]\n` : null;
}

function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
