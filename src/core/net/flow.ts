import type { Ip } from "./ip.ts";
import type { Hostname } from "./hostname.ts";

/** `icmp` is an echo request (ping), `other` any protocol without ports that we name. */
export type FlowProtocol = "tcp" | "udp" | "icmp" | "other";

/** A connection attempt from outside to this host or to a container on it. */
export interface InboundFlow {
  readonly direction: "inbound";
  readonly from: Ip;
  readonly zone: string;
  readonly protocol: FlowProtocol;
  /** 0 for protocols without ports. */
  readonly port: number;
  /** The source port when known (DHCP answers are told by it). */
  readonly fromPort: number | null;
}

/** A connection attempt of a scope. At least one of host and address is known. */
export interface OutboundFlow {
  readonly direction: "outbound";
  readonly scope: string;
  readonly host: Hostname | null;
  readonly address: Ip | null;
  readonly protocol: FlowProtocol;
  readonly port: number;
}

export type Flow = InboundFlow | OutboundFlow;
