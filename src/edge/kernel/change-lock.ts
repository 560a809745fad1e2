import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SeawallError } from "../../core/base/error.ts";
import { libc } from "./netlink/libc.ts";

const LOCK_EX = 2;
const LOCK_NB = 4;

/** LIMIT: how long a command waits for another change; seawalld's own tidying takes a tenth of a second. */
const PATIENCE_MS = 10_000;
const ASK_AGAIN_MS = 25;

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
  const file = openLock(run);
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

function busy(): SeawallError {
  return new SeawallError("SEAWALL_BUSY", "another seawall is changing the rules", {
    still: "this one changed nothing",
    help: "seawall status",
  });
}

function openLock(run: string): number {
  try {
    mkdirSync(run, { recursive: true, mode: 0o700 });
    return openSync(join(run, "change.lock"), "w", 0o600);
  } catch (cause) {
    throw new SeawallError("SEAWALL_STATE", `cannot write in the folder \`${run}\``, {
      still: "nothing was changed",
      help: `ls -ld ${run}`,
      cause,
    });
  }
}
