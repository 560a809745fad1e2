/** Asking other programs what is so: beside each other, each with a deadline, never to change anything. */
import { type Answer, ask as askProgram, type CommandOptions, findProgram } from "../host/command.ts";

const DEADLINE_MS = 10_000;

/** Returns what a system program says, or undefined when it is not installed or cannot be started. */
export async function ask(
  program: string,
  args: readonly string[],
  question: CommandOptions = {},
): Promise<Answer | undefined> {
  if (findProgram(program) === undefined) return undefined;
  return askProgram(program, args, { deadlineMs: DEADLINE_MS, ...question }).catch(() => undefined);
}

/** Runs tasks with at most `width` at once and returns their results in order. */
export async function inTurns<Item, Result>(
  items: readonly Item[],
  width: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (;;) {
      const index = next;
      next += 1;
      const item = items[index];
      if (item === undefined) return;
      results[index] = await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
}
