import { SeawallError } from "../../core/base/error.ts";

const { closeSync, fsyncSync, openSync, renameSync, writeFileSync } = process.getBuiltinModule("node:fs");

/** Replaces a file by writing beside it, fsync, rename: it is the old one or the new one, never half of one. */
export function replaceFile(path: string, text: string | Uint8Array): void {
  const beside = `${path}.new`;
  try {
    const file = openSync(beside, "w", 0o600);
    try {
      writeFileSync(file, text);
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
