/** What a gate tells about what it decided. */
import type { FlowProtocol } from "../net/flow.ts";
import type { Decision } from "../policy/decision.ts";

/** Where a decision was made. */
export type GateDoor = "dns" | "tls" | "http" | "proxy";

export interface GateReport {
  readonly door: GateDoor;
  readonly scope: string;
  readonly host: string | null;
  readonly address: string | null;
  readonly port: number;
  readonly protocol: FlowProtocol;
  readonly decision: Decision;
  /** The refusal's id, or null for what was accepted. */
  readonly id: string | null;
}
