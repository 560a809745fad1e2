/** What the traffic told us, as plain data. */
import type { GateDoor } from "../gate/report.ts";
import type { ReasonCode, Verdict } from "../policy/decision.ts";
import type { Direction } from "../policy/document.ts";

/** A packet that a rule of ours logged: the first of a flow, or one that was (or would be) refused. */
export interface FlowEvent {
  readonly kind: "flow";
  /** When the event was read, Unix time in ms; the kernel may have held it for 100 ms. */
  readonly timeMs: number;
  readonly direction: Direction;
  readonly verdict: Verdict;
  /** True when the packet passed although `verdict` says otherwise. */
  readonly observed: boolean;
  readonly rule: string | null;
  readonly reason: ReasonCode;
  readonly generation: number;
  /** The zone of an inbound packet, the scope of an outbound one. */
  readonly place: string;
  /** IANA protocol number; the last header that could be reached. */
  readonly protocol: number;
  /** Canonical address text. */
  readonly source: string;
  readonly destination: string;
  /** Null without ports, and in all but the first fragment. */
  readonly sourcePort: number | null;
  readonly destinationPort: number | null;
  readonly icmpType: number | null;
  /** The flag byte of TCP (SYN is 2). */
  readonly tcpFlags: number | null;
  /** Length of the IP packet. */
  readonly bytes: number;
  readonly interfaceIn: string | null;
  readonly interfaceOut: string | null;
  /** Of the local socket; null for forwarded packets. */
  readonly uid: number | null;
  readonly gid: number | null;
  /** The name that a gate read; null in what the kernel logs. */
  readonly host: string | null;
  /** Which door of the gate decided; null in what the kernel logs. */
  readonly door: GateDoor | null;
  /** The id under which `explain` and `approve` know a refusal; null for what was admitted. */
  readonly refusal: string | null;
}

/**
 * Where events went missing.
 * kernel: a gap in the kernel's numbers; socket: the kernel said ENOBUFS, how many is shown by the gap that
 * follows; queue: our own queue was full; store: the database refused them.
 */
export type LossCause = "kernel" | "socket" | "queue" | "store";

/** Events that cannot be shown singly. They are said, never skipped in silence. */
export interface LossEvent {
  readonly kind: "loss";
  readonly timeMs: number;
  readonly cause: LossCause;
  /** How many events; null when nobody knows. */
  readonly count: number | null;
}

export type SeawallEvent = FlowEvent | LossEvent;

const PROTOCOL_NAMES: Readonly<Record<number, string>> = {
  1: "icmp",
  2: "igmp",
  6: "tcp",
  17: "udp",
  33: "dccp",
  41: "ipv6",
  47: "gre",
  50: "esp",
  51: "ah",
  58: "icmpv6",
  132: "sctp",
  136: "udplite",
};

/** Returns the common name of an IANA protocol number, or the number as text. */
export function protocolName(protocol: number): string {
  return PROTOCOL_NAMES[protocol] ?? String(protocol);
}
