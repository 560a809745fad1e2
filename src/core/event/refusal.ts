/** What the kernel refused gets the id that a gate would have given it, so that it is explained and approved alike. */
import { isRefusal, refusalId, type RefusalKey } from "../gate/refusal.ts";
import type { FlowEvent } from "./event.ts";

/** Returns the event with the id of its refusal; inbound and admitted ones as they are. */
export function withRefusal(event: FlowEvent, keyOf: (scope: string) => RefusalKey): FlowEvent {
  if (event.direction !== "outbound" || !isRefusal(event) || event.destinationPort === null) return event;
  const protocol = event.protocol === 6 ? "tcp" : event.protocol === 17 ? "udp" : "other";
  const target = {
    scope: event.place,
    host: null,
    address: event.destination,
    port: event.destinationPort,
    protocol,
  } as const;
  return { ...event, refusal: refusalId(target, event, keyOf(event.place)) };
}
