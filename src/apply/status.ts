/** What is in force, told by the kernel; our own files only give it names. Light: this runs on every prompt. */
import { readTableText, type TableText } from "../edge/kernel/table-text.ts";
import type { Folders } from "../edge/state/folder.ts";
import { type Landmark, type LandmarkPolicy, readLandmark } from "./landmark.ts";

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
  const generation = table === null ? null : inForce(table);
  if (table === null || generation === null) return absent(landmark, table !== null);
  const known = landmark?.generations[String(generation)];
  const status: Status = {
    state: known === undefined ? "enforcing" : stateOf(known),
    mode: known?.mode ?? null,
    generation,
    confirmBy: null,
    containment: "unknown",
    policy: known === undefined ? null : { id: known.id, path: known.path },
    drift: null,
  };
  // Drift comes before everything else: nothing else that is said here holds then.
  if (landmark !== null && landmark.text !== table.text) {
    return {
      ...status,
      state: "drifted",
      drift: "our table was changed by somebody else since it was applied",
    };
  }
  if (table.candidate === null || table.leaseMs === null) return status;
  return { ...status, state: "pending", confirmBy: new Date(nowMs + table.leaseMs).toISOString() };
}

/** The generation that judges now: the candidate as long as its lease holds, else the committed one. */
function inForce(table: TableText): number | null {
  return table.leaseMs === null ? table.committed : table.candidate;
}

function stateOf({ mode }: LandmarkPolicy): "observing" | "enforcing" {
  return mode.inbound === "observe" && mode.outbound === "observe" ? "observing" : "enforcing";
}

/** Nothing of ours judges: as it should be, or because somebody took it away. */
function absent(landmark: Landmark | null, tableIsThere: boolean): Status {
  const expected = landmark !== null && landmark.committed !== null;
  return {
    state: expected ? "drifted" : "off",
    mode: null,
    generation: null,
    confirmBy: null,
    containment: "unknown",
    policy: null,
    drift: !expected
      ? null
      : tableIsThere
        ? "our hooks are gone from the kernel; nothing is enforced"
        : "our table is gone from the kernel; nothing is enforced",
  };
}
