/** The forged packets, each aimed at something that the policy of the test denies. */
import {
  ACK,
  address,
  type Ends,
  extended,
  FIN,
  fragment,
  fragments,
  icmp,
  type Layer4,
  packet,
  plain,
  PSH,
  RST,
  SYN,
  tcp,
  udp,
  URG,
  withOptions,
} from "./craft.ts";

export interface Forgery {
  readonly name: string;
  /** The kernel itself lets it through when nobody filters. */
  readonly passesAlone: boolean;
  readonly packets: (index: number) => readonly Buffer[];
}

export const DENIED_PORT = 9000;
export const ALLOWED_PORT = 22;
const HOST4 = "203.0.113.10";
const HOST6 = "2001:db8:113::10";
const GUEST4 = "172.17.0.2";
const GUEST6 = "fd17::2";

const world4 = (index: number): string => `198.51.100.${(index % 250) + 1}`;
const world6 = (index: number): string => `2600:${(index + 1).toString(16)}::1`;

interface Shape {
  readonly name: string;
  readonly layer4: Layer4;
}

const scan = (name: string, flags: number, text = ""): Shape => ({
  name,
  layer4: tcp({ from: 40_000, to: DENIED_PORT, flags, acknowledged: flags & ACK ? 7 : 0, text }),
});
const SCANS: readonly Shape[] = [
  scan("SYN", SYN),
  scan("SYN with data", SYN, "GET / HTTP/1.0\r\n\r\n"),
  scan("ACK", ACK),
  scan("ACK with data", ACK | PSH, "id\n"),
  scan("SYN+ACK", SYN | ACK),
  scan("FIN", FIN),
  scan("FIN+ACK", FIN | ACK),
  scan("RST", RST),
  scan("NULL", 0),
  scan("XMAS", FIN | PSH | URG),
  scan("SYN+FIN", SYN | FIN),
  scan("SYN+RST", SYN | RST),
  scan("every flag", 63),
  { name: "TCP to port 0", layer4: tcp({ from: 40_000, to: 0, flags: SYN }) },
  { name: "UDP", layer4: udp(40_000, DENIED_PORT) },
  { name: "UDP to port 0", layer4: udp(40_000, 0) },
  { name: "UDP from port 0", layer4: udp(0, DENIED_PORT) },
  { name: "UDP from port 53", layer4: udp(53, DENIED_PORT) },
  { name: "UDP from port 67", layer4: udp(67, DENIED_PORT) },
  { name: "SCTP INIT", layer4: plain(132, sctp()) },
  { name: "UDP-Lite", layer4: plain(136, udp(40_000, DENIED_PORT).bytes) },
  { name: "DCCP", layer4: plain(33, Buffer.alloc(24, 1)) },
  { name: "GRE", layer4: plain(47, Buffer.from([0, 0, 8, 0, 0x45, 0, 0, 20])) },
  { name: "ESP", layer4: plain(50, Buffer.alloc(24, 3)) },
  { name: "IP in IP", layer4: plain(4, packet({ from: HOST4, to: HOST4 }, udp(1, DENIED_PORT))) },
  { name: "an unknown protocol with one byte", layer4: plain(253, Buffer.from([1])) },
];

const targets: readonly (readonly [string, string, string])[] = [
  ["the host", HOST4, HOST6],
  ["a container", GUEST4, GUEST6],
];

const scans = targets.flatMap(([where, to4, to6]) =>
  SCANS.flatMap(({ name, layer4 }) => [
    one(`${name} to ${where}, IPv4`, to4, layer4),
    one(`${name} to ${where}, IPv6`, to6, layer4),
  ]),
);

function one(name: string, to: string, layer4: Layer4): Forgery {
  const from = to.includes(":") ? world6 : world4;
  return { name, passesAlone: true, packets: (index) => [packet({ from: from(index), to }, layer4)] };
}

function sctp(): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt16BE(40_000, 0);
  bytes.writeUInt16BE(DENIED_PORT, 2);
  bytes[12] = 1;
  bytes.writeUInt16BE(20, 14);
  return bytes;
}

function from4(index: number, to = HOST4): Ends {
  return { from: world4(index), to };
}
function from6(index: number, to = HOST6): Ends {
  return { from: world6(index), to };
}

const long = "x".repeat(40);
const denied = tcp({ from: 40_001, to: DENIED_PORT, flags: SYN, text: long });
const deniedUdp = udp(40_001, DENIED_PORT, long);

const inFragments: readonly Forgery[] = [
  {
    name: "a UDP datagram in IPv4 fragments",
    passesAlone: true,
    packets: (at) => fragments(from4(at), deniedUdp, [16, 32]),
  },
  {
    name: "a SYN in tiny IPv4 fragments (ports in the first, flags in the second)",
    passesAlone: true,
    packets: (at) => fragments(from4(at), denied, [8, 16]),
  },
  {
    name: "IPv4 fragments in reverse order",
    passesAlone: true,
    packets: (at) => fragments(from4(at), denied, [8, 24]).toReversed(),
  },
  {
    name: "an IPv4 fragment that overwrites the port of an allowed SYN",
    passesAlone: false,
    packets: (at) => overlapping(from4(at)),
  },
  {
    name: "an IPv4 fragment without a first one",
    passesAlone: false,
    packets: (at) => fragments(from4(at), deniedUdp, [16, 32]).slice(1),
  },
  {
    name: "a UDP datagram in IPv6 fragments",
    passesAlone: true,
    packets: (at) => fragments(from6(at), deniedUdp, [16, 32]),
  },
  {
    name: "a SYN in tiny IPv6 fragments",
    passesAlone: true,
    packets: (at) => fragments(from6(at), denied, [8, 16]),
  },
  {
    name: "an atomic IPv6 fragment",
    passesAlone: true,
    packets: (at) => fragments(from6(at), denied, []),
  },
  {
    name: "an IPv6 fragment that overwrites the port of an allowed SYN",
    passesAlone: false,
    packets: (at) => overlapping(from6(at)),
  },
  {
    name: "IPv6 fragments to a container",
    passesAlone: true,
    packets: (at) => fragments(from6(at, GUEST6), deniedUdp, [16, 32]),
  },
];

