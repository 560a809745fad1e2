import type { PortRange } from "./port-range.ts";

/** A well-known service: where it listens. */
export interface NamedService {
  readonly protocol: "tcp" | "udp" | "both";
  readonly ports: PortRange;
}

/** Services by the name a policy may use. Numbers from the IANA registry, or the program's own default. */
const SERVICES = {
  ssh: tcp(22),
  telnet: tcp(23),
  ftp: tcp(21),
  smtp: tcp(25),
  smtps: tcp(465),
  submission: tcp(587),
  dns: both(53),
  dot: tcp(853),
  http: tcp(80),
  "http-alt": tcp(8080),
  https: tcp(443),
  http3: udp(443),
  pop3: tcp(110),
  pop3s: tcp(995),
  imap: tcp(143),
  imaps: tcp(993),
  ntp: udp(123),
  snmp: udp(161),
  syslog: udp(514),
  ldap: tcp(389),
  ldaps: tcp(636),
  smb: tcp(445),
  nfs: tcp(2049),
  mdns: udp(5353),
  wireguard: udp(51820),
  openvpn: udp(1194),
  ike: udp(500),
  mosh: { protocol: "udp", ports: { first: 60_000, last: 61_000 } },
  tailscale: udp(41641),
  postgres: tcp(5432),
  mysql: tcp(3306),
  redis: tcp(6379),
  mongodb: tcp(27017),
  elasticsearch: tcp(9200),
  mqtt: tcp(1883),
  mqtts: tcp(8883),
  rdp: tcp(3389),
  vnc: tcp(5900),
  git: tcp(9418),
  matrix: tcp(8448),
  ollama: tcp(11434),
  openclaw: tcp(18789),
} as const satisfies Record<string, NamedService>;

const BY_NAME: ReadonlyMap<string, NamedService> = new Map(Object.entries(SERVICES));

/** Every service name, in the order of the table. */
export const SERVICE_NAMES: readonly string[] = [...BY_NAME.keys()];

/** Returns where the service of that name listens, or undefined. Names are lower case. */
export function serviceNamed(name: string): NamedService | undefined {
  return BY_NAME.get(name);
}

function tcp(port: number): NamedService {
  return { protocol: "tcp", ports: { first: port, last: port } };
}

function udp(port: number): NamedService {
  return { protocol: "udp", ports: { first: port, last: port } };
}

function both(port: number): NamedService {
  return { protocol: "both", ports: { first: port, last: port } };
}
