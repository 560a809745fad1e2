import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { SeawallError } from "../../core/base/error.ts";
import { libc } from "./netlink/libc.ts";

const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * Runs `work` while no other Seawall of this run folder changes the kernel; refuses at once when one does. The
 * lock is the kernel's (flock(2)): it ends with the process that holds it, however that ends, and no file has to
 * be cleaned up.
 */
export async function locked<Value>(run: string, work: () => Value | Promise<Value>): Promise<Value> {
  const file = openLock(run);
  try {
    if (libc().flock(file, LOCK_EX | LOCK_NB) < 0) {
      throw new SeawallError("SEAWALL_BUSY", "another seawall is changing the rules", {
        still: "this one changed nothing",
        help: "seawall status",
      });
    }
    return await work();
  } finally {
    closeSync(file);
  }
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
