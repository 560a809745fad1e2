/** Whether a protocol and port are among the services of a rule. */
import type { FlowProtocol } from "../net/flow.ts";
import type { ServiceMatch } from "./resolved.ts";

/** Ports first: they differ most often, and this is asked of every rule for every flow. */
export function matchesServices(
  services: readonly ServiceMatch[],
  protocol: FlowProtocol,
  port: number,
): boolean {
  for (let at = 0; at < services.length; at += 1) {
    const service = services[at];
    if (service === undefined || port < service.ports.first || port > service.ports.last) continue;
    if (service.protocol === protocol || service.protocol === "every") return true;
    if (service.protocol === "both" && (protocol === "tcp" || protocol === "udp")) return true;
  }
  return false;
}
