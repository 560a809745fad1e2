/** What is in force, told by the kernel; our own files only give it names. Light: this runs on every prompt. */
import { readTableText } from "../edge/kernel/table-text.ts";
import type { Folders } from "../edge/state/folder.ts";
import { digestOf, readLandmark } from "./landmark.ts";

export interface Status {
  readonly state: "off" | "observing" | "enforcing" | "pending" | "drifted";
  readonly mode: { readonly inbound: string; readonly outbound: string } | null;
  /** The generation that judges now. */
  readonly generation: number | null;
  /** The last moment to confirm, RFC 3339. */
  readonly confirmBy: string | null;
  readonly containment: "unknown";
  readonly policy: { readonly id: number; readonly path: string } | null;
  readonly drift: string | null;
}

/** Returns the status of this network namespace. */
export function readStatus(folders: Folders, nowMs: number): Status {
  const table = readTableText();
  const landmark = readLandmark(folders.state);
  const nothing = {
    generation: null,
    confirmBy: null,
    containment: "unknown",
    mode: null,
    policy: null,
  } as const;
  if (table === null || (table.committed === null && table.candidate === null)) {
    if (landmark?.committed == null) return { ...nothing, state: "off", drift: null };
    return { ...nothing, state: "drifted", drift: "our table is gone from the kernel; nothing is enforced" };
  }
  const pending = table.candidate !== null && table.leaseMs !== null;
  const generation = pending ? table.candidate : table.committed;
  if (generation === null) return { ...nothing, state: "off", drift: null };
  const known = landmark?.generations[String(generation)];
  const base = {
    mode: known?.mode ?? null,
    generation,
    containment: "unknown",
    policy: known === undefined ? null : { id: known.id, path: known.path },
  } as const;
  if (landmark?.digest != null && landmark.digest !== digestOf(table.text)) {
    const drift = "our table was changed by somebody else since it was applied";
    return { ...base, state: "drifted", confirmBy: null, drift };
  }
  if (pending && table.leaseMs !== null) {
    return {
      ...base,
      state: "pending",
      confirmBy: new Date(nowMs + table.leaseMs).toISOString(),
      drift: null,
    };
  }
  const watching = known?.mode.inbound === "observe" && known.mode.outbound === "observe";
  return { ...base, state: watching ? "observing" : "enforcing", confirmBy: null, drift: null };
}
