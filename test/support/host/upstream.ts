import type { ChildProcess } from "node:child_process";
import type { Agent } from "./agent-client.ts";
import { startAgent } from "./agent-client.ts";
import type { Hammered, Outcome, Target } from "./agent-request.ts";
import { type Finished, type RunOptions, run, runOk, start } from "./command.ts";
import { ENVIRONMENT, type Namespace } from "./namespace.ts";

const CONNECT_DEADLINE_MS = 1_500;
const EXCHANGE_DEADLINE_MS = 1_500;

/** A connection that stays open in the upstream. */
export type Connection = {
  readonly outcome: Outcome;
  /** Sends a new text; "echoed" when it came back within the deadline. */
  readonly exchange: (deadlineMs?: number) => Promise<"echoed" | "timeout" | "reset">;
  readonly close: () => Promise<void>;
};

/** "The internet": a namespace in which every source address can be used. */
export type Upstream = {
  readonly connect: (target: Target, deadlineMs?: number) => Promise<Outcome>;
  readonly open: (target: Target) => Promise<Connection>;
  /** Connects to every target again and again until `stop`, which tells what became of the attempts. */
  readonly hammer: (targets: readonly Target[], everyMs?: number) => Promise<Hammer>;
  readonly run: (argv: readonly string[], options?: RunOptions) => Promise<Finished>;
  /** Starts a long-lived command there. It ends with the host. */
  readonly start: (argv: readonly string[]) => ChildProcess;
  /** Makes `address` usable as a source there (`connect` does it by itself). */
  readonly own: (address: string) => Promise<void>;
};

export type Hammer = { readonly stop: () => Promise<Readonly<Record<string, Hammered>>> };

/** Wires `eth0` of the namespace to a new namespace `upstream` and starts the helper in it. */
export async function startUpstream(namespace: Namespace, host4: string, host6: string): Promise<Upstream> {
  await runOk(namespace.inside(["sh", "-euc", wiring(host4, host6)]), { env: ENVIRONMENT });
  const inside = (argv: readonly string[]) => namespace.inside(argv, "upstream");
  const agent = startAgent(namespace, "upstream");
  const owned = new Map<string, Promise<void>>();
  const own = (address: string) => {
    const known = owned.get(address) ?? takeAddress(inside, address);
    owned.set(address, known);
    return known;
  };
  let key = 0;
  const ready = async (targets: readonly Target[]) => {
    for (const { from } of targets) if (from !== undefined) await own(from);
  };
  return {
    start: (argv) => start(inside(argv), { cwd: "/", env: ENVIRONMENT }),
    own,
    run: (argv, options = {}) =>
      run(inside(argv), { cwd: "/", ...options, env: { ...ENVIRONMENT, ...options.env } }),
    connect: async (target, deadlineMs = CONNECT_DEADLINE_MS) => {
      await ready([target]);
      return (await agent.ask({ do: "connect", ...target, deadlineMs })) as Outcome;
    },
    open: async (target) => {
      await ready([target]);
      key += 1;
      return open(agent, target, key);
    },
    hammer: async (targets, everyMs = 4) => {
      await ready(targets);
      await agent.ask({ do: "hammer-start", targets, everyMs });
      return { stop: async () => (await agent.ask({ do: "hammer-stop" })) as Record<string, Hammered> };
    },
  };
}

async function open(agent: Agent, target: Target, key: number): Promise<Connection> {
  const outcome = (await agent.ask({
    do: "open",
    ...target,
    key,
    deadlineMs: CONNECT_DEADLINE_MS,
  })) as Outcome;
  let sent = 0;
  return {
    outcome,
    exchange: async (deadlineMs = EXCHANGE_DEADLINE_MS) => {
      sent += 1;
      const text = `<${key}.${sent}>`;
      return (await agent.ask({ do: "exchange", key, text, deadlineMs })) as "echoed" | "timeout" | "reset";
    },
    close: async () => void (await agent.ask({ do: "close", key })),
  };
}

function wiring(host4: string, host6: string): string {
  const gateway4 = host4.replace(/\d+$/, "1");
  const gateway6 = host6.replace(/::\w+$/, "::1");
  return `
ip netns add upstream
ip link add eth0 type veth peer name u0 netns upstream
ip addr add ${host4}/24 dev eth0
ip -6 addr add ${host6}/64 dev eth0 nodad
ip link set eth0 up
ip -n upstream link set lo up
ip -n upstream addr add ${gateway4}/24 dev u0
ip -n upstream -6 addr add ${gateway6}/64 dev u0 nodad
ip -n upstream link set u0 up
ip route add default via ${gateway4}
ip -6 route add default via ${gateway6}
ip -n upstream route add default via ${host4}
ip -n upstream -6 route add default via ${host6}
`;
}

async function takeAddress(
  inside: (argv: readonly string[]) => readonly string[],
  address: string,
): Promise<void> {
  const six = address.includes(":");
  const size = six ? "/128" : "/32";
  await runOk(inside(["ip", "addr", "replace", address + size, "dev", "u0", ...(six ? ["nodad"] : [])]), {
    env: ENVIRONMENT,
  });
}
