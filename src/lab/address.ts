/** Who is who in the lab. Nothing of it exists outside its namespaces. */
export const HOST4 = "203.0.113.10";
export const HOST6 = "2001:db8:1::10";
export const GATEWAY4 = "203.0.113.1";
export const GATEWAY6 = "2001:db8:1::1";
export const CONTAINER4 = "172.17.0.2";
export const CONTAINER6 = "2001:db8:d0c::2";
export const SUBNET4 = "172.17.0.0/16";
export const SUBNET6 = "2001:db8:d0c::/64";
export const BRIDGE4 = "172.17.0.1";
export const BRIDGE6 = "2001:db8:d0c::1";

export const ATTACKER = ["192.0.2.66", "2001:db8:bad::66"] as const;
export const VISITOR = ["192.0.2.25", "2001:db8:71::25"] as const;
export const OFFICE = ["198.51.100.7", "2001:db8:ff1::7"] as const;
/** In the office's prefix, and excepted by the rule. */
export const OFFICE_GUEST = "198.51.100.13";
/** Denied everything by a rule of its own. */
export const BANNED = "192.0.2.200";
export const HASTY = "192.0.2.44";
export const OPERATOR = "198.51.100.70";

/** What the agent was built to reach. */
export const MODEL = ["192.0.2.80", "2001:db8:80::80"] as const;
export const ELSEWHERE = ["192.0.2.99", "2001:db8:99::99"] as const;
export const RESOLVER = "192.0.2.53";
/** The resolver that the gates ask. Port 53 of the internet belongs to the services that anybody finds. */
export const UPSTREAM = { address: "192.0.2.54", port: 5353 } as const;
/** Two sites that share an address, as on a CDN, and one elsewhere; public, or the gate would refuse them. */
export const SITE = {
  listed: "api.model.example.com",
  below: "eu.files.example.org",
  neighbour: "shop.example.net",
  unlisted: "paste.example.net",
  inside: "intranet.example.com",
} as const;
export const CDN = ["93.184.215.14", "2606:2800:21f::14"] as const;
export const PASTE = ["45.33.32.156", "2600:3c01::f03c"] as const;
/** What OpenClaw asks for on its own: its catalogue, its telemetry, its hub. */
export const OPENCLAW_ZONE: Readonly<Record<string, readonly string[]>> = {
  "catalog.openclaw.ai": ["76.76.21.21"],
  "telemetry.openclaw.ai": ["76.76.21.22"],
  "clawhub.ai": ["76.76.21.23"],
};
export const METADATA = ["169.254.169.254", "fd00:ec2::254"] as const;

/** The agent's user. A number that no account of a machine has. */
export const AGENT_UID = 64_242;
export const OTHER_UID = 64_243;

export const PORT = {
  gateway: 18_789,
  ssh: 22,
  https: 443,
  dockerApi: 2375,
  panel: 8443,
  rated: 8444,
  silent: 9999,
  database: 5432,
  published: 8080,
  container: 80,
  candidate: 9443,
  telemetry: 4433,
  slow: 4444,
} as const;

/** Connections of one source that the rated port takes at once. */
export const RATE = 4;
