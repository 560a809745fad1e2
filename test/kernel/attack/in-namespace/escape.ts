/** Ways out for a process without capabilities, each to a place that the policy of the test does not allow. */
export interface Escape {
  readonly name: string;
  readonly to: string;
  readonly port: number;
  /** 1 stream, 2 datagram. */
  readonly type: 1 | 2;
  readonly protocol: number;
  readonly uid?: number;
  /** Flags of sendto(2); a stream with flags sends instead of connecting. */
  readonly flags?: number;
  /** The source address it binds to. */
  readonly from?: string;
  /** AF_INET6 with an IPv4 address makes an IPv4-mapped one. */
  readonly family?: number;
}

export const AGENT_UID = 4242;
export const SUBUID = 100_000;
const STREAM = 1;
const DATAGRAM = 2;
const UDP = 17;
const UDP_LITE = 136;
const MPTCP = 262;
const AF_INET6 = 10;
const MSG_FASTOPEN = 0x2000_0000;

const PLACES: readonly (readonly [string, string])[] = [
  ["the internet", "93.184.216.34"],
  ["the internet", "2606:2800::1"],
  ["an allowed address on another port", "192.0.2.9"],
  ["cloud metadata", "169.254.169.254"],
  ["cloud metadata", "fd00:ec2::254"],
  ["a service on 127.0.0.1", "127.0.0.1"],
  ["a service on ::1", "::1"],
  ["another loopback address", "127.9.9.9"],
  ["0.0.0.0, which is this host", "0.0.0.0"],
  [":: , which is this host", "::"],
  ["the host's own public address", "203.0.113.10"],
  ["the host's own public address", "2001:db8:113::10"],
  ["docker0's address", "172.17.0.1"],
  ["a container", "172.17.0.2"],
  ["a container", "fd17::2"],
];

export const ESCAPES: readonly Escape[] = [
  ...PLACES.flatMap(([where, to]): Escape[] => [
    { name: `TCP to ${where} (${to})`, to, port: 8080, type: STREAM, protocol: 0 },
    { name: `UDP to ${where} (${to})`, to, port: 8080, type: DATAGRAM, protocol: UDP },
  ]),
  ...["93.184.216.34", "127.0.0.1", "169.254.169.254"].flatMap((to): Escape[] => [
    { name: `TCP to ::ffff:${to}`, to, port: 8080, type: STREAM, protocol: 0, family: AF_INET6 },
    { name: `UDP to ::ffff:${to}`, to, port: 8080, type: DATAGRAM, protocol: UDP, family: AF_INET6 },
  ]),
  { name: "QUIC", to: "93.184.216.34", port: 443, type: DATAGRAM, protocol: UDP },
  { name: "DNS over UDP", to: "9.9.9.9", port: 53, type: DATAGRAM, protocol: UDP },
  { name: "DNS over TCP", to: "9.9.9.9", port: 53, type: STREAM, protocol: 0 },
  { name: "DNS over TLS", to: "2620:fe::fe", port: 853, type: STREAM, protocol: 0 },
  { name: "a stub resolver on 127.0.0.53", to: "127.0.0.53", port: 53, type: DATAGRAM, protocol: UDP },
  { name: "ping", to: "93.184.216.34", port: 0, type: DATAGRAM, protocol: 1 },
  { name: "ping over IPv6", to: "2606:2800::1", port: 0, type: DATAGRAM, protocol: 58 },
  { name: "ping of the allowed address", to: "192.0.2.9", port: 0, type: DATAGRAM, protocol: 1 },
  { name: "multicast DNS", to: "224.0.0.251", port: 5353, type: DATAGRAM, protocol: UDP },
  { name: "multicast beyond the link", to: "ff0e::1234", port: 5353, type: DATAGRAM, protocol: UDP },
  { name: "broadcast", to: "255.255.255.255", port: 9, type: DATAGRAM, protocol: UDP },
  { name: "UDP-Lite", to: "93.184.216.34", port: 8080, type: DATAGRAM, protocol: UDP_LITE },
  { name: "Multipath TCP", to: "93.184.216.34", port: 8080, type: STREAM, protocol: MPTCP },
  {
    name: "TCP Fast Open (data in the SYN)",
    to: "93.184.216.34",
    port: 8080,
    type: STREAM,
    protocol: 0,
    flags: MSG_FASTOPEN,
  },
  {
    name: "UDP from docker0's address",
    to: "93.184.216.34",
    port: 8080,
    type: DATAGRAM,
    protocol: UDP,
    from: "172.17.0.1",
  },
  {
    name: "UDP from 127.0.0.1 to the host's own address",
    to: "203.0.113.10",
    port: 8080,
    type: DATAGRAM,
    protocol: UDP,
    from: "127.0.0.1",
  },
  { name: "TCP of a subuid", to: "93.184.216.34", port: 8080, type: STREAM, protocol: 0, uid: SUBUID },
  { name: "UDP of a subuid", to: "2606:2800::1", port: 8080, type: DATAGRAM, protocol: UDP, uid: SUBUID },
];