/** Ports of an allowed service first, then the same bytes again with the denied one. */
function overlapping(ends: Ends): Buffer[] {
  const good = tcp({ from: 40_002, to: ALLOWED_PORT, flags: SYN, text: long }).bytes;
  const bad = tcp({ from: 40_002, to: DENIED_PORT, flags: SYN, text: long }).bytes;
  return [
    fragment(ends, 6, good.subarray(0, 16), 0, true, 99),
    fragment(ends, 6, bad.subarray(0, 24), 0, true, 99),
    fragment(ends, 6, bad.subarray(24), 24, false, 99),
  ];
}

const PAD = Buffer.from([1, 4, 0, 0, 0, 0]);
/** A routing header of type 0 with no hop left: RFC 8200 has a receiver ignore it. */
const ROUTING0 = Buffer.alloc(6);
const extensions: readonly (readonly [string, readonly (readonly [number, Buffer])[]])[] = [
  ["a hop-by-hop header", [[0, PAD]]],
  ["a destination header", [[60, PAD]]],
  ["twenty destination headers", Array.from({ length: 20 }, () => [60, PAD] as const)],
  ["a used routing header", [[43, ROUTING0]]],
  [
    "hop-by-hop, destination and routing headers",
    [
      [0, PAD],
      [60, PAD],
      [43, ROUTING0],
      [60, PAD],
    ],
  ],
];
const extendedPackets = extensions.flatMap(([name, headers]): Forgery[] => [
  {
    name: `a SYN behind ${name}`,
    passesAlone: true,
    packets: (at) => [extended(from6(at), headers, denied)],
  },
  {
    name: `a UDP datagram to a container behind ${name}`,
    passesAlone: true,
    packets: (at) => [extended(from6(at, GUEST6), headers, deniedUdp)],
  },
]);

const spoofed: readonly Forgery[] = [
  ["the host's own address", HOST4, HOST4, true],
  ["the host's own address", HOST6, HOST6, true],
  ["127.0.0.1", "127.0.0.1", HOST4, true],
  ["::1", "::1", HOST6, false],
  ["a container", GUEST4, HOST4, true],
  ["a container", GUEST6, HOST6, true],
  ["docker0", "172.17.0.1", HOST4, true],
  ["0.0.0.0", "0.0.0.0", HOST4, false],
].map(([name, from, to, passesAlone]) => ({
  name: `a SYN on the uplink that claims to come from ${String(name)} (${String(from)})`,
  passesAlone: passesAlone === true,
  packets: () => [packet({ from: String(from), to: String(to) }, denied)],
}));

const aimed: readonly Forgery[] = [
  ["127.0.0.1 where route_localnet is on", "127.0.0.1", true],
  ["127.0.0.53 where route_localnet is on", "127.0.0.53", true],
  ["::1", "::1", false],
  ["docker0's address", "172.17.0.1", true],
  ["docker0's address", "fd17::1", true],
  ["the limited broadcast address", "255.255.255.255", true],
  ["all hosts (multicast)", "224.0.0.1", true],
  ["all nodes (multicast)", "ff02::1", true],
].map(([name, to, passesAlone]) => ({
  name: `a datagram from the world to ${String(name)} (${String(to)})`,
  passesAlone: passesAlone === true,
  packets: (at: number) => [
    packet({ from: String(to).includes(":") ? world6(at) : world4(at), to: String(to) }, deniedUdp),
  ],
}));

const LSRR = (to: string): Buffer =>
  Buffer.concat([Buffer.from([0x83, 7, 4]), address(to), Buffer.from([0])]);
const routed: readonly Forgery[] = [
  {
    name: "a source-routed SYN whose last hop is a container",
    passesAlone: true,
    packets: (at) => [withOptions(from4(at), LSRR(GUEST4), denied)],
  },
];

const ICMP_TYPES4: readonly (readonly [string, number])[] = [
  ["redirect", 5],
  ["timestamp request", 13],
  ["address mask request", 17],
  ["echo reply nobody asked for", 0],
];
const icmps: readonly Forgery[] = [
  ...ICMP_TYPES4.map(([name, type]) => one(`ICMP ${name}`, HOST4, icmp(1, type, 0, inner(HOST4)))),
  one("ICMPv6 redirect", HOST6, icmp(58, 137, 0, Buffer.alloc(36))),
  one("ICMPv6 echo reply nobody asked for", HOST6, icmp(58, 129, 0, Buffer.alloc(8))),
  one("ICMPv6 node information query", HOST6, icmp(58, 139, 0, Buffer.alloc(24))),
  one("ICMPv6 router solicitation from afar (hop limit 64)", HOST6, icmp(58, 133, 0, Buffer.alloc(8))),
  one("ICMPv6 router advertisement from afar (hop limit 64)", HOST6, icmp(58, 134, 0, Buffer.alloc(12))),
];

function inner(from: string): Buffer {
  return Buffer.concat([Buffer.alloc(4), packet({ from, to: "192.0.2.77" }, udp(1234, 53))]);
}

export const FORGERIES: readonly Forgery[] = [
  ...scans,
  ...inFragments,
  ...extendedPackets,
  ...spoofed,
  ...aimed,
  ...routed,
  ...icmps,
];
