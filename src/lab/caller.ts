import { readFileSync } from "node:fs";

/** LIMIT: parents walked up. */
const PARENTS_MAX = 16;
const STEP_MS = 250;

/**
 * Calls `gone` when a process between us and `npm start` ends before we do, that one included: a kill -9 of npm
 * tells nobody below it. Does nothing when npm did not start us. Returns what ends the watch.
 */
export function watchNpm(parent: number, gone: () => void): () => void {
  const line = lineToNpm(parent);
  if (line.length === 0) return () => undefined;
  const timer = setInterval(() => {
    if (line.every(({ pid, started }) => startOf(pid) === started)) return;
    clearInterval(timer);
    gone();
  }, STEP_MS);
  timer.unref();
  return () => clearInterval(timer);
}

interface Parent {
  readonly pid: number;
  /** When it started, in clock ticks: a number that is used again does not count. */
  readonly started: string;
}

function lineToNpm(parent: number): Parent[] {
  const line: Parent[] = [];
  for (let pid = parent; pid > 1 && line.length < PARENTS_MAX; ) {
    const started = startOf(pid);
    if (started === null) return [];
    line.push({ pid, started });
    if (/^npm |npm-cli\.js/.test(read(`/proc/${pid}/cmdline`).replaceAll("\0", " "))) return line;
    pid = Number(statOf(pid)[1] ?? 0);
  }
  return [];
}

/** Null for a process that is gone or a zombie. */
function startOf(pid: number): string | null {
  const fields = statOf(pid);
  return fields[0] === "Z" ? null : (fields[19] ?? null);
}

/** The fields of proc(5) stat after the command name: state, parent, ... and the start time as the twentieth. */
function statOf(pid: number): string[] {
  const stat = read(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
