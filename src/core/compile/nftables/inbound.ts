/**
 * Inbound is judged in prerouting at priority -150: after conntrack, before any DNAT, so that the port is the
 * one the world asked for, for services of the host and published container ports alike, IPv4 and IPv6.
 */
import { EMPTY_SET, EVERY_ADDRESS, subtractSet, unionSets } from "../../net/prefix-set.ts";
import { DHCP4, DHCP6 } from "../../policy/host-life.ts";
import { WORLD } from "../../policy/zone-word.ts";
import type { ResolvedInboundRule, ResolvedPolicy } from "../../policy/resolved.ts";
import { SCOPE_INBOUND } from "./mark.ts";
import { compilePlace, goTo, type PlacedRule } from "./place.ts";
import { type ConnectionTable, shareOfSource } from "./share.ts";
import type { Chain, NftObject } from "./ruleset.ts";
import { type Nft, nft, quoted } from "./text.ts";
import { type Place, placeTitle } from "./judged.ts";

/** Interfaces behind which containers and virtual machines live: what is forwarded there is inbound too. */
export const GUEST_INTERFACES: readonly string[] = [
  "docker*",
  "br-*",
  "veth*",
  "podman*",
  "cni*",
  "lxc*",
  "lxdbr*",
  "incusbr*",
  "virbr*",
  "vnet*",
  "tap*",
];

export interface CompiledZone {
  readonly objects: readonly NftObject[];
  readonly chains: readonly Chain[];
  /** Where a packet that enters by the zone goes. */
  readonly entry: string;
}

/** Returns the chains that judge what enters by one zone. */
export function compileZone(
  policy: ResolvedPolicy,
  zone: string,
  generation: number,
  networks: readonly string[] | null,
  table: ConnectionTable | null,
): CompiledZone {
  const place: Place = {
    direction: "inbound",
    generation,
    name: zone,
    scope: SCOPE_INBOUND,
    watching: policy.mode.inbound === "observe",
    // Zones are networks that the owner named: a load balancer in one may have as many connections as it likes.
    share: table === null || zone !== WORLD ? null : shareOfSource(table),
  };
  const compiled = compilePlace({
    place,
    guards: policy.guards
      .filter((guard) => guard.direction === "inbound" && guard.zones.includes(zone))
      .map((guard) => ({ guard, addresses: EVERY_ADDRESS })),
    rules: policy.inbound.map((rule) => placeRule(rule, zone)),
    denial: policy.denial.inbound,
    extra: [],
  });
  const title = placeTitle(place);
  const about = zone === WORLD ? "from the world" : `from zone ${zone}`;
  return {
    entry: title,
    objects: compiled.objects,
    chains: [
      ...compiled.chains,
      {
        name: `${title}/judge`,
        about: `${about}: guard > deny > allow > default`,
        rules: [...compiled.asks, goTo(compiled.fallback)],
      },
      {
        name: `${title}/icmp`,
        about: "host.ping, host.pmtu, host.nd",
        rules: [...icmpLife(), goTo(`${title}/judge`)],
      },
      {
        name: `${title}/guests`,
        about: "forwarded: to containers and machines here, or in transit",
        rules: guests(`${title}/judge`, networks),
      },
      { name: title, about, rules: arrivals(title) },
    ],
  };
}

function placeRule(rule: ResolvedInboundRule, zone: string): PlacedRule {
  const { services } = rule;
  if (rule.exceptZones.includes(zone)) return { rule, services, addresses: EMPTY_SET };
  const whole = rule.fromZones.includes(zone);
  const addresses = whole ? unionSets([subtractSet(EVERY_ADDRESS, rule.except), rule.from]) : rule.from;
  return { rule, services, addresses };
}

/** Host-life first, then by where the packet is going. */
function arrivals(title: string): Nft[] {
  return [
    nft`meta l4proto { icmp, ipv6-icmp } ${goTo(`${title}/icmp`)}`,
    nft`meta nfproto ipv4 udp sport ${DHCP4.serverPort} udp dport ${DHCP4.clientPort} accept comment "host.dhcp"`,
    nft`ip6 saddr fe80::/10 udp sport ${DHCP6.serverPort} udp dport ${DHCP6.clientPort} accept comment "host.dhcp"`,
    nft`fib daddr type unicast ${goTo(`${title}/guests`)}`,
    goTo(`${title}/judge`),
  ];
}

/**
 * Not to an address of this host: untouched in transit to another network, judged when it goes to a guest. Where
 * the host's interfaces are known, everything that is no network is a guest, also what appears later.
 */
function guests(judge: string, networks: readonly string[] | null): Nft[] {
  if (networks === null) {
    return [
      ...GUEST_INTERFACES.map((one) => nft`fib daddr oifname ${quoted(one)} ${goTo(judge)}`),
      nft`accept`,
    ];
  }
  return [...networks.map((one) => nft`fib daddr oifname ${quoted(one)} accept`), goTo(judge)];
}

function icmpLife(): Nft[] {
  return [
    nft`icmp type { echo-request, destination-unreachable, time-exceeded, parameter-problem } accept`,
    nft`icmpv6 type { echo-request, destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept`,
    nft`icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 accept`,
    nft`icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } accept`,
  ];
}
