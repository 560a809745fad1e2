import { SeawallError } from "../core/base/error.ts";

/** Refuses to look without root: that nothing can be seen does not mean that nothing is there. */
export function requireRootToSee(words: string): void {
  if (process.geteuid?.() === 0) return;
  throw new SeawallError("SEAWALL_NOT_ROOT", "only root may see what the kernel holds", {
    help: `sudo seawall ${words}`,
  });
}

/** Refuses without root: our folders are root's alone. */
export function requireRootForFiles(words: string): void {
  if (process.geteuid?.() === 0) return;
  throw new SeawallError("SEAWALL_NOT_ROOT", "the files of Seawall are root's alone", {
    still: "nothing was changed",
    help: `sudo seawall ${words}`,
  });
}

/** Refuses without root, with the command that helps. */
export function requireRoot(words: string): void {
  if (process.geteuid?.() === 0) return;
  throw new SeawallError(
    "SEAWALL_NOT_ROOT",
    `\`seawall ${words}\` changes the kernel's rules and needs root`,
    {
      still: "nothing was changed",
      help: `sudo seawall ${words}`,
    },
  );
}
