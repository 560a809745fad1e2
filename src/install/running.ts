/** Processes that run an installed program: a seawalld that was started by hand, a gate that outlives its daemon. */
import { readdirSync, readlinkSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { LIBRARY } from "./payload.ts";

/** LIMIT: how long they may take to end after SIGTERM, and then after SIGKILL. */
const END_MS_MAX = 10_000;
const KILL_MS_MAX = 2_000;
const STEP_MS = 50;
/** One of a version before has lost its name; it was swapped out of its place first. In a sandbox it has a prefix. */
const PROGRAM = new RegExp(`${LIBRARY}(\\.new|\\.old)?/node( \\(deleted\\))?$`);

/** Ends every process but this one that runs our Node, be it of a version before. Returns what was wrong, or null. */
export async function endProcesses(): Promise<string | null> {
  for (const [signal, limitMs] of [
    ["SIGTERM", END_MS_MAX],
    ["SIGKILL", KILL_MS_MAX],
  ] as const) {
    const started = performance.now();
    for (const pid of running()) send(pid, signal);
    while (running().length > 0 && performance.now() - started < limitMs) await sleep(STEP_MS);
    if (running().length === 0) return null;
  }
  return `these processes did not end: ${running().join(" ")}`;
}

/** With our root folder: another machine's Seawall, in a container of this one, has a Node of the same name. */
function running(): readonly number[] {
  const root = identityOf("/");
  return readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => PROGRAM.test(programOf(name)) && identityOf(`/proc/${name}/root/`) === root)
    .map(Number);
}

function programOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return "";
  }
}

function identityOf(folder: string): string {
  try {
    const { dev, ino } = statSync(folder, { bigint: true });
    return `${dev} ${ino}`;
  } catch {
    return "";
  }
}

function send(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone.
  }
}
