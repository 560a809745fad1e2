import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";

/** What a benchmark may use; it runs in a throw-away namespace. */
export interface BenchContext {
  /** The checkout. */
  readonly root: string;
  /** Fewer rounds. */
  readonly quick: boolean;
  /** Also what takes minutes. */
  readonly full: boolean;
  /** A folder of its own, gone afterwards. */
  readonly folder: string;
  /** Programs unpacked from the machine's package archive, or null when they were not needed. */
  readonly tools: string | null;
}

/** Returns the environment for a Seawall that starts from nothing. */
export function freshFolders(context: BenchContext): Readonly<Record<string, string>> {
  const folder = mkdtempSync(join(context.folder, "state-"));
  const folders = ["state", "run", "config"].map((name) => join(folder, name));
  for (const one of folders) mkdirSync(one);
  const [state = "", runFolder = "", config = ""] = folders;
  return { SEAWALL_STATE_DIR: state, SEAWALL_RUN_DIR: runFolder, SEAWALL_CONFIG_DIR: config };
}

/** `node dist/cli/main.js ARGS`, with the Node that runs this. */
export function seawallCommand(context: BenchContext, ...args: readonly string[]): string[] {
  return [process.execPath, join(context.root, "dist/cli/main.js"), ...args];
}
