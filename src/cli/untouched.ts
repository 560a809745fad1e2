/** Whether a policy file is byte for byte what was applied. Light: it spares `status` the parser on every prompt. */
import type { HistoryEntry } from "../edge/state/history-entry.ts";

const { createHash } = process.getBuiltinModule("node:crypto");
const { readdirSync, readFileSync } = process.getBuiltinModule("node:fs");

/**
 * Returns true only where nothing can differ: the same bytes, no drop-ins then or now, no file of prefixes. False
 * says nothing: whoever wants to know reads the policy.
 */
export function isUntouched(entry: HistoryEntry, path: string, config: string): boolean {
  if ((entry.dropIns?.length ?? 0) > 0 || hasDropIns(`${config}/policy.d`)) return false;
  try {
    const text = readFileSync(path, "utf8");
    return createHash("sha256").update(text).digest("hex") === entry.sha256 && !/\bfile\b/.test(text);
  } catch {
    return false;
  }
}

function hasDropIns(folder: string): boolean {
  try {
    return readdirSync(folder).length > 0;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code !== "ENOENT";
  }
}
