import { SeawallError } from "../../core/base/error.ts";

const { mkdirSync } = process.getBuiltinModule("node:fs");

/** Where Seawall keeps its files; every one of them can be moved by the environment. */
export interface Folders {
  readonly config: string;
  readonly state: string;
  readonly run: string;
}

export function foldersOf(env: Readonly<Record<string, string | undefined>>): Folders {
  return {
    config: env["SEAWALL_CONFIG_DIR"] || "/etc/seawall",
    state: env["SEAWALL_STATE_DIR"] || "/var/lib/seawall",
    run: env["SEAWALL_RUN_DIR"] || "/run/seawall",
  };
}

/** Makes a folder that only root reads. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new SeawallError("SEAWALL_STATE", `cannot make the folder \`${path}\``, {
      still: "the kernel keeps the rules it had",
      help: `ls -ld ${path}`,
      cause,
    });
  }
}
