/** A host with an agent's user, a service of root's and a container, and peers in the internet that hold connections. */
import { type Host, startHost } from "../support/host/host.ts";
import { type SeawallOnHost, seawallOn } from "../support/host/seawall.ts";
import { TALKER, type Talker, talkerOf } from "./talker.ts";

export const AGENT_UID = 4242;
/** Two hosts of the internet, and what the agent's container is called by. */
export const PEER4 = "45.33.32.156";
export const OTHER4 = "198.51.100.7";
export const PEER6 = "2600::1";
export const CONTAINER4 = "172.30.0.2";
export const BRIDGE = "br-0123456789ab";
/** LIMIT: how long what is forbidden may live after the command has returned. */
export const CUT_MS = 1_000;
/** What a busy machine adds to it before a test fails. */
const BUSY_MS = 2_500;

export interface CutWorld {
  readonly host: Host;
  readonly seawall: SeawallOnHost;
  /** A process of the agent's user. */
  readonly agent: () => Talker;
  readonly root: Talker;
  readonly container: Talker;
  readonly internet: Talker;
  /** The mark of a connection from or to this port as the kernel has it now, or null when there is none. */
  readonly markOf: (port: number) => Promise<number | null>;
  readonly stop: () => Promise<void>;
}

export async function startCutWorld(): Promise<CutWorld> {
  const host = await startHost();
  try {
    await host.shell(SET_UP);
    for (const address of [PEER4, OTHER4, PEER6]) await host.upstream.own(address);
    const talker = [process.execPath, TALKER];
    const as = ["setpriv", `--reuid=${AGENT_UID}`, `--regid=${AGENT_UID}`, "--clear-groups"];
    return {
      host,
      seawall: seawallOn(host),
      agent: () => talkerOf(host.start([...as, ...talker])),
      root: talkerOf(host.start(talker)),
      container: talkerOf(host.start(["nsenter", "--net=/run/netns/cell", ...talker])),
      internet: talkerOf(host.upstream.start(talker)),
      markOf: (port) => markOf(host, port),
      stop: () => host.stop(),
    };
  } catch (error) {
    await host.stop();
    throw error;
  }
}

async function markOf(host: Host, port: number): Promise<number | null> {
  const found = await host.shell(`conntrack -L 2>/dev/null | grep -m1 'port=${port} ' || true`);
  const mark = /\bmark=(\d+)/.exec(found)?.[1];
  return mark === undefined ? null : Number(mark);
}

/**
 * Says how long after `fromMs` the last thing came to a talker, once nothing has for a second. Throws when it goes on.
 */
export async function lastHeardMs(talker: Talker, key: string, fromMs: number): Promise<number> {
  const untilMs = Date.now() + CUT_MS + BUSY_MS;
  for (;;) {
    const { silentMs } = await talker.state(key);
    if (silentMs > CUT_MS) return Math.max(0, Date.now() - silentMs - fromMs);
    if (Date.now() > untilMs) throw new Error(`${key} still hears something ${Date.now() - fromMs} ms after`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const SET_UP = `
echo 'openclaw:x:${AGENT_UID}:${AGENT_UID}::/run:/bin/sh' >>/etc/passwd
sysctl -qw net.ipv4.ip_forward=1
ip netns add cell
ip link add ${BRIDGE} type bridge
ip addr add 172.30.0.1/24 dev ${BRIDGE}
ip link set ${BRIDGE} up
ip link add vethcell type veth peer name eth0 netns cell
ip link set vethcell master ${BRIDGE} up
ip -n cell link set lo up
ip -n cell addr add ${CONTAINER4}/24 dev eth0
ip -n cell link set eth0 up
ip -n cell route add default via 172.30.0.1
ip -n upstream route add 172.30.0.0/24 via 203.0.113.10
`;
