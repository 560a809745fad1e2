/** Policies written by hand: what people have, and the corners where a compiler and a reference part ways. */
import { AGENT_UID, type DrawnPolicy, type DrawnRule, type ScopeOwner } from "../support/random-policy.ts";

const ZONES = new Map([
  ["eth0", "world"],
  ["lan0", "lan"],
]);
const SCOPES = new Map<string, ScopeOwner>([["agent", { kind: "user", uid: AGENT_UID }]]);
const HEAD = `version: 1
scopes: {agent: {user: ${AGENT_UID}}}
zones: {lan: lan0}
`;
/** Enough prefixes that the kernel asks a set of its own. */
const BIG = Array.from({ length: 300 }, (_, at) => `77.${Math.floor(at / 100)}.${at % 100}.0/25`);

/** What `init` writes for most people. */
const COMMON = policy(
  "the common policy",
  `mode: {inbound: enforce, outbound: observe}
inbound:
  - {allow: ssh, from: any, why: "administration, keys only"}
outbound:
  - {use: [anthropic], why: what this agent was built to reach}
  - {allow: [api.github.com], why: skills installed from GitHub}
`,
  [inbound([], [22])],
);

const NOTHING = policy("nothing is allowed", "inbound: []\noutbound: []\n", []);

/** A packet that conntrack calls invalid has no connection, so there is nothing to stamp. */
const WITHOUT_CONNECTION = policy(
  "an allow that expires admits packets without a connection",
  `inbound:
  - {allow: any, from: 198.51.100.0/24, expires: 2098-01-31, why: any protocol from the office}
  - {allow: any, from: 192.0.2.0/24, rate: 1000000/second, why: any protocol from the branch}
  - {allow: any, from: 100.64.7.0/24, why: any protocol from the plant}
`,
  [inbound(["198.51.100.0/24", "192.0.2.0/24", "100.64.7.0/24"], [22])],
);

/** From the zone the rule is about everybody, so the set no longer makes it a large one there. */
const BIG_SET_AND_ZONE = policy(
  "a rule about a large set and a zone keeps its place among the others",
  `sets: {big: [${BIG.join(", ")}]}
inbound:
  - {deny: [ssh, 1000-2000], from: [world, big], denial: drop, why: the first of two that match}
  - {deny: [any], from: [world, big], denial: refuse, why: the second of two that match}
  - {allow: [ssh], from: [big, lan], expires: 2098-01-31, why: some friends for a time}
  - {allow: [ssh], from: [big], why: the same friends for ever}
`,
  [inbound(["77.0.3.0/25", "77.2.99.0/25"], [22, 1000, 2000])],
);

const WATCHED_NAME = policy(
  "a watched allow with a name opens nothing while its direction is enforced",
  `outbound:
  - {allow: [api.example.com, 192.0.2.0/24], port: [25], mode: observe, why: watched before it counts}
  - {allow: [www.example.com, 198.51.100.0/24], why: counts at once}
`,
  [outbound(["192.0.2.0/24", "198.51.100.0/24"], [25, 443])],
);

const ONLY_ONE_FAMILY = policy(
  "a rule with addresses of one family says nothing about the other",
  `inbound:
  - {deny: any, from: 0.0.0.0/0, why: no IPv4 from outside}
  - {allow: 1-65535, from: [0.0.0.0/0, "::/0"], except: ["2001:db8:5::/48", lan], why: all of TCP}
outbound:
  - {deny: "::/0", denial: drop, why: no IPv6 to anywhere}
  - {allow: [0.0.0.0/0, "::/0"], port: 1-65535, protocol: udp, why: all of UDP}
`,
  [
    inbound(["2001:db8:5::/48", "10.0.0.0/8"], [1, 65_535, 8080]),
    outbound(["2001:db8:5::/48", "10.0.0.0/8"], [1, 65_535]),
  ],
);

/** 8080 and 8443 are published for 80 and 443 of a container (see world.ts). */
const PUBLISHED = policy(
  "a published port is judged by the number that the world asks for",
  `inbound:
  - {allow: [http, 8443], from: any, why: not the published 8080}
  - {deny: [https], from: 192.0.2.0/24, why: not the published 8443}
`,
  [inbound(["192.0.2.0/24", "2001:db8:5::/48"], [80, 8080, 443, 8443])],
);

export const CASES: readonly DrawnPolicy[] = [
  COMMON,
  NOTHING,
  WITHOUT_CONNECTION,
  BIG_SET_AND_ZONE,
  WATCHED_NAME,
  ONLY_ONE_FAMILY,
  PUBLISHED,
];

function policy(label: string, text: string, rules: readonly DrawnRule[]): DrawnPolicy {
  return { label, seed: label.length, text: HEAD + text, rules, zones: ZONES, scopes: SCOPES };
}

function inbound(prefixes: readonly string[], ports: readonly number[]): DrawnRule {
  return { direction: "inbound", prefixes, ports: ports.map((port) => ({ first: port, last: port })) };
}

function outbound(prefixes: readonly string[], ports: readonly number[]): DrawnRule {
  return { ...inbound(prefixes, ports), direction: "outbound" };
}
