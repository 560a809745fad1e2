/** The world: a host, an internet and a container, in namespaces that end with this process. */
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import { SeawallError } from "../core/base/error.ts";
import { runSync } from "../edge/host/command.ts";
import {
  AGENT_UID,
  BRIDGE4,
  BRIDGE6,
  CDN,
  CONTAINER4,
  CONTAINER6,
  GATEWAY4,
  GATEWAY6,
  HOST4,
  HOST6,
  OPENCLAW_ZONE,
  OTHER_UID,
  PASTE,
  PORT,
  SITE,
  SUBNET4,
  SUBNET6,
  UPSTREAM,
} from "./address.ts";
import { type Player, startPlayer } from "./player.ts";

export interface World {
  /** Root on the host. */
  readonly host: Player;
  /** Root on the host, as its SSH server: what runs is where the host's package keeps that. */
  readonly sshd: Player;
  readonly agent: Player;
  /** Another user of the host. */
  readonly other: Player;
  /** Any address that is not the host's. */
  readonly internet: Player;
  readonly container: Player;
  /** Who listens on the port of OpenClaw's gateway: the agent, or one that makes place for the real gateway. */
  readonly gateway: Player;
}

export interface WorldWanted {
  /** The real OpenClaw comes to live in it. */
  readonly openclaw: boolean;
}

/** LIMIT: what is written in the world, in memory: logs and policies, and with OpenClaw its home. */
const RUN_SIZE = { plain: "512m", openclaw: "1280m" } as const;

/** Builds it. Must run as the first process of new network, mount and process namespaces. */
export async function buildWorld({ openclaw }: WorldWanted): Promise<World> {
  const size = openclaw ? RUN_SIZE.openclaw : RUN_SIZE.plain;
  ok("mount", ["-t", "tmpfs", "-o", `mode=755,size=${size}`, "seawall-lab", "/run"]);
  mkdirSync("/run/lab", { mode: 0o755 });
  ok("ip", ["link", "set", "lo", "up"]);
  for (const [name, value] of Object.entries(HOST_SYSCTLS)) writeFileSync(`/proc/sys/${name}`, value);
  placeSshd();
  const [host, sshd, agent, other, internet, container] = await Promise.all([
    startPlayer({ firstPort: 20_000 }),
    startPlayer({ firstPort: 30_000, program: SSHD }),
    startPlayer({ firstPort: 21_000, uid: AGENT_UID }),
    startPlayer({ firstPort: 22_000, uid: OTHER_UID }),
    startPlayer({ firstPort: 24_000, apart: true }),
    startPlayer({ firstPort: 26_000, apart: true }),
  ]);
  await internet.ask({ do: "sysctl", values: INTERNET_SYSCTLS });
  await container.ask({ do: "sysctl", values: { "net/ipv6/conf/default/accept_dad": "0" } });
  wireInternet(internet.pid);
  wireContainer(container.pid);
  const gateway = openclaw ? await startPlayer({ firstPort: 28_000, uid: AGENT_UID }) : agent;
  const world = { host, sshd, agent, other, internet, container, gateway };
  await openServices(world);
  return world;
}

const SSHD = "/usr/sbin/sshd";

/**
 * The host's SSH is known by its file, not by its name, so the world has one there: a copy of this Node that plays
 * it, over the real folder and seen by this world alone.
 */
function placeSshd(): void {
  for (const layer of ["sbin", "sbin/upper", "sbin/work"]) mkdirSync(`/run/lab/${layer}`, { mode: 0o755 });
  const layers = "lowerdir=/usr/sbin,upperdir=/run/lab/sbin/upper,workdir=/run/lab/sbin/work";
  ok("mount", ["-t", "overlay", "-o", layers, "seawall-lab", "/usr/sbin"]);
  copyFileSync(process.execPath, SSHD);
  chmodSync(SSHD, 0o755);
}

