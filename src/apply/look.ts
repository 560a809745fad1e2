/** Looks at the scopes of the policy in force where nobody has yet: takes some tenths of a second. */
import { SeawallError } from "../core/base/error.ts";
import { readAccounts } from "../edge/host/accounts.ts";
import type { Folders } from "../edge/state/folder.ts";
import { examineContainment } from "./containment.ts";
import { worstOf } from "./containment-record.ts";
import { readInForce } from "./in-force.ts";
import { containmentOf, type Status } from "./status.ts";

/**
 * Returns the status with what is seen now, where nothing was seen of this policy or that is too old. Nothing is
 * written down. The status as it was where nothing judges, or where what judges cannot be told. Needs root.
 */
export function withFreshLook(folders: Folders, status: Status, nowMs: number): Status {
  const seen = status.containmentSeen;
  if (status.generation === null || (seen !== null && !seen.stale)) return status;
  try {
    const inForce = readInForce(folders);
    if (inForce.kind !== "judging") return status;
    const scopes = examineContainment(inForce.policy, readAccounts());
    const found = { grade: worstOf(scopes), scopes, examinedMs: nowMs, stale: false };
    return { ...status, ...containmentOf(found, status.alarms) };
  } catch (cause) {
    if (!(cause instanceof SeawallError)) throw cause;
    return status;
  }
}
