/** What the log says of an attempt that was just made: who refused it, and why. */
import { setTimeout as sleep } from "node:timers/promises";
import { protocolName } from "../core/event/event.ts";
import type { FlowProtocol } from "../core/net/flow.ts";
import { closeStore, openStoreReadOnly, type Store } from "../edge/store/database.ts";
import { listFlows, type StoredFlow } from "../edge/store/flow-query.ts";
import type { LogHit } from "./judge.ts";

export interface Wanted {
  readonly address: string;
  readonly port: number;
  readonly protocol: FlowProtocol;
  /** What a gate read, null for a connection that named nobody; absent: what the kernel itself refused. */
  readonly host?: string | null;
}

export interface ProofLog {
  /** Resolves to a refusal of this attempt, or null when the log has none in time. */
  readonly find: (wanted: Wanted) => Promise<LogHit | null>;
  readonly close: () => void;
}

/** The kernel holds events for 100 ms, the daemon writes them in batches. */
const WAIT_MS = 2_500;
const LOOK_EVERY_MS = 150;

/** Opens the log for attempts of a scope from now on. Without a daemon it knows nothing and says so at once. */
export function openProofLog(state: string, scope: string, nowMs: () => number): ProofLog {
  const store = openStoreReadOnly(state);
  if (store === undefined) return { find: () => Promise.resolve(null), close: () => undefined };
  const sinceMs = nowMs();
  return {
    find: async (wanted) => {
      for (const deadline = nowMs() + WAIT_MS; ; ) {
        const hit = newest(store, scope, sinceMs, wanted);
        if (hit !== null || nowMs() >= deadline) return hit;
        await sleep(LOOK_EVERY_MS);
      }
    },
    close: () => closeStore(store),
  };
}

function newest(store: Store, scope: string, sinceMs: number, wanted: Wanted): LogHit | null {
  const flows = listFlows(store, { sinceMs, direction: "outbound" });
  const flow = flows.findLast((one) => isRefusal(one, scope) && matches(one, wanted));
  if (flow === undefined) return null;
  const { door, observed, reason, rule, refusal } = flow;
  return { by: door === null ? "kernel" : "gate", observed, reason, rule, refusal };
}

function isRefusal({ place, verdict }: StoredFlow, scope: string): boolean {
  return place === scope && verdict !== "accept";
}

function matches(flow: StoredFlow, { address, port, protocol, host }: Wanted): boolean {
  if ((host === undefined) !== (flow.door === null)) return false;
  if (typeof host === "string") return flow.host === host;
  if (flow.host !== null || flow.destination !== address) return false;
  const name = protocolName(flow.protocol);
  if (protocol === "icmp") return name === "icmp" || name === "icmpv6";
  return name === protocol && flow.destinationPort === port;
}
