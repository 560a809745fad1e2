/** A host with UFW and, when wanted, dockerd: agents live in containers and namespaces of their own. */
import { fileURLToPath } from "node:url";
import { startDaemon } from "../../support/host/daemon.ts";
import { type Host, startHost } from "../../support/host/host.ts";
import { type SeawallOnHost, seawallOn } from "../../support/host/seawall.ts";
import { type Agent, agentOf } from "./agent.ts";
import { type Internet, startInternet } from "./internet.ts";
import { asker } from "./line-client.ts";
import type { Flow } from "./world.ts";
import { RESOLVER } from "./zone.ts";

const RUN_DEADLINE_MS = 30_000;
/** What an agent runs. */
export const AGENT_SCRIPT = fileURLToPath(new URL("./in-namespace/agent.ts", import.meta.url));
const FORWARDER_SCRIPT = fileURLToPath(new URL("./scope-forwarder.ts", import.meta.url));
/** As systemd-resolved has it. */
export const LOCAL_RESOLVER = "127.0.0.53";

export interface ScopeWorld extends Internet {
  readonly host: Host;
  readonly seawall: SeawallOnHost;
  readonly said: () => string;
  /** Starts a container that waits, or runs `command`; options are docker's own. */
  readonly container: (
    name: string,
    network: string,
    options?: readonly string[],
    command?: string,
  ) => Promise<void>;
  /** A new process in the network of a running container. */
  readonly inContainer: (name: string) => Promise<Agent>;
  /** A new process in a namespace of ip-netns(8). */
  readonly inNamespace: (name: string) => Agent;
  /** The host asks a resolver on its own loopback from now on, or the one outside. */
  readonly resolveBy: (address: string) => Promise<void>;
  readonly flows: () => Promise<readonly Flow[]>;
  /** The first command that an apply which is refused says would help. Throws when it is not refused. */
  readonly refusedApply: (policy: string) => Promise<{ readonly text: string; readonly help: string }>;
  readonly stop: () => Promise<void>;
}

/** Starts a world with a running daemon, UFW on, and no policy. */
export async function startScopeWorld(wanted: { readonly docker: boolean }): Promise<ScopeWorld> {
  const docker = wanted.docker ? { docker: { containers: [], ipv6: true } } : {};
  const host = await startHost({ ufw: ["allow 22/tcp"], ...docker });
  try {
    await host.shell(SET_UP);
    const internet = await startInternet(host);
    const { said } = await startDaemon(host);
    return { ...internet, ...worldOf(host), said };
  } catch (error) {
    await host.stop();
    throw error;
  }
}

function worldOf(host: Host): Omit<ScopeWorld, keyof Internet | "said"> {
  const seawall = seawallOn(host);
  const inNet = (path: string): Agent =>
    agentOf(asker(host.start(["nsenter", `--net=${path}`, process.execPath, AGENT_SCRIPT])));
  return {
    host,
    seawall,
    container: async (name, network, options = [], command = "exec /bin/busybox sleep 100000") => {
      const words = ["--name", name, "--network", network, "--stop-signal", "KILL", ...options];
      const shell = ["/bin/busybox", "sh", "-c", command];
      const argv = ["docker", "run", "-d", ...words, "tiny", ...shell];
      const result = await host.run(argv, { deadlineMs: RUN_DEADLINE_MS });
      if (result.code !== 0) throw new Error(`${argv.join(" ")}: ${result.stderr}`);
    },
    inContainer: async (name) => {
      const pid = await host.shell(`docker inspect -f '{{.State.Pid}}' ${name}`);
      return inNet(`/proc/${pid.trim()}/ns/net`);
    },
    inNamespace: (name) => inNet(`/run/netns/${name}`),
    resolveBy: (address) =>
      host.shell(`echo 'nameserver ${address}' >/etc/resolv.conf`).then(() => undefined),
    flows: async () => {
      const lines = (await seawall.ok("flows", "--json", "--limit", "5000")).split("\n");
      return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Flow);
    },
    refusedApply: async (text) => {
      const result = await seawall.run("apply", await seawall.policy(text));
      if (result.code === 0) throw new Error(`apply was not refused: ${result.stdout}`);
      const help = /^\s*try: (.*?)(?: \(.*)?$/m.exec(result.stderr)?.[1];
      return { text: result.stderr, help: help ?? "" };
    },
    stop: () => host.stop(),
  };
}

/** Starts what resolves for the host on its loopback, as systemd-resolved does. */
export async function startLocalResolver(host: Host): Promise<void> {
  const child = host.start([process.execPath, FORWARDER_SCRIPT, LOCAL_RESOLVER, RESOLVER]);
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once("data", () => resolve());
    child.once("close", () => reject(new Error("the local resolver did not start")));
  });
}

const SET_UP = `
echo 'nameserver ${RESOLVER}' >/etc/resolv.conf
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.ping_group_range='0 2147483647'
`;
