import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, linkSync, openSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { shellWord } from "../../core/base/shell-word.ts";
import { SeawallError } from "../../core/base/error.ts";

/**
 * Writes a file that is not there yet, whole or not at all, for root alone. Returns false, and changes nothing,
 * when something stands at the path, be it a link that leads nowhere.
 */
export function writeNewFile(path: string, text: string): boolean {
  const beside = join(dirname(path), `.${randomUUID()}.new`);
  try {
    const file = openSync(beside, "wx", 0o600);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    // link(2) refuses what exists; rename(2) would replace it.
    linkSync(beside, path);
    return true;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "EEXIST") return false;
    throw new SeawallError("SEAWALL_STATE", `cannot write \`${path}\``, {
      still: "nothing was changed",
      help: `ls -ld ${shellWord(dirname(path))}`,
      cause,
    });
  } finally {
    rmSync(beside, { force: true });
  }
}
