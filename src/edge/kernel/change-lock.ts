import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SeawallError } from "../../core/base/error.ts";
import { libc } from "./netlink/libc.ts";

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;

/** LIMIT: how long a command waits for another change; seawalld's own tidying takes a tenth of a second. */
const PATIENCE_MS = 10_000;
const ASK_AGAIN_MS = 25;
const CHANGE_LOCK = "change.lock";
const DAEMON_LOCK = "daemon.lock";

/**
 * Runs `work` while no other Seawall of this run folder changes the kernel. Waits `patienceMs` for one that does,
 * then refuses with SEAWALL_BUSY. The lock is the kernel's (flock(2)): it ends with the process that holds it,
 * however that ends, and no file has to be cleaned up.
 */
export async function locked<Value>(
  run: string,
  work: () => Value | Promise<Value>,
  patienceMs = PATIENCE_MS,
): Promise<Value> {
  const file = openLock(run, CHANGE_LOCK);
  try {
    const giveUpMs = performance.now() + patienceMs;
    while (libc().flock(file, LOCK_EX | LOCK_NB) < 0) {
      if (performance.now() >= giveUpMs) throw busy();
      await sleep(ASK_AGAIN_MS);
    }
    return await work();
  } finally {
    closeSync(file);
  }
}

/**
 * Makes this process the seawalld of a run folder until `release`. Refuses with SEAWALL_BUSY while another one is,
 * and has touched nothing of it then.
 */
export async function lockDaemon(run: string): Promise<{ readonly release: () => void }> {
  const file = openLock(run, DAEMON_LOCK);
  try {
    // Who only looks whether there is one (daemonRuns) holds the lock for a moment.
    const giveUpMs = performance.now() + LOOK_MS;
    while (libc().flock(file, LOCK_EX | LOCK_NB) < 0) {
      if (performance.now() >= giveUpMs) throw daemonThere(run, file);
      await sleep(ASK_AGAIN_MS);
    }
    ftruncateSync(file);
    writeSync(file, `${process.pid}\n`, 0);
  } catch (error) {
    closeSync(file);
    throw error;
  }
  return { release: () => closeSync(file) };
}

/** LIMIT: how long those who only look may hold up a start. */
const LOOK_MS = 300;

/** Whether a seawalld of this run folder is alive, in whatever namespace. */
export function daemonRuns(run: string): boolean {
  let file: number;
  try {
    file = openSync(join(run, DAEMON_LOCK), "r");
  } catch {
    return false;
  }
  try {
    return libc().flock(file, LOCK_SH | LOCK_NB) < 0;
  } finally {
    closeSync(file);
  }
}

function daemonThere(run: string, file: number): SeawallError {
  const pid = /^\d+$/.exec(readFileSync(file, "utf8").trim())?.[0];
  const who = pid === undefined ? "" : ` (process ${pid})`;
  return new SeawallError("SEAWALL_BUSY", `another seawalld uses the folder \`${run}\`${who}`, {
    still: "the other one goes on; this one touched nothing of it",
    help: "end that one first, or give this one folders of its own: SEAWALL_RUN_DIR and SEAWALL_STATE_DIR",
  });
}

function busy(): SeawallError {
  return new SeawallError("SEAWALL_BUSY", "another seawall is changing the rules", {
    still: "this one changed nothing",
    help: "seawall status",
  });
}

function openLock(run: string, name: string): number {
  try {
    mkdirSync(run, { recursive: true, mode: 0o700 });
    return openSync(join(run, name), "a+", 0o600);
  } catch (cause) {
    throw new SeawallError("SEAWALL_STATE", `cannot write in the folder \`${run}\``, {
      still: "nothing was changed",
      help: `ls -ld ${run}`,
      cause,
    });
  }
}
