/** What the kernel knows of a process (proc(5)): nothing here is chosen by who runs it. */
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";

export interface ProcessStat {
  readonly pid: number;
  /** 0 where there is none in this process namespace. */
  readonly parent: number;
  readonly session: number;
  /** Ended, and nobody has waited for it. */
  readonly isDead: boolean;
  /** The device number of its controlling terminal, as stat(2) has it; 0 for none. */
  readonly terminal: number;
  /** When it began, in clock ticks since the machine did. */
  readonly startedTicks: number;
}

/** Returns every process of this process namespace, ascending. Nothing is cut off: the kernel's pid_max bounds it. */
export function processIds(): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .sort((left, right) => left - right);
}

/** Returns the facts of one process, or undefined when it is gone. */
export function statOf(pid: number): ProcessStat | undefined {
  // The command name stands in parentheses and may contain anything.
  const text = readText(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const isDead = fields[0] === "Z" || fields[0] === "X";
  const [parent = 0, session = 0, terminal = 0, startedTicks = Number.NaN] = [1, 3, 4, 19].map((at) =>
    Number(fields[at] ?? Number.NaN),
  );
  if (Number.isNaN(startedTicks)) return undefined;
  return { pid, parent, session, isDead, terminal: terminal >>> 0, startedTicks };
}

/** Returns the parent of a process, 0 when there is none. */
export function parentOf(pid: number): number {
  return statOf(pid)?.parent ?? 0;
}

/** LIMIT: parents walked up from a process. Who reaches it is not known. */
export const ANCESTORS_MAX = 4_096;

/**
 * Returns a process and its parents up to the first of the machine, which is left out; null where there are more than
 * ANCESTORS_MAX. SECURITY: a number that was given anew in between is told by its age: no parent is younger.
 */
export function ancestorsOf(pid: number): number[] | null {
  const line: number[] = [];
  let at = statOf(pid);
  while (at !== undefined && at.pid > 1) {
    if (line.length >= ANCESTORS_MAX) return null;
    line.push(at.pid);
    const parent = statOf(at.parent);
    at = parent === undefined || parent.startedTicks > at.startedTicks ? undefined : parent;
  }
  return line;
}

/** Returns the real, effective, saved and file system uid of a process; empty when it is gone. */
export function uidsOf(pid: number): readonly number[] {
  const line = /^Uid:\s*(.*)$/m.exec(readText(`/proc/${pid}/status`))?.[1];
  return line === undefined ? [] : line.split(/\s+/).map(Number);
}

/** What a file is, whatever it is called: two names of one file have one of these. */
export type FileIdentity = string & { readonly __brand: "FileIdentity" };

/** Returns which file a path leads to in the end, or undefined. */
export function identityOf(path: string): FileIdentity | undefined {
  try {
    const found = statSync(path, { bigint: true, throwIfNoEntry: false });
    return found === undefined ? undefined : (`${found.dev}:${found.ino}` as FileIdentity);
  } catch {
    return undefined;
  }
}

/** Returns the target of a link of proc(5), or undefined. */
export function kernelLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Returns the text of a file of the kernel's, empty when it is gone or not for us. */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
