/** The packets worth sending for a policy: both sides of every boundary it draws, and a few fixed ones. */
import type { Flow, FlowProtocol } from "../../src/core/net/flow.ts";
import { formatIp, IP4_MAX, IP6_MAX, type Ip, parseIp } from "../../src/core/net/ip.ts";
import { parsePrefix, prefixEnd } from "../../src/core/net/prefix.ts";
import { type DrawnRule, OTHER_UID, type DrawnPolicy } from "../support/random-policy.ts";
import { type SeededRandom, seededRandom } from "../support/seeded-random.ts";
import type { WireProtocol } from "../support/wire/packet.ts";
import { isDestination, isLoopback, isSource } from "./address.ts";

/** One packet to send, and the flow that it is; null where no policy judges it, so that it must pass. */
export interface Atom {
  readonly direction: "inbound" | "outbound";
  /** Inbound: the source. Outbound: the destination. */
  readonly address: Ip;
  readonly protocol: WireProtocol;
  readonly port: number;
  readonly destination: Ip;
  readonly from: AtomFrom;
  /** Inbound: a source port that matters, else null for a new one. */
  readonly fromPort: number | null;
  readonly withOptions: boolean;
  readonly flow: Flow | null;
}

/** Where a packet comes from: an interface, or a user of this host. */
export type AtomFrom =
  | { readonly kind: "interface"; readonly interface: string; readonly source: Ip }
  | { readonly kind: "user"; readonly uid: number };

const FIXED_PORTS = [22, 53, 80, 443, 2375, 8080, 8443, 9222, 18_789, 18_900, 1, 65_535] as const;
/** Answers of an address server, and what only looks like them. */
const DHCP_PORTS = [
  [67, 68],
  [67, 69],
  [68, 68],
  [547, 546],
] as const;
const FIXED_SOURCES = ["9.9.9.9", "2620:fe::9", "192.168.77.50", "fd77::50", "172.17.0.9"] as const;
const FIXED_DESTINATIONS = [
  "9.9.9.9",
  "2620:fe::9",
  "10.1.2.3",
  "fd12::1",
  "203.0.113.10",
  "2001:db8:113::10",
  "127.0.0.1",
  "::1",
  "172.17.0.2",
  "169.254.169.254",
  "169.254.7.7",
  "100.100.100.200",
  "fd00:ec2::254",
  "64:ff9b::a9fe:a9fe",
  "2002:a9fe:a9fe::1",
] as const;

/** What an interface's packets go to: the host's own addresses, a container, or somewhere beyond. */
const OWN = { eth0: ["203.0.113.10", "2001:db8:113::10"], lan0: ["192.168.77.1", "fd77::1"] } as const;
const CONTAINER = ["172.17.0.2", "fd17::2"] as const;
const BEYOND = ["9.9.9.1", "2620:fe::1"] as const;
/** LIMIT: combinations of one rule before a sample of them is taken. */
const RULE_ATOMS_MAX = 300;

/** Returns at most `count` packets, the same for a seed. */
export function atomsOf(policy: DrawnPolicy, count: number): Atom[] {
  const random = seededRandom(policy.seed * 2 + 1);
  const draft = new Drafts(policy, random);
  for (const rule of policy.rules) draft.rule(rule);
  draft.fixed();
  draft.across(count - draft.atoms.length);
  return random.sample(draft.atoms, count);
}

class Drafts {
  readonly atoms: Atom[] = [];
  readonly policy: DrawnPolicy;
  readonly random: SeededRandom;

  constructor(policy: DrawnPolicy, random: SeededRandom) {
    this.policy = policy;
    this.random = random;
  }

  /** Every end of the rule's prefixes with every end of its ports. */
  rule(rule: DrawnRule): void {
    const fixed = rule.direction === "inbound" ? FIXED_SOURCES : FIXED_DESTINATIONS;
    const addresses = edgesOf(rule.prefixes);
    if (addresses.length === 0) addresses.push(...fixed.slice(0, 4).map(ipOf));
    const ports = portEdges(rule);
    const pairs = addresses.flatMap((address) => ports.map((port) => ({ address, port })));
    for (const { address, port } of this.random.sample(pairs, RULE_ATOMS_MAX)) {
      this.add(rule.direction, address, "tcp", port);
      this.add(rule.direction, address, "udp", port);
    }
    for (const address of addresses) this.portless(rule.direction, address, ports);
  }

  portless(direction: Atom["direction"], address: Ip, ports: readonly number[]): void {
    const port = this.random.pick(ports);
    for (const protocol of ["icmp", "sctp", "plain"] as const) this.add(direction, address, protocol, port);
  }

  fixed(): void {
    for (const [fromPort, port] of DHCP_PORTS) {
      for (const source of FIXED_SOURCES) this.inbound(ipOf(source), "udp", port, fromPort);
    }
    for (const port of FIXED_PORTS) {
      for (const protocol of ["tcp", "udp", "sctp"] as const) {
        for (const source of FIXED_SOURCES) this.add("inbound", ipOf(source), protocol, port);
        for (const destination of FIXED_DESTINATIONS) this.add("outbound", ipOf(destination), protocol, port);
      }
    }
  }

