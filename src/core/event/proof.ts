/**
 * Which rows of the log are attempts of `seawall prove` and `probe` and not of the agent, told by what root's own record
 * of a run holds. SECURITY: the agent may copy every destination and, once it sees it, the source port of an attempt;
 * so each attempt takes one row at most, the first of its time, and a name only counts by a secret of the run.
 */
import type { FlowEvent } from "./event.ts";

/** A socket of an attempt, from before it was opened until it was closed. */
export interface ProofSocket {
  readonly protocol: number;
  readonly address: string;
  readonly port: number;
  readonly sourcePort: number;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface ProofRun {
  readonly scope: string;
  /** Part of every name that was made up for this run; empty: none was. */
  readonly nonce: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly sockets: readonly ProofSocket[];
}

/** The kernel holds events for 100 ms, and they are stamped when they are read. */
const LATE_MS = 1_500;
/** A question over UDP is sent again while nothing answers. */
const UDP = 17;
const DATAGRAMS_MAX = 4;

/** Returns a question to be asked of rows from the oldest to the newest: whether the row is an attempt of a run. */
export function proofSieve(runs: readonly ProofRun[]): (flow: FlowEvent) => boolean {
  const left = new Map<ProofSocket, number>();
  return (flow) => {
    if (flow.direction !== "outbound") return false;
    return runs.some((run) => {
      if (run.scope !== flow.place || flow.timeMs < run.fromMs || flow.timeMs > run.toMs + LATE_MS)
        return false;
      if (flow.door !== null) return isOwnName(run, flow.host);
      const socket = run.sockets.find((one) => isOf(one, flow) && (left.get(one) ?? 1) > 0);
      if (socket === undefined) return false;
      left.set(socket, (left.get(socket) ?? (socket.protocol === UDP ? DATAGRAMS_MAX : 1)) - 1);
      return true;
    });
  };
}

function isOwnName({ nonce }: ProofRun, host: string | null): boolean {
  return nonce !== "" && host !== null && host.endsWith(`-${nonce}.seawall-prove.invalid`);
}

function isOf(socket: ProofSocket, flow: FlowEvent): boolean {
  return (
    socket.protocol === flow.protocol &&
    socket.sourcePort === flow.sourcePort &&
    socket.port === flow.destinationPort &&
    socket.address === flow.destination &&
    flow.timeMs >= socket.fromMs &&
    flow.timeMs <= socket.toMs + LATE_MS
  );
}
