/** The meaning of an applied policy, so that whoever judges later judges by exactly what the kernel was given. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import type { ResolvedPolicy } from "../../core/policy/resolved.ts";
import { entryStem } from "./history-entry.ts";
import { replaceFile } from "./replace-file.ts";

/** The ending of the file beside an entry of the history. */
export const RESOLVED = "resolved";
const FORMAT = 1;

/** Writes the meaning of an entry. Only root reads and writes this folder. */
export function writeResolvedPolicy(state: string, id: number, policy: ResolvedPolicy): void {
  replaceFile(pathOf(state, id), serialize({ format: FORMAT, policy }));
}

/** Returns the meaning of an entry, or null when it is not there, broken, or of another version. */
export function readResolvedPolicy(state: string, id: number): ResolvedPolicy | null {
  try {
    const found = deserialize(readFileSync(pathOf(state, id))) as {
      format?: number;
      policy?: ResolvedPolicy;
    };
    return found.format === FORMAT && found.policy !== undefined ? found.policy : null;
  } catch {
    return null;
  }
}

function pathOf(state: string, id: number): string {
  return join(state, "history", `${entryStem(id)}.${RESOLVED}`);
}