  /** Some packets have a longer header: a rule must not read the ports at a fixed place. */
  withOptions(protocol: WireProtocol): boolean {
    return (protocol === "tcp" || protocol === "udp") && this.random.once(10);
  }

  /** Boundaries of one rule met with those of another. */
  across(count: number): void {
    for (const direction of ["inbound", "outbound"] as const) {
      const rules = this.policy.rules.filter((rule) => rule.direction === direction);
      const addresses = edgesOf(rules.flatMap((rule) => rule.prefixes));
      const ports = rules.flatMap(portEdges);
      if (addresses.length === 0 || ports.length === 0) continue;
      for (let at = 0; at < count / 2; at += 1) {
        const protocol = this.random.pick(["tcp", "tcp", "udp", "udp", "sctp"] as const);
        this.add(direction, this.random.pick(addresses), protocol, this.random.pick(ports));
      }
    }
  }

  add(direction: Atom["direction"], address: Ip, protocol: WireProtocol, port: number): void {
    if (direction === "inbound") this.inbound(address, protocol, port);
    else this.outbound(address, protocol, port);
  }

  inbound(from: Ip, protocol: WireProtocol, port: number, fromPort: number | null = null): void {
    if (!isSource(from)) return;
    const { random, policy } = this;
    // What a container sends is outbound where a scope names its network.
    const docker = policy.scopes.has("crate") ? "eth0" : "docker0";
    const entry = random.pick(["eth0", "eth0", "eth0", "lan0", "lan0", docker]);
    const own = entry === "lan0" ? OWN.lan0 : OWN.eth0;
    const [target, isJudged] = random.pick([
      ...Array.from({ length: 8 }, () => [own, true] as const),
      [CONTAINER, true] as const,
      [BEYOND, false] as const,
    ]);
    const zone = policy.zones.get(entry) ?? entry;
    const flow: Flow = { direction: "inbound", from, zone, ...serviceOf(protocol, port), fromPort };
    this.atoms.push({
      direction: "inbound",
      address: from,
      protocol,
      port,
      destination: ipOf(target[from.family === 4 ? 0 : 1]),
      from: { kind: "interface", interface: entry, source: from },
      fromPort,
      withOptions: this.withOptions(protocol),
      flow: isJudged ? flow : null,
    });
  }

  /** Undefined where the packet could not be sent: a container has its own loopback and is not its own peer. */
  sender(scope: string, to: Ip): AtomFrom | undefined {
    const owner = this.policy.scopes.get(scope);
    if (owner?.kind !== "interface") return { kind: "user", uid: owner?.uid ?? OTHER_UID };
    const source = ipOf(CONTAINER[to.family === 4 ? 0 : 1]);
    if (isLoopback(to) || to.value === source.value) return undefined;
    return { kind: "interface", interface: owner.interface, source };
  }

  outbound(to: Ip, protocol: WireProtocol, port: number): void {
    if (!isDestination(to)) return;
    const scopes = [...this.policy.scopes.keys()];
    const scope = this.random.once(25) ? "" : this.random.pick(scopes);
    const from = this.sender(scope, to);
    if (from === undefined) return;
    const flow: Flow = {
      direction: "outbound",
      scope,
      host: null,
      address: to,
      ...serviceOf(protocol, port),
    };
    this.atoms.push({
      direction: "outbound",
      address: to,
      protocol,
      port,
      destination: to,
      from,
      fromPort: null,
      withOptions: this.withOptions(protocol),
      flow: scope === "" ? null : flow,
    });
  }
}

function serviceOf(protocol: WireProtocol, port: number): { protocol: FlowProtocol; port: number } {
  if (protocol === "tcp" || protocol === "udp") return { protocol, port };
  return { protocol: protocol === "icmp" ? "icmp" : "other", port: 0 };
}

/** One before, the first, the last and one after, of each prefix. */
function edgesOf(prefixes: readonly string[]): Ip[] {
  const edges = new Map<string, Ip>();
  for (const text of prefixes) {
    const parsed = parsePrefix(text);
    if (!parsed.ok) throw new Error(`not a prefix: ${text}`);
    const first = parsed.prefix.base;
    const last = prefixEnd(parsed.prefix);
    for (const ip of [step(first, -1), first, last, step(last, 1)]) {
      if (ip !== undefined) edges.set(formatIp(ip), ip);
    }
  }
  return [...edges.values()];
}

function step(ip: Ip, by: 1 | -1): Ip | undefined {
  if (ip.family === 4) {
    const value = ip.value + by;
    return value < 0 || value > IP4_MAX ? undefined : { family: 4, value };
  }
  const value = ip.value + BigInt(by);
  return value < 0n || value > IP6_MAX ? undefined : { family: 6, value };
}

function portEdges(rule: DrawnRule): number[] {
  const ports = new Set<number>();
  for (const { first, last } of rule.ports) {
    for (const port of [first - 1, first, last, last + 1]) if (port >= 1 && port <= 65_535) ports.add(port);
  }
  if (ports.size === 0) for (const port of FIXED_PORTS) ports.add(port);
  return [...ports];
}

function ipOf(text: string): Ip {
  const ip = parseIp(text);
  if (ip === undefined) throw new Error(`not an address: ${text}`);
  return ip;
}
