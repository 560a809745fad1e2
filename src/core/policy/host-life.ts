/**
 * What keeps a host alive, above every rule: visible, built in, the same in `evaluate` and in the kernel.
 * Established flows and neighbour discovery have no flow of their own here; the ruleset shows them.
 */
import { fixedSet } from "../net/address-class.ts";
import type { InboundFlow } from "../net/flow.ts";
import { containsIp } from "../net/prefix-set.ts";
import type { Decision } from "./decision.ts";

export const DHCP4 = { serverPort: 67, clientPort: 68 } as const;
export const DHCP6 = { serverPort: 547, clientPort: 546 } as const;
const LINK_LOCAL6 = fixedSet(["fe80::/10"]);

const LOOPBACK = life("host.loopback", "traffic of this host with itself");
const DHCP = life("host.dhcp", "answers of the network's address server");
const PING = life("host.ping", "echo requests are answered");

/** Returns the decision of the built-in rule that admits this flow, or null. */
export function hostLife(flow: InboundFlow): Decision | null {
  if (flow.zone === "lo") return LOOPBACK;
  if (flow.protocol === "icmp") return PING;
  if (flow.protocol !== "udp" || flow.fromPort === null) return null;
  const isDhcp4 =
    flow.from.family === 4 && flow.fromPort === DHCP4.serverPort && flow.port === DHCP4.clientPort;
  const isDhcp6 =
    flow.fromPort === DHCP6.serverPort &&
    flow.port === DHCP6.clientPort &&
    containsIp(LINK_LOCAL6, flow.from);
  return isDhcp4 || isDhcp6 ? DHCP : null;
}

function life(rule: string, why: string): Decision {
  return { verdict: "accept", observed: false, rule, reason: "host-life", why };
}
