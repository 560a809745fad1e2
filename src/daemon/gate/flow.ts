/** What a gate tells, as an event like those of the kernel. */
import type { FlowEvent } from "../../core/event/event.ts";
import type { GateReport } from "../../core/gate/report.ts";
import { REASON_CODES, type ReasonCode } from "../../core/policy/decision.ts";

const PROTOCOL_NUMBERS = { tcp: 6, udp: 17, icmp: 1, other: 0 } as const;
/** A name that has no address yet. */
const NOWHERE = "0.0.0.0";

/** Returns the event. SECURITY: its words are a gate's; what is no known reason is stored as an unusable request. */
export function flowOfReport(report: GateReport, generation: number, timeMs: number): FlowEvent {
  const { decision, scope, host, address, port, protocol, id, door } = report;
  const reason: ReasonCode = REASON_CODES.has(decision.reason) ? decision.reason : "bad-request";
  return {
    kind: "flow",
    timeMs,
    direction: "outbound",
    verdict: decision.verdict,
    observed: decision.observed,
    rule: decision.rule,
    reason,
    generation,
    place: scope,
    protocol: PROTOCOL_NUMBERS[protocol],
    source: NOWHERE,
    destination: address ?? NOWHERE,
    sourcePort: null,
    destinationPort: port,
    icmpType: null,
    tcpFlags: null,
    bytes: 0,
    interfaceIn: null,
    interfaceOut: null,
    uid: null,
    gid: null,
    host,
    door,
    refusal: id,
  };
}
