/** Starts child/dns-upstream.ts and asks it how much it answered. */
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Running, startProgram } from "./running.ts";
import { within } from "./wire.ts";

export interface Upstream extends Running {
  /** Returns how many questions it has answered since it started. */
  readonly answered: () => Promise<number>;
}

const ANSWER_LIMIT_MS = 5_000;

export async function startUpstream(folder: string, namespace: string): Promise<Upstream> {
  const script = fileURLToPath(new URL("../child/dns-upstream.ts", import.meta.url));
  let isBound = false;
  const running = await startProgram({
    name: "dns-upstream",
    argv: within(namespace, [process.execPath, script]),
    folder,
    onMessage: () => {
      isBound = true;
    },
    isReady: () => isBound,
  });
  const { child } = running;
  const answered = async (): Promise<number> => {
    const message = once(child, "message", { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
    child.send("how many?");
    const [count] = (await message) as [number];
    return count;
  };
  return { ...running, answered };
}
