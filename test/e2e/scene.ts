import assert from "node:assert/strict";
import type { Host } from "../support/host/host.ts";
import { type Gateway, type GatewayWanted, asAgent, prepareAgent, startGateway } from "./gateway.ts";
import { OPENCLAW_NAMES, ZONE } from "./internet/zone.ts";
import { type ProxyCheck, checkProxy } from "./proxy-check.ts";
import { type Watched, type World, startWorld } from "./world.ts";

/** Where Seawall's explicit proxy listens for the first scope of a policy. */
export const PROXY_URL = "http://127.0.0.1:18901";
/** The exit code of timeout(1) for a command that did not end by itself. */
export const HUNG = 124;
/** Longer than any refusal, shorter than the 10 s after which OpenClaw no longer waits for a command. */
const COMMAND_LIMIT_S = 8;

export type Command = Watched<string> & {
  /** How the script ended; HUNG when it did not by itself. */
  readonly code: number;
};

/** A world with an OpenClaw in it, and what a row does with both. */
export type Scene = {
  readonly host: Host;
  readonly gateway: () => Gateway;
  /** One turn of the agent: its answer, and what reached the internet meanwhile. */
  readonly ask: (message: string) => Promise<Watched<string>>;
  /** The agent runs a script with bash and answers with what it printed. */
  readonly command: (script: string) => Promise<Command>;
  /** The same script under the agent's account, without the model that would have asked for it. */
  readonly direct: (script: string) => Promise<Command>;
  /** OpenClaw's own check of Seawall's proxy. */
  readonly checkProxy: (...args: readonly string[]) => Promise<Watched<ProxyCheck>>;
  /** Ends the gateway and starts it anew; returns what reached the internet while it started. */
  readonly restart: (wanted?: GatewayWanted) => Promise<Watched<Gateway>>;
  readonly stop: () => Promise<void>;
};

/** Starts a world, does `prepare` in it and then starts OpenClaw. */
export async function startScene(
  wanted: GatewayWanted = {},
  prepare: (host: Host) => Promise<void> = async () => {},
): Promise<Scene> {
  const world = await startWorld();
  try {
    await prepareAgent(world.host);
    await prepare(world.host);
    return sceneOf(world, await startGateway(world.host, wanted));
  } catch (error) {
    await world.stop();
    throw error;
  }
}

function sceneOf({ host, during, stop }: World, first: Gateway): Scene {
  let gateway = first;
  let scripts = 0;
  const ask = (message: string) => during(() => gateway.ask(message));
  const write = async (script: string) => {
    scripts += 1;
    const file = `/run/openclaw/script-${scripts}`;
    await host.shell(`cat >${file}`, { input: script });
    return `timeout ${COMMAND_LIMIT_S} bash ${file} 2>&1`;
  };
  return {
    host,
    stop,
    ask,
    gateway: () => gateway,
    checkProxy: (...args) => during(() => checkProxy(host, PROXY_URL, ...args)),
    command: async (script) => {
      const turn = await ask(`EXEC ${await write(script)}; printf '\\nended %d\\n' $?`);
      const [, code] = /^ended (\d+)$/m.exec(turn.value) ?? [];
      assert.ok(code !== undefined, `OpenClaw did not wait for the end: ${turn.value}`);
      return { ...turn, code: Number(code) };
    },
    direct: async (script) => {
      const line = await write(script);
      const { value, ...watched } = await during(() => host.run(asAgent(["bash", "-c", line])));
      return { ...watched, value: value.stdout, code: value.code ?? HUNG };
    },
    restart: async (wanted = {}) => {
      await gateway.stop();
      const started = await during(() => startGateway(host, wanted));
      gateway = started.value;
      return started;
    },
  };
}

/** Fails unless not one packet and not one question about a name reached the internet. */
export function assertNothingOf(name: string, { seen, packetsTo }: Watched<unknown>): void {
  const questions = seen.filter((one) => one.kind === "dns" && one.name === name);
  assert.deepEqual(questions, [], `asked for ${name}`);
  for (const address of ZONE[name] ?? []) assert.equal(packetsTo(address), 0, `${name} at ${address}`);
}

/** Fails unless nothing of what OpenClaw asks for on its own reached the internet. */
export function assertNothingOfOpenClaw(watched: Watched<unknown>): void {
  for (const name of OPENCLAW_NAMES) assertNothingOf(name, watched);
}
