import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Processes to enter the world by, as this machine numbers them. */
export interface WorldProcesses {
  readonly host: number | null;
  readonly internet: number | null;
  readonly container: number | null;
}

/**
 * Returns the processes of the world that `parent` started, found by their numbers inside (proc(5), NSpid).
 * Null for one that is not found.
 */
export function peopleOf(parent: number, inside: Readonly<Record<string, number>>): WorldProcesses {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const first = all.find((pid) => field(pid, "PPid") === String(parent)) ?? null;
  const world = first === null ? null : namespaceOf(first);
  const find = (name: string): number | null =>
    all.find((pid) => {
      const number = field(pid, "NSpid")?.split(/\s+/).at(-1);
      return number === String(inside[name]) && namespaceOf(pid) === world;
    }) ?? null;
  return { host: first, internet: find("internet"), container: find("container") };
}

function field(pid: number, name: string): string | undefined {
  try {
    return new RegExp(`^${name}:\\s*(.*)$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  } catch {
    return undefined;
  }
}

function namespaceOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return null;
  }
}
