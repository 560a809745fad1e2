/** Our table as text, by the lightest listing nft has: for `status` and for noticing changes by others. */
import { LEASE_SET, TABLE } from "../../core/compile/nftables/table.ts";
import { runSync } from "../host/command.ts";
import { durationMs } from "./duration.ts";

export interface TableText {
  /** The listing without counters, timeouts and set elements: the same as long as nobody changes a rule. */
  readonly text: string;
  readonly committed: number | null;
  readonly candidate: number | null;
  /** What is left of the lease, or null when it is over. */
  readonly leaseMs: number | null;
}

/** Returns our table, or null when the kernel has none (or nft is not installed or not allowed). */
export function readTableText(): TableText | null {
  const result = runSync("nft", ["-s", "-t", "list", "table", "inet", TABLE]);
  if (result.status !== 0) return null;
  const text = result.stdout;
  const hook = text.slice(text.indexOf("\tchain prerouting {"));
  const body = hook.slice(0, hook.indexOf("\n\t}"));
  const candidate = generationIn(/@lease goto g(\d{1,2})_prerouting/.exec(body));
  const committed = generationIn(/^\t\tgoto g(\d{1,2})_prerouting/m.exec(body));
  return { text, committed, candidate, leaseMs: candidate === null ? null : readLeaseMs() };
}

/** The kernel's own clock of the lease: the shorter of the two families, or null when either is gone. */
export function readLeaseMs(): number | null {
  const result = runSync("nft", ["list", "set", "inet", TABLE, LEASE_SET]);
  const left = [...result.stdout.matchAll(/expires ([0-9hms]+)/g)].map((match) => durationMs(match[1] ?? ""));
  return left.length < 2 ? null : Math.min(...left);
}

function generationIn(match: RegExpExecArray | null): number | null {
  return match === null ? null : Number(match[1]);
}
