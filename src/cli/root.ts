import { SeawallError } from "../core/base/error.ts";
import type { Command, Who } from "./command.ts";

interface RootsAlone {
  /** What is said of the command. */
  readonly why: (words: string) => string;
  readonly still: string;
}

const ROOTS_ALONE: Readonly<Record<Exclude<Who, "anybody">, RootsAlone>> = {
  "root-changes": {
    why: (words) => `\`seawall ${words}\` changes the kernel's rules and needs root`,
    still: "nothing was changed",
  },
  "root-sees": {
    why: (words) => `\`seawall ${words}\` asks the kernel and needs root`,
    still: "nothing was looked at, so this says nothing of what is in force",
  },
  "root-files": {
    why: (words) => `\`seawall ${words}\` needs root: the files of Seawall are root's alone`,
    still: "nothing was read or changed",
  },
  "root-tries": {
    why: (words) => `\`seawall ${words}\` tries things in the agent's place and needs root`,
    still: "nothing was tried",
  },
};

/** Refuses everybody else before a command of root's runs: what cannot be read is never answered for. */
export function requireWho({ path, who }: Pick<Command, "path" | "who">): void {
  if (who === "anybody" || process.geteuid?.() === 0) return;
  const { why, still } = ROOTS_ALONE[who];
  throw new SeawallError("SEAWALL_NOT_ROOT", why(path.join(" ")), { still });
}
