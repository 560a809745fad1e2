/** How a failure is mended: words and commands of this host, in an order in which each is safe to paste. */
import { plain } from "../../base/plain.ts";

export type Step =
  /** Words for a person; in the text they are comments of a shell. */
  | { readonly say: string }
  /** One command line for a root shell on this host. */
  | { readonly run: string };

export function say(words: string): Step {
  return { say: words };
}

export function run(command: string): Step {
  return { run: command };
}

/** Characters in a line of words, so that the screen's 80 columns hold it. */
const WORDS_CHARS_MAX = 66;

/**
 * Returns the steps as text that a shell takes as it stands: words are comments, everything else is a command.
 * INVARIANT: it begins with words, by which it is told from a sentence.
 */
export function fixText(steps: readonly Step[]): string {
  const lines = steps.flatMap((step) => ("run" in step ? [step.run] : commentLines(step.say)));
  return lines[0]?.startsWith("#") === true ? lines.join("\n") : ["# as root:", ...lines].join("\n");
}

/** Whether a fix is such a text, which may be pasted, and not a sentence. */
export function isPasteable(fix: string): boolean {
  return fix.startsWith("#");
}

/** Returns the commands of a fix that may be pasted; a sentence has none. */
export function commandsOf(fix: string): readonly string[] {
  return isPasteable(fix) ? fix.split("\n").filter((line) => !line.startsWith("#")) : [];
}

/** A command for another machine stands on a line of its own, behind a deeper indent, and is never broken. */
function commentLines(text: string): string[] {
  // SECURITY: a name with a line break in it would end the comment, and the rest would be a command.
  const words = plain(text);
  if (words.startsWith("  ")) return [`# ${words}`];
  const lines: string[] = [];
  let line = "";
  for (const word of words.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > WORDS_CHARS_MAX) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => `# ${one}`);
}
