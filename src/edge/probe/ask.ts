/** Asking other programs what is so: beside each other, each with a deadline, never to change anything. */
import { findProgram, start } from "../host/command.ts";

export interface Answer {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether the deadline or the size limit ended it. */
  readonly cut: boolean;
}

export interface Question {
  readonly input?: string;
  readonly deadlineMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

const DEADLINE_MS = 10_000;
/** LIMIT: bytes of output that are kept; the program is ended when it says more. */
const OUTPUT_BYTES_MAX = 32 * 1024 * 1024;

/** Returns what a system program says, or undefined when it is not installed or cannot be started. */
export async function ask(
  program: string,
  args: readonly string[],
  question: Question = {},
): Promise<Answer | undefined> {
  if (!program.startsWith("/") && findProgram(program) === undefined) return undefined;
  const child = start(program, args, ["pipe", "pipe", "pipe"], question.env);
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  let [bytes, cut] = [0, false];
  const end = (): void => {
    cut = true;
    child.kill("SIGKILL");
    // A grandchild may hold the pipes open: do not wait for it.
    child.stdout?.destroy();
    child.stderr?.destroy();
  };
  const collect = (into: Buffer[]) => (chunk: Buffer) => {
    bytes += chunk.length;
    into.push(chunk);
    if (bytes > OUTPUT_BYTES_MAX) end();
  };
  child.stdout?.on("data", collect(stdout));
  child.stderr?.on("data", collect(stderr));
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(question.input ?? "");
  const timer = setTimeout(end, question.deadlineMs ?? DEADLINE_MS);
  return new Promise((resolve) => {
    child.once("error", () => {
      clearTimeout(timer);
      resolve(undefined);
    });
    child.once("close", (status) => {
      clearTimeout(timer);
      resolve({
        status,
        stdout: Buffer.concat(stdout).toString("utf8"),
        stderr: Buffer.concat(stderr).toString("utf8"),
        cut,
      });
    });
  });
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
