import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { GATEWAY_PORT, GATEWAY_TOKEN, configuration } from "../../src/lab/openclaw/configuration.ts";
import { installOpenClaw } from "../../src/lab/openclaw/install.ts";
import { type Finished, describe } from "../support/host/command.ts";
import type { Host } from "../support/host/host.ts";
import { MODEL } from "./internet/zone.ts";

/** The account that the agent runs under. */
export const AGENT = "openclaw";
const AGENT_UID = 18_789;

/** 8 to 35 s on a machine that does nothing else. */
const READY_DEADLINE_MS = 180_000;
const TURN_DEADLINE_S = 120;
const CURL_GRACE_S = 5;
const CLI_DEADLINE_MS = 120_000;
const STOP_DEADLINE_MS = 30_000;
const POLL_MS = 250;
const LOG_KEPT_CHARACTERS = 40_000;
const HOME = `/run/home/${AGENT}`;
const PROGRAMS = "/run/openclaw";
const ENTRY = `${PROGRAMS}/node_modules/openclaw/openclaw.mjs`;
const PID_FILE = `${PROGRAMS}/gateway.pid`;
const URL_HERE = `http://127.0.0.1:${GATEWAY_PORT}`;

export type Gateway = {
  /** One turn of the agent: what it answers to this message. Throws when there is no answer. */
  readonly ask: (message: string) => Promise<string>;
  /** True while the gateway itself says that it is ready. */
  readonly isReady: () => Promise<boolean>;
  /** The last of what it printed. */
  readonly log: () => string;
  /** Ends it as its unit would, and waits until it has. */
  readonly stop: () => Promise<void>;
};

export type GatewayWanted = {
  /** `proxy.proxyUrl` of its configuration. */
  readonly proxyUrl?: string;
};

const COMPLETION = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1),
});

/** Makes the agent's account, and OpenClaw readable for it, on a host. Installs OpenClaw where it is missing. */
export async function prepareAgent(host: Host): Promise<void> {
  const modules = await installOpenClaw({ say: console.error });
  // A checkout or a Node below /root is closed to the agent, and it must not be opened for a test: it gets a view.
  await host.shell(`
echo '${AGENT}:x:${AGENT_UID}:${AGENT_UID}:agent:${HOME}:/bin/bash' >>/etc/passwd
echo '${AGENT}:x:${AGENT_UID}:' >>/etc/group
mkdir -p -m 755 ${PROGRAMS} ${PROGRAMS}/node_modules ${PROGRAMS}/bin
touch ${PROGRAMS}/bin/node
mount --bind '${modules}' ${PROGRAMS}/node_modules
mount -o remount,ro,bind ${PROGRAMS}/node_modules
mount --bind '${process.execPath}' ${PROGRAMS}/bin/node
install -d -m 700 -o ${AGENT_UID} -g ${AGENT_UID} ${HOME} ${HOME}/.openclaw
`);
}

/** Starts the gateway under the agent's account and waits until it is ready; throws with its log when it is not. */
export async function startGateway(host: Host, wanted: GatewayWanted = {}): Promise<Gateway> {
  const file = `${HOME}/.openclaw/openclaw.json`;
  await host.shell(`cat >${file}; chown ${AGENT_UID}:${AGENT_UID} ${file}; chmod 600 ${file}`, {
    input: JSON.stringify(configuration({ modelUrl: `https://${MODEL}/v1`, ...wanted }), null, 2),
  });
  const run = asAgent([`${PROGRAMS}/bin/node`, ENTRY, "gateway", "run"]);
  // All of these replace themselves, so the shell's number is the gateway's.
  const child = host.start(["sh", "-euc", `echo $$ >${PID_FILE}; exec "$@"`, "sh", ...run]);
  child.stdin?.end();
  const log = lastWords(child);
  const gateway: Gateway = {
    ask: (message) => ask(host, message),
    isReady: () => isReady(host),
    log,
    stop: () => stop(host, child),
  };
  const limit = Date.now() + READY_DEADLINE_MS;
  while (!(await gateway.isReady())) {
    if (child.exitCode === null && Date.now() < limit) {
      await sleep(POLL_MS);
      continue;
    }
    child.kill("SIGKILL");
    throw new Error(`the gateway is not ready (exit ${child.exitCode}):\n${log()}`);
  }
  return gateway;
}

/** Runs `openclaw ARGS` as the agent's account. */
export function openclaw(host: Host, ...args: readonly string[]): Promise<Finished> {
  return host.run(asAgent([`${PROGRAMS}/bin/node`, ENTRY, ...args]), { deadlineMs: CLI_DEADLINE_MS });
}

/** Wraps a command so that the agent's account runs it, in a /tmp of its own: OpenClaw keeps locks and logs there. */
export function asAgent(argv: readonly string[]): readonly string[] {
  const variables = [
    `HOME=${HOME}`,
    `USER=${AGENT}`,
    `LOGNAME=${AGENT}`,
    `PATH=${PROGRAMS}/bin:/usr/local/bin:/usr/bin:/bin`,
    "LC_ALL=C.UTF-8",
    "NODE_EXTRA_CA_CERTS=/run/tls/ca.pem",
    // Without this it starts itself a second time and the first one is what a signal reaches.
    "OPENCLAW_NO_RESPAWN=1",
  ];
  const own = 'mount -t tmpfs -o mode=1777 tmpfs /tmp; exec "$@"';
  const user = ["setpriv", "--reuid", AGENT, "--regid", AGENT, "--clear-groups", "--"];
  return ["unshare", "--mount", "sh", "-euc", own, "sh", ...user, "env", "-i", ...variables, ...argv];
}

async function ask(host: Host, message: string): Promise<string> {
  const body = { model: "openclaw", messages: [{ role: "user", content: message }] };
  const headers = ["-H", `Authorization: Bearer ${GATEWAY_TOKEN}`, "-H", "Content-Type: application/json"];
  const request = ["--max-time", String(TURN_DEADLINE_S), "--data-binary", "@-", ...headers];
  const result = await host.run(["curl", "-sS", ...request, `${URL_HERE}/v1/chat/completions`], {
    input: JSON.stringify(body),
    deadlineMs: (TURN_DEADLINE_S + CURL_GRACE_S) * 1_000,
  });
  const answer = COMPLETION.safeParse(parsed(result.stdout));
  const first = answer.data?.choices[0];
  if (result.code === 0 && first !== undefined) return first.message.content;
  throw new Error(`the agent did not answer \`${message}\`: ${describe(result)}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function isReady(host: Host): Promise<boolean> {
  return (
    (await host.run(["curl", "-fsS", "--max-time", "2", "-o", "/dev/null", `${URL_HERE}/readyz`])).code === 0
  );
}

async function stop(host: Host, child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  // The child is the nsenter that waits for it.
  await host.shell(`kill -TERM "$(cat ${PID_FILE})"`);
  const late = setTimeout(() => child.kill("SIGKILL"), STOP_DEADLINE_MS);
  await ended;
  clearTimeout(late);
}

function lastWords(child: ChildProcess): () => string {
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-LOG_KEPT_CHARACTERS);
    });
  }
  return () => said;
}