const HOST_SYSCTLS = {
  "net/ipv4/ip_forward": "1",
  "net/ipv6/conf/all/forwarding": "1",
  "net/ipv6/conf/default/accept_dad": "0",
  // A refusal by ICMP must not be held back: each probe needs its own.
  "net/ipv4/icmp_ratemask": "0",
  "net/ipv6/icmp/ratemask": "",
  // A sender that exits leaves all it has to say with the kernel.
  "net/ipv4/tcp_wmem": "4096 262144 4194304",
  "net/ipv4/ping_group_range": "0 2147483647",
};

const INTERNET_SYSCTLS = {
  "net/ipv6/conf/default/accept_dad": "0",
  "net/ipv4/ip_nonlocal_bind": "1",
  "net/ipv6/ip_nonlocal_bind": "1",
  "net/ipv4/icmp_ratemask": "0",
  // A reader that does not read leaves the sender with something to keep.
  "net/ipv4/tcp_rmem": "4096 16384 65536",
};

/** Every address that is not the host's is the internet's own: it can send from it and answers at it. */
function wireInternet(pid: number): void {
  batch([
    `link add eth0 address ${MAC.host} type veth peer name eth0 address ${MAC.internet} netns ${pid}`,
    `addr add ${HOST4}/24 dev eth0`,
    `addr add ${HOST6}/64 dev eth0 nodad`,
    "link set eth0 up",
    ...neighbours([GATEWAY4, GATEWAY6], MAC.internet, "eth0"),
  ]);
  batch(
    [
      "link set lo up",
      `addr add ${GATEWAY4}/24 dev eth0`,
      `addr add ${GATEWAY6}/64 dev eth0 nodad`,
      "link set eth0 up",
      ...neighbours([HOST4, HOST6], MAC.host, "eth0"),
      `route add ${SUBNET4} via ${HOST4}`,
      `route add ${SUBNET6} via ${HOST6}`,
    ],
    pid,
  );
  batch(anywhere([`${HOST4}/32`, SUBNET4], "0.0.0.0/0"), pid, "-4");
  batch(anywhere([`${HOST6}/128`, SUBNET6, "fe80::/10"], "::/0"), pid, "-6");
  batch([`route add default via ${GATEWAY4}`, `route add default via ${GATEWAY6}`]);
}

/** Neighbours are written down: looking for them takes seconds on a link that is just up. */
const MAC = {
  host: "02:00:00:00:00:01",
  internet: "02:00:00:00:00:02",
  bridge: "02:00:00:00:00:03",
  container: "02:00:00:00:00:04",
} as const;

function neighbours(addresses: readonly string[], mac: string, device: string): string[] {
  return addresses.map((address) => `neigh replace ${address} lladdr ${mac} dev ${device} nud permanent`);
}

/** All addresses are local, apart from those of the host and its containers. */
function anywhere(others: readonly string[], all: string): string[] {
  return [
    ...others.map((prefix) => `rule add pref 5 to ${prefix} lookup main`),
    "rule add pref 10 lookup local",
    "rule del pref 0",
    `route add local ${all} dev lo table local`,
  ];
}

/** A container as dockerd wires it: a bridge, and rules of Docker's own that publish its port. */
function wireContainer(pid: number): void {
  batch([
    `link add docker0 address ${MAC.bridge} type bridge`,
    `addr add ${BRIDGE4}/16 dev docker0`,
    `addr add ${BRIDGE6}/64 dev docker0 nodad`,
    "link set docker0 up",
    `link add veth-shop type veth peer name eth0 address ${MAC.container} netns ${pid}`,
    "link set veth-shop master docker0 up",
    ...neighbours([CONTAINER4, CONTAINER6], MAC.container, "docker0"),
  ]);
  batch(
    [
      "link set lo up",
      `addr add ${CONTAINER4}/16 dev eth0`,
      `addr add ${CONTAINER6}/64 dev eth0 nodad`,
      "link set eth0 up",
      ...neighbours([BRIDGE4, BRIDGE6], MAC.bridge, "eth0"),
      `route add default via ${BRIDGE4}`,
      `route add default via ${BRIDGE6}`,
    ],
    pid,
  );
  const rules = [
    dockerRules("ip", CONTAINER4, CONTAINER4),
    dockerRules("ip6", CONTAINER6, `[${CONTAINER6}]`),
  ];
  ok("nft", ["-f", "-"], rules.join("\n"));
}

