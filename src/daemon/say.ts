/** What seawalld says while it runs: one line each, on standard error. */
import { plain } from "../core/base/plain.ts";

/** Says one line. SECURITY: names of containers and interfaces, and words of other programs, cannot end it or colour it. */
export type Say = (line: string) => void;

/** Returns a voice that writes lines as seawalld's. */
export function createSay(err: (text: string) => void): Say {
  return (line) => err(`seawalld: ${plain(line)}\n`);
}
