import { plain } from "../../core/base/plain.ts";
import { type FlowEvent, type LossEvent, protocolName } from "../../core/event/event.ts";
import { SCHEMA } from "../command.ts";

/** A flow event with its number in the store. */
export interface NumberedFlow extends FlowEvent {
  readonly id: number;
}

/** Returns one flow as the object of `seawall flows --json`. */
export function flowRecord(flow: NumberedFlow): Readonly<Record<string, unknown>> {
  const inbound = flow.direction === "inbound";
  return {
    schema: SCHEMA,
    kind: "flow",
    id: flow.id,
    time: new Date(flow.timeMs).toISOString(),
    direction: flow.direction,
    zone: inbound ? flow.place : null,
    scope: inbound ? null : flow.place,
    verdict: flow.verdict,
    observed: flow.observed,
    rule: flow.rule,
    reason: flow.reason,
    generation: flow.generation,
    protocol: protocolName(flow.protocol),
    source: flow.source,
    sourcePort: flow.sourcePort,
    destination: flow.destination,
    destinationPort: flow.destinationPort,
    icmpType: flow.icmpType,
    tcpFlags: flow.tcpFlags,
    bytes: flow.bytes,
    interfaceIn: flow.interfaceIn,
    interfaceOut: flow.interfaceOut,
    uid: flow.uid,
    gid: flow.gid,
    host: flow.host,
    door: flow.door,
    refusal: flow.refusal,
  };
}

const HEADINGS = ["ID", "TIME (UTC)", "VERDICT", "FROM", "TO", "PROTOCOL", "WHO", "WHY"];

/** Returns a table for people, with a heading; empty text when there is nothing to show. */
export function flowTable(flows: readonly NumberedFlow[]): string {
  if (flows.length === 0) return "";
  const rows = [HEADINGS, ...flows.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

/** SECURITY: whatever the log holds of others is one cell: no end of a line in it makes a row of its own. */
function cells(flow: NumberedFlow): string[] {
  // A question is for a name and has no port: what an approval opens is another one.
  const isQuestion = flow.door === "dns" && flow.host !== null;
  const protocol =
    flow.icmpType === null ? protocolName(flow.protocol) : `${protocolName(flow.protocol)} ${flow.icmpType}`;
  return [
    String(flow.id),
    new Date(flow.timeMs).toISOString().slice(0, 19).replace("T", " "),
    verdictCell(flow),
    flow.door === null ? endpoint(flow.source, flow.sourcePort) : `gate (${flow.door})`,
    endpoint(flow.host ?? flow.destination, isQuestion ? null : flow.destinationPort),
    isQuestion ? "dns" : protocol,
    flow.uid === null ? flow.place : `${flow.place} (uid ${flow.uid})`,
    [flow.rule ?? flow.reason, flow.refusal ?? ""].join(" ").trimEnd(),
  ].map((cell) => plain(cell));
}

/** What the network did is a failure, and no refusal of ours. */
function verdictCell({ verdict, observed, reason }: NumberedFlow): string {
  if (reason === "unreachable" || reason === "unresolved") return "failed";
  return observed && verdict !== "accept" ? `would ${verdict}` : verdict;
}

function endpoint(address: string, port: number | null): string {
  if (port === null) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Returns one line for a person about what is missing in the list. */
export function lossLine(losses: readonly LossEvent[]): string | null {
  if (losses.length === 0) return null;
  const known = losses.reduce((sum, loss) => sum + (loss.count ?? 0), 0);
  const causes = [...new Set(losses.map((loss) => loss.cause))].toSorted().join(", ");
  const amount = known === 0 ? "an unknown number of" : known.toLocaleString("en");
  return `${amount} events of this time are missing (${causes}); the counters of the rules have them\n`;
}
