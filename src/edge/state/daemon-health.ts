/** What seawalld last said of itself. It lies in the run folder, which is in memory. Light: `status` reads it. */
import { dropFile } from "./replace-file.ts";

const { readFileSync, renameSync, writeFileSync } = process.getBuiltinModule("node:fs");

export interface DaemonHealth {
  /** Why events are not all kept now; empty when they are. */
  readonly trouble: readonly string[];
  /** Events lost since it started. */
  readonly lost: number;
}

const FILE = "daemon.json";

/** Writes it down. Throws the errno; then the file is the old one. */
export function writeDaemonHealth(run: string, health: DaemonHealth, nowMs: number): void {
  const path = `${run}/${FILE}`;
  try {
    // Nothing here has to survive a power cut, so nothing waits for a disk.
    writeFileSync(`${path}.new`, `${JSON.stringify({ ...health, saidMs: nowMs })}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch (cause) {
    dropFile(`${path}.new`);
    throw cause;
  }
}

/** Returns what was last said, or null when nothing was (or the file is broken). */
export function readDaemonHealth(run: string): DaemonHealth | null {
  try {
    const found = JSON.parse(readFileSync(`${run}/${FILE}`, "utf8")) as Partial<DaemonHealth> | null;
    const { trouble, lost } = found ?? {};
    if (!Array.isArray(trouble) || !trouble.every((one) => typeof one === "string")) return null;
    return typeof lost === "number" ? { trouble, lost } : null;
  } catch {
    return null;
  }
}
