/** What Seawall recorded about OpenClaw's traffic. */
import { setTimeout as sleep } from "node:timers/promises";
import { type NamedFlow, seawallOk } from "../seawall.ts";

/** How long the log may take: a gate tells at once, the daemon writes every 250 ms. */
const LOG_MS = 4_000;
const LOG_STEP_MS = 200;
const LINES_MAX = 10_000;

interface Line extends NamedFlow {
  readonly refusal: string | null;
}

/** The newest words of the log about a name or an address since then, once they are the ones that are waited for. */
export async function loggedSince(since: string, about: string, wanted: string): Promise<string> {
  for (let waited = 0; ; waited += LOG_STEP_MS) {
    const flow = lines(since).findLast((one) => one.host === about || one.destination === about);
    const words = flow === undefined ? "-" : `${flow.verdict} ${flow.rule ?? flow.reason}`;
    if (words === wanted || waited >= LOG_MS) return words;
    await sleep(LOG_STEP_MS);
  }
}

/** Whether the log gets to know a refusal by this id. */
export async function isLogged(id: string): Promise<boolean> {
  for (let waited = 0; ; waited += LOG_STEP_MS) {
    const known = lines("1h").some(({ refusal }) => refusal === id);
    if (known || waited >= LOG_MS) return known;
    await sleep(LOG_STEP_MS);
  }
}

function lines(since: string): readonly Line[] {
  const text = seawallOk("flows", "--json", "--since", since, "--limit", String(LINES_MAX)).split("\n");
  return text.filter((line) => line !== "").map((line) => JSON.parse(line) as Line);
}
