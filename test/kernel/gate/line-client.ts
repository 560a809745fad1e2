/** Speaks with a child process in JSON lines. */
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { Said } from "./ask.ts";

/** Far more than any answer takes: a machine under load answers late. */
const ANSWER_DEADLINE_MS = 120_000;

/** Returns a function that asks a process which answers a JSON line with a JSON line. */
export function asker(child: ChildProcess): <Answer>(ask: { readonly do: string }) => Promise<Answer> {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let last = 0;
  let wrong = "";
  let isOver = false;
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    wrong += text;
  });
  child.stdin?.on("error", () => undefined);
  child.once("close", () => {
    isOver = true;
    for (const { reject } of waiting.values()) reject(new Error(`the agent ended: ${wrong}`));
    waiting.clear();
  });
  onLines(child, (line) => {
    const { id, value, error } = JSON.parse(line) as Said;
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) asked?.resolve(value);
    else asked?.reject(new Error(error));
  });
  return <Answer>(ask: { readonly do: string }) =>
    new Promise<Answer>((resolve, reject) => {
      if (isOver) return reject(new Error(`the agent ended before: ${wrong}`));
      last += 1;
      const id = last;
      const timer = setTimeout(
        () => reject(new Error(`no answer to ${ask.do}: ${wrong}`)),
        ANSWER_DEADLINE_MS,
      );
      waiting.set(id, {
        resolve: (value) => {
          clearTimeout(timer);
          resolve(value as Answer);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      child.stdin?.write(`${JSON.stringify({ id, ask })}\n`);
    });
}

/** Calls `take` for every line that a child prints. */
export function onLines(child: ChildProcess, take: (line: string) => void): void {
  if (child.stdout) createInterface({ input: child.stdout }).on("line", take);
}
