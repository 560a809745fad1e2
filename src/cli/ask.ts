/** A question on the terminal. Nothing but a typed `y` or `yes` is a yes. */
import { createInterface } from "node:readline";

/** Resolves to whether the answer is yes; the end of the input is a no. */
export function askOnTerminal(question: string): Promise<boolean> {
  return new Promise((resolve) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    let isYes = false;
    lines.once("close", () => resolve(isYes));
    lines.question(`${question} [y/N] `, (answer) => {
      isYes = /^(y|yes)$/i.test(answer.trim());
      lines.close();
    });
  });
}
