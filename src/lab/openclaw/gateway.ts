/** The real gateway under the agent's user: started, asked for turns, ended. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { SeawallError } from "../../core/base/error.ts";
import { start } from "../../edge/host/command.ts";
import { type ConfigurationWanted, configuration, GATEWAY_PORT, GATEWAY_TOKEN } from "./configuration.ts";
import { asAgent, NODE, OPENCLAW, writeConfiguration, writeScript } from "./home.ts";

export interface Gateway {
  /** One turn of the agent: what it answers. Throws when there is no answer. */
  readonly ask: (message: string) => Promise<string>;
  /** The agent is told to run a script with sh, and answers with what it printed and how it ended. */
  readonly command: (script: string) => Promise<string>;
  /** True while the gateway itself says that it is ready. */
  readonly isReady: () => Promise<boolean>;
  /** Ends it as its unit would, and waits until it has. */
  readonly stop: () => Promise<void>;
}

type Process = ReturnType<typeof start>;

/** 8 to 35 s on a machine that does nothing else. */
const READY_DEADLINE_MS = 180_000;
const READY_ANSWER_MS = 2_000;
const TURN_DEADLINE_MS = 120_000;
/** Longer than any refusal, shorter than the 10 s after which OpenClaw no longer waits for a command. */
const COMMAND_LIMIT_S = 8;
const STOP_DEADLINE_MS = 30_000;
const POLL_MS = 250;
const LOG_CHARS_MAX = 4_000;
const HERE = `http://127.0.0.1:${GATEWAY_PORT}`;

const COMPLETION = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1),
});

let scripts = 0;

/** Starts it with this configuration and returns once it is ready; throws with its last words when it is not. */
export async function startGateway(wanted: ConfigurationWanted): Promise<Gateway> {
  writeConfiguration(configuration(wanted));
  const [program, ...args] = asAgent([NODE, OPENCLAW, "gateway", "run"]);
  const child = start(program, args, ["ignore", "pipe", "pipe"]);
  const log = lastWords(child);
  const limit = Date.now() + READY_DEADLINE_MS;
  while (!(await isReady())) {
    if (child.exitCode === null && child.signalCode === null && Date.now() < limit) {
      await sleep(POLL_MS);
      continue;
    }
    child.kill("SIGKILL");
    throw failed(`its gateway is not ready (exit ${child.exitCode}): ${log()}`);
  }
  return {
    ask,
    command: (script) => {
      scripts += 1;
      const file = writeScript(scripts, script);
      return ask(`EXEC timeout ${COMMAND_LIMIT_S} sh ${file} 2>&1; printf '\\nended %d\\n' $?`);
    },
    isReady,
    stop: () => stop(child),
  };
}

async function ask(message: string): Promise<string> {
  const response = await fetch(`${HERE}/v1/chat/completions`, {
    method: "POST",
    headers: { Authorization: `Bearer ${GATEWAY_TOKEN}`, "Content-Type": "application/json" },
    body: JSON.stringify({ model: "openclaw", messages: [{ role: "user", content: message }] }),
    signal: AbortSignal.timeout(TURN_DEADLINE_MS),
  });
  const text = await response.text();
  const first = response.ok ? COMPLETION.safeParse(JSON.parse(text)).data?.choices[0] : undefined;
  if (first !== undefined) return first.message.content;
  throw failed(`the agent did not answer \`${message}\`: ${response.status} ${text.slice(0, LOG_CHARS_MAX)}`);
}

async function isReady(): Promise<boolean> {
  try {
    return (await fetch(`${HERE}/readyz`, { signal: AbortSignal.timeout(READY_ANSWER_MS) })).ok;
  } catch {
    return false;
  }
}

async function stop(child: Process): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), STOP_DEADLINE_MS);
  await ended;
  clearTimeout(late);
}

function lastWords(child: Process): () => string {
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-LOG_CHARS_MAX);
    });
  }
  return () => said.trim();
}

function failed(why: string): SeawallError {
  return new SeawallError("SEAWALL_LAB", `OpenClaw failed in the lab: ${why}`, {
    still: "nothing of this machine was changed",
  });
}
