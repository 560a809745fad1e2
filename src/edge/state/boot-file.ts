/** The files that the next start loads; share/boot/boot.sh reads them by these names. */
const { existsSync, readFileSync } = process.getBuiltinModule("node:fs");

const FOLDER = "boot";

export interface BootFiles {
  readonly folder: string;
  /** What was confirmed last. */
  readonly ruleset: string;
  /** What is loaded when that is refused. */
  readonly fallback: string;
  /** Left by `seawall rescue`: nothing but guards is loaded. */
  readonly off: string;
}

/** Returns the paths below a state folder. */
export function bootFiles(state: string): BootFiles {
  const folder = `${state}/${FOLDER}`;
  return {
    folder,
    ruleset: `${folder}/ruleset.nft`,
    fallback: `${folder}/fallback.nft`,
    off: `${folder}/off`,
  };
}

/** Returns what the next start loads, or null: Seawall is meant to be off. */
export function readBoot(state: string): string | null {
  try {
    if (
      existsSync(bootFiles(state).off) ||
      /(^|\s)seawall=off(\s|$)/.test(readFileSync("/proc/cmdline", "utf8"))
    ) {
      return null;
    }
    return readFileSync(bootFiles(state).ruleset, "utf8");
  } catch {
    return null;
  }
}
