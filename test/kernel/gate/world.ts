/** A host with Seawall on it, an internet around it that remembers what reached it, and users that try things. */
import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Finished } from "../../support/host/command.ts";
import { startDaemon } from "../../support/host/daemon.ts";
import { type Host, startHost } from "../../support/host/host.ts";
import { type SeawallOnHost, seawallOn } from "../../support/host/seawall.ts";
import { type Agent, agentOf } from "./agent.ts";
import { type Internet, startInternet } from "./internet.ts";
import { asker } from "./line-client.ts";
import { OWN_PUBLIC4, RESOLVER } from "./zone.ts";

export const AGENT_UID = 4242;
export const OTHER_UID = 4243;
/** In a user namespace of the agent's. */
export const AGENT_SUBUID = 100_123;
/** Where there is no user of that name; see src/core/compile/nftables/gate.ts. */
export const GATE_UID = 64_953;

const AGENT_SCRIPT = fileURLToPath(new URL("./in-namespace/agent.ts", import.meta.url));

export interface World extends Internet {
  readonly host: Host;
  readonly seawall: SeawallOnHost;
  /** Starts seawalld and waits until it reads the kernel's log. */
  readonly startDaemon: () => Promise<void>;
  /** What every daemon said so far. */
  readonly said: () => string;
  /** Sends a signal to the processes that are named; returns how many there were. */
  readonly signal: (
    name: "STOP" | "CONT" | "KILL" | "TERM",
    ...who: readonly ("gate" | "daemon")[]
  ) => Promise<number>;
  /** The process number of the gate on the host, or null. */
  readonly gatePid: () => Promise<number | null>;
  /** A process of this user that goes on for as long as the world. */
  readonly agent: (uid: number) => Agent;
  /** Runs a command as this user. */
  readonly as: (uid: number, argv: readonly string[]) => Promise<Finished>;
  /** What `seawall flows --json` says, the newest last. */
  readonly flows: () => Promise<readonly Flow[]>;
  readonly stop: () => Promise<void>;
}

export interface Flow {
  readonly verdict: string;
  readonly observed: boolean;
  readonly rule: string | null;
  readonly reason: string;
  readonly scope: string | null;
  readonly host: string | null;
  readonly destination: string;
  readonly destinationPort: number | null;
  readonly refusal: string | null;
}

/** Starts a world with a running daemon and no policy. `resolvers`: what its resolv.conf names. */
export async function startWorld(resolvers: readonly string[] = [RESOLVER]): Promise<World> {
  const host = await startHost();
  try {
    await host.shell(setUp(resolvers));
    const internet = await startInternet(host);
    const world = worldOf(host, internet);
    await world.startDaemon();
    return world;
  } catch (error) {
    await host.stop();
    throw error;
  }
}

function worldOf(host: Host, internet: Internet): World {
  const seawall = seawallOn(host);
  const agents = new Map<number, Agent>();
  const daemons: ChildProcess[] = [];
  let said = "";
  /** nsenter(1) stops itself when its child is stopped, and nobody but us wakes it. */
  const wake = (): void => {
    for (const daemon of daemons) daemon.kill("SIGCONT");
  };
  return {
    ...internet,
    host,
    seawall,
    said: () => said,
    startDaemon: async () => {
      const { child } = await startDaemon(host, (text) => {
        said += text;
      });
      daemons.push(child);
    },
    signal: async (name, ...who) => {
      const found = await pids(host, who);
      if (found.length > 0) await host.shell(`kill -${name} ${found.join(" ")} 2>/dev/null || true`);
      if (name === "CONT") wake();
      return found.length;
    },
    gatePid: async () => (await pids(host, ["gate"]))[0] ?? null,
    agent: (uid) => {
      const found =
        agents.get(uid) ?? agentOf(asker(host.start([...asUser(uid), process.execPath, AGENT_SCRIPT])));
      agents.set(uid, found);
      return found;
    },
    as: (uid, argv) => host.run([...asUser(uid), ...argv]),
    flows: async () => {
      const lines = (await seawall.ok("flows", "--json", "--limit", "5000")).split("\n");
      return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Flow);
    },
    stop: () => {
      wake();
      return host.stop();
    },
  };
}

const COMMAND_LINES = { gate: "[m]ain.ts gate --link", daemon: "[m]ain.ts daemon" } as const;

async function pids(host: Host, who: readonly ("gate" | "daemon")[]): Promise<number[]> {
  const pattern = who.map((one) => COMMAND_LINES[one]).join("|");
  const { stdout } = await host.run(["pgrep", "-f", pattern]);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map(Number);
}

function asUser(uid: number): string[] {
  return ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
}

function setUp(resolvers: readonly string[]): string {
  return `
printf 'nameserver %s\\n' ${resolvers.join(" ")} >/etc/resolv.conf
echo 'openclaw:x:${AGENT_UID}:${AGENT_UID}::/run/home/openclaw:/bin/sh' >>/etc/passwd
echo 'other:x:${OTHER_UID}:${OTHER_UID}::/:/bin/sh' >>/etc/passwd
echo 'openclaw:100000:65536' >>/etc/subuid
mkdir -p /run/home/openclaw
chown ${AGENT_UID} /run/home/openclaw
ip addr add ${OWN_PUBLIC4}/32 dev eth0
sysctl -qw net.ipv4.ping_group_range='0 2147483647'
`;
}
