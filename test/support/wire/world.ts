/**
 * The host that the packets meet: a few interfaces whose far end is this process, a default route each way,
 * a published container port, and a `probe` table that answers whatever got past the ruleset under test.
 * It changes the network namespace it runs in, so it refuses to run where real interfaces are.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { nftLoad } from "./nft.ts";
import { openTun, type Tun } from "./tun.ts";

export interface WorldInterface {
  readonly name: string;
  /** Addresses of the host on it; each is a host address (/32, /128). */
  readonly addresses: readonly string[];
  /** Single addresses that lie behind it (containers). */
  readonly behind?: readonly string[];
}

/** A container port that is published as Docker does it: DNAT in prerouting. */
export interface PublishedPort {
  readonly port: number;
  readonly address4: string;
  readonly address6: string;
  readonly containerPort: number;
}

export const WORLD_INTERFACES: readonly WorldInterface[] = [
  { name: "eth0", addresses: ["203.0.113.10", "2001:db8:113::10"] },
  { name: "lan0", addresses: ["192.168.77.1", "fd77::1"] },
  { name: "docker0", addresses: ["172.17.0.1", "fd17::1"], behind: ["172.17.0.2", "fd17::2"] },
];
export const PUBLISHED_PORTS: readonly PublishedPort[] = [
  { port: 8080, address4: "172.17.0.2", address6: "fd17::2", containerPort: 80 },
  { port: 8443, address4: "172.17.0.2", address6: "fd17::2", containerPort: 443 },
];

/** Returns the interfaces, up and with routes; the first one carries the default route. */
export function buildWorld(
  interfaces: readonly WorldInterface[] = WORLD_INTERFACES,
  published: readonly PublishedPort[] = PUBLISHED_PORTS,
): readonly Tun[] {
  const present = readdirSync("/proc/sys/net/ipv4/conf").filter(
    (name) => !["all", "default", "lo"].includes(name),
  );
  if (present.length > 0) throw new Error(`not a fresh network namespace: it has ${present.join(", ")}`);
  for (const [key, value] of SYSCTLS_BEFORE) writeSysctl(key, value);
  const tuns = interfaces.map((entry) => openTun(entry.name));
  const [first] = interfaces;
  if (first === undefined) throw new Error("a world needs an interface");
  const commands = ["link set lo up"];
  for (const { name, addresses, behind } of interfaces) {
    commands.push(`link set ${name} up txqueuelen 1000`);
    for (const address of addresses) commands.push(`address add ${hostPrefix(address)} dev ${name}`);
    for (const address of behind ?? []) commands.push(`route add ${hostPrefix(address)} dev ${name}`);
  }
  commands.push(`route add 0.0.0.0/0 dev ${first.name}`, `route add ::/0 dev ${first.name}`);
  execFileSync("ip", ["-batch", "-"], { input: `${commands.join("\n")}\n`, timeout: 10_000 });
  nftLoad(probeRuleset(published));
  // A protocol without ports has one connection a pair of addresses, which the next policy would find stamped.
  writeSysctl("netfilter/nf_conntrack_generic_timeout", "0");
  for (const tun of tuns) tun.drain();
  return tuns;
}

/**
 * LIMIT: the ICMP limits of a fresh namespace (50 at once, 1000 a second) would make a refusal look like a
 * drop. Connections are forgotten at once, so that thousands of probes do not fill the table.
 */
const SYSCTLS_BEFORE: readonly (readonly [string, string])[] = [
  ["ipv4/ip_forward", "1"],
  ["ipv6/conf/all/forwarding", "1"],
  ["ipv4/conf/all/rp_filter", "0"],
  ["ipv4/conf/default/rp_filter", "0"],
  ["ipv6/conf/all/accept_dad", "0"],
  ["ipv6/conf/default/accept_dad", "0"],
  ["ipv6/conf/default/accept_ra", "0"],
  ["ipv6/conf/default/router_solicitations", "0"],
  ["ipv6/conf/default/addr_gen_mode", "1"],
  ["ipv4/icmp_ratelimit", "0"],
  ["ipv4/icmp_ratemask", "0"],
  ["ipv4/icmp_msgs_per_sec", "100000000"],
  ["ipv4/icmp_msgs_burst", "100000000"],
  ["ipv6/icmp/ratelimit", "0"],
  ["ipv4/tcp_invalid_ratelimit", "0"],
];

/** A missing file is no error: some limits are per machine on older kernels. */
function writeSysctl(key: string, value: string): void {
  try {
    writeFileSync(`/proc/sys/net/${key}`, value);
  } catch {
    // Whether it mattered shows in the harness's own test: a burst of refusals must all be seen.
  }
}

function hostPrefix(address: string): string {
  return `${address}/${address.includes(":") ? 128 : 32}`;
}

/**
 * INVARIANT: nothing in here can stop or let through a packet before the ruleset under test has judged it:
 * DNAT comes after its prerouting chain, and the answers come in the last place of input and forward.
 */
function probeRuleset(published: readonly PublishedPort[]): string {
  const dnat = published.flatMap(({ port, address4, address6, containerPort }) => [
    `meta l4proto { tcp, udp } th dport ${port} dnat ip to ${address4}:${containerPort}`,
    `meta l4proto { tcp, udp } th dport ${port} dnat ip6 to [${address6}]:${containerPort}`,
  ]);
  return `table inet probe {
  chain publish {
    type nat hook prerouting priority dstnat; policy accept;
    ${dnat.map((rule) => `fib daddr type local ${rule}`).join("\n    ")}
  }
  chain input {
    type filter hook input priority 2000; policy accept;
    iifname "lo" tcp flags & rst == rst accept
    iifname "lo" icmp type destination-unreachable accept
    reject with icmpx type host-unreachable
  }
  chain forward {
    type filter hook forward priority 2000; policy accept;
    reject with icmpx type host-unreachable
  }
}
`;
}