/** The rules of dockerd 20 to 27 for `docker run -p 8080:80`, as native nftables. */
function dockerRules(family: "ip" | "ip6", address: string, target: string): string {
  const subnet = family === "ip" ? SUBNET4 : SUBNET6;
  return `table ${family} nat {
  chain PREROUTING { type nat hook prerouting priority dstnat; fib daddr type local jump DOCKER; }
  chain POSTROUTING { type nat hook postrouting priority srcnat; ${family} saddr ${subnet} oifname != "docker0" masquerade; }
  chain DOCKER { iifname != "docker0" tcp dport ${PORT.published} dnat to ${target}:${PORT.container}; }
}
table ${family} filter {
  chain FORWARD {
    type filter hook forward priority filter; policy drop;
    oifname "docker0" ct state related,established accept
    oifname "docker0" jump DOCKER
    iifname "docker0" oifname != "docker0" accept
  }
  chain DOCKER { ${family} daddr ${address} iifname != "docker0" oifname "docker0" tcp dport ${PORT.container} accept; }
}
`;
}

async function openServices({ host, sshd, agent, internet, container, gateway }: World): Promise<void> {
  const { ssh, https, dockerApi, panel, rated, silent, database, candidate, telemetry, slow } = PORT;
  await Promise.all([
    // Bound to every address on purpose: this is the mistake that the world is full of.
    gateway.ask({ do: "listen", name: "gateway", tcp: [PORT.gateway], udp: [] }),
    agent.ask({ do: "listen", name: "panel", tcp: [panel], udp: [] }),
    sshd.ask({ do: "listen", name: "ssh", tcp: [ssh], udp: [] }),
    host.ask({ do: "listen", name: "web", tcp: [https, rated, candidate], udp: [] }),
    host.ask({ do: "listen", name: "host", tcp: [dockerApi, silent], udp: [telemetry, telemetry + 1] }),
    host.ask({ do: "listen", name: "database", tcp: [database], udp: [] }),
    internet.ask({ do: "listen", name: "internet", tcp: [53, 80, 443, 853], udp: [53, 443] }),
    internet.ask({ do: "stall", port: slow }),
    internet.ask({
      do: "web",
      resolver: UPSTREAM,
      zone: {
        [SITE.listed]: CDN,
        [SITE.neighbour]: CDN,
        [SITE.below]: CDN,
        [SITE.unlisted]: PASTE,
        [SITE.inside]: ["10.1.2.3"],
        ...OPENCLAW_ZONE,
      },
    }),
    container.ask({ do: "listen", name: "shop", tcp: [PORT.container], udp: [] }),
  ]);
}

function batch(lines: readonly string[], pid?: number, family: "" | "-4" | "-6" = ""): void {
  const words = ["ip", ...(family === "" ? [] : [family]), "-batch", "-"];
  const input = `${lines.join("\n")}\n`;
  const [program = "", ...args] =
    pid === undefined ? words : ["nsenter", `--net=/proc/${pid}/ns/net`, ...words];
  ok(program, args, input);
}

function ok(program: string, args: readonly string[], input?: string): void {
  const result = runSync(program, args, input === undefined ? {} : { input });
  if (result.status === 0) return;
  throw new SeawallError("SEAWALL_LAB", `the lab cannot be built here: ${program}: ${result.stderr.trim()}`, {
    still: "nothing of this machine was changed",
  });
}
