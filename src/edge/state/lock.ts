import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { SeawallError } from "../../core/base/error.ts";
import { makeFolder } from "./folder.ts";

/** Runs `work` while no other Seawall of this run folder changes the kernel. Refuses at once when one does. */
export async function locked<Value>(run: string, work: () => Value | Promise<Value>): Promise<Value> {
  makeFolder(run);
  const path = join(run, "change.lock");
  take(path);
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function take(path: string): void {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      const file = openSync(path, "wx", 0o600);
      writeSync(file, String(process.pid));
      closeSync(file);
      return;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") {
        throw new SeawallError("SEAWALL_STATE", `cannot write \`${path}\``, { cause });
      }
      if (isAlive(path)) {
        throw new SeawallError("SEAWALL_BUSY", "another seawall is changing the rules", {
          still: "this one changed nothing",
          help: "seawall status",
          cause,
        });
      }
      rmSync(path, { force: true });
    }
  }
}

/** A lock whose owner was killed does not count. */
function isAlive(path: string): boolean {
  try {
    const pid = Number(readFileSync(path, "utf8"));
    if (!Number.isInteger(pid) || pid < 1) return false;
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EPERM";
  }
}
