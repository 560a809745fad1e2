import type { FlowEvent } from "../../src/core/event/event.ts";

/** A refused outbound TCP connection; `change` says what is different about it. */
export function flowEvent(change: Partial<FlowEvent> = {}): FlowEvent {
  return {
    kind: "flow",
    timeMs: 1_000,
    direction: "outbound",
    verdict: "refuse",
    observed: false,
    rule: null,
    reason: "default",
    generation: 3,
    place: "agent",
    protocol: 6,
    source: "10.0.0.5",
    destination: "198.51.100.7",
    sourcePort: 40_000,
    destinationPort: 443,
    icmpType: null,
    tcpFlags: 2,
    bytes: 60,
    interfaceIn: null,
    interfaceOut: "eth0",
    uid: 1_001,
    gid: 1_001,
    host: null,
    door: null,
    refusal: null,
    ...change,
  };
}
