/** What is said of the owner's way in: the line that confirms, and that nobody can log in. */
import type { NoSsh } from "../../apply/no-ssh.ts";
import { plain } from "../../core/base/plain.ts";

/** Returns the last line of a command after which a change waits. */
export function nextConfirm(line: string): string {
  return `Next, from your own computer: ${plain(line)}\n`;
}

/** Returns what is said where nobody gets to SSH: what is so, the line to write, the command. */
export function noSshText(noSsh: NoSsh): string {
  return `warning: ${noSshLines(noSsh).join("\n  ")}\n`;
}

/** Returns the same as lines of a screen. */
export function noSshLines({ said, rule }: NoSsh): readonly string[] {
  return [plain(said), `write under \`inbound:\` and apply: ${rule}`, "try: sudo seawall apply"];
}
