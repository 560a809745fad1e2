/** Who may change a file, by its owner, its mode and those of every folder above it. */
import { statSync } from "node:fs";
import { dirname } from "node:path";

/** Why a file or a folder above it may be changed by somebody who is not among `owners`; null when not. */
export function writableBy(path: string, owners: ReadonlySet<number>): string | null {
  for (let at = path; ; at = dirname(at)) {
    const state = statSync(at, { throwIfNoEntry: false });
    if (state === undefined) return `${at} cannot be seen`;
    if (!owners.has(state.uid)) return `${at} belongs to uid ${state.uid}`;
    // A sticky folder (/tmp) lets nobody replace what belongs to another.
    if ((state.mode & 0o022) !== 0 && (state.mode & 0o1000) === 0) return `others may write ${at}`;
    if (at === "/") return null;
  }
}
