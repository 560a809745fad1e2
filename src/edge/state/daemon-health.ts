/** What seawalld last said of itself. It lies in the run folder, which is in memory. Light: `status` reads it. */
import { type DatedTrouble, isDatedTrouble } from "../../core/gate/trouble.ts";
import { dropFile } from "./replace-file.ts";

const { readFileSync, renameSync, writeFileSync } = process.getBuiltinModule("node:fs");
const { uptime } = process.getBuiltinModule("node:os");

export interface DaemonHealth {
  /** Why events are not all kept now; empty when they are. */
  readonly trouble: readonly string[];
  /** Events lost since it started. */
  readonly lost: number;
}

/** What keeps names from being decided, and how long ago it was said; null by a daemon that does not say when. */
export interface SaidOfGates {
  readonly gate: readonly DatedTrouble[];
  readonly ageMs: number | null;
}

const FILE = "daemon.json";

/** Writes it down. Throws the errno; then the file is the old one. */
export function writeDaemonHealth(
  run: string,
  health: DaemonHealth & Pick<SaidOfGates, "gate">,
  nowMs: number,
): void {
  const path = `${run}/${FILE}`;
  try {
    // Nothing here has to survive a power cut, so nothing waits for a disk.
    writeFileSync(`${path}.new`, `${JSON.stringify({ ...health, saidMs: nowMs, upSeconds: uptime() })}\n`, {
      mode: 0o600,
    });
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

/** Returns what was last said of the gates. Its age is by the clock that nobody sets. */
export function readSaidOfGates(run: string): SaidOfGates {
  try {
    const found = JSON.parse(readFileSync(`${run}/${FILE}`, "utf8")) as {
      gate?: unknown;
      upSeconds?: unknown;
    } | null;
    const gate = Array.isArray(found?.gate) ? found.gate.filter(isDatedTrouble) : [];
    const at = found?.upSeconds;
    return { gate, ageMs: typeof at === "number" ? Math.max(0, (uptime() - at) * 1_000) : null };
  } catch {
    return { gate: [], ageMs: null };
  }
}
