import { closeSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";
import { SeawallError } from "../../core/base/error.ts";

/** Replaces a file by writing beside it, fsync, rename: it is the old one or the new one, never half of one. */
export function replaceFile(path: string, text: string): void {
  const beside = `${path}.new`;
  try {
    const file = openSync(beside, "w", 0o600);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
  } catch (cause) {
    throw new SeawallError("SEAWALL_STATE", `cannot write \`${path}\``, {
      still: "the kernel keeps the rules it has",
      help: `df ${path}`,
      cause,
    });
  }
}
