import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Answer, Request } from "./agent-request.ts";
import { start } from "./command.ts";
import { ENVIRONMENT, type Namespace } from "./namespace.ts";

const ANSWER_DEADLINE_MS = 30_000;
const AGENT = fileURLToPath(new URL("./agent.ts", import.meta.url));

export type Agent = { readonly ask: (request: Request) => Promise<unknown> };

/** Starts the helper that opens and answers connections in the namespace, or in its `ip netns` named `net`. */
export function startAgent(namespace: Namespace, net?: string): Agent {
  const child = start(namespace.inside([process.execPath, AGENT], net), { env: ENVIRONMENT, cwd: "/" });
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let last = 0;
  let wrong = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    wrong += text;
  });
  child.stdin?.on("error", () => {});
  child.once("close", () => {
    for (const { reject } of waiting.values()) reject(new Error(`the agent ended: ${wrong}`));
  });
  if (child.stdout) {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const { id, value, error } = JSON.parse(line) as Answer;
      const asker = waiting.get(id);
      waiting.delete(id);
      if (error === undefined) asker?.resolve(value);
      else asker?.reject(new Error(error));
    });
  }
  const ask = (request: Request) =>
    new Promise<unknown>((resolve, reject) => {
      last += 1;
      const id = last;
      const timer = setTimeout(() => reject(new Error(`no answer to ${request.do}`)), ANSWER_DEADLINE_MS);
      const settle =
        <Value>(then: (value: Value) => void) =>
        (value: Value) => {
          clearTimeout(timer);
          then(value);
        };
      waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
      child.stdin?.write(`${JSON.stringify({ id, request })}\n`);
    });
  return { ask };
}
