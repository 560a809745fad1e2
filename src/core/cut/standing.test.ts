import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { policyOf } from "../../../test/support/policy.ts";
import { pinSets } from "../compile/nftables/gate.ts";
import type { ConntrackEntry, Tuple } from "../event/decode/conntrack.ts";
import { gatePorts } from "../policy/gate-port.ts";
import type { Around, Whereabouts } from "./around.ts";
import { createStandingJudge, mayBeForbidden } from "./standing.ts";

const GENERATION = 4;
const HOST = "203.0.113.10";
const WORLD = "45.33.32.156";
const LISTED = "198.51.100.7";
const PINNED = "198.51.100.99";
const CELL = "10.77.0.2";
const CONTAINER = "172.30.0.2";
const TAILNET = "100.101.102.103";
const LAN = "192.168.7.7";
const ROUTES: Readonly<Record<string, string>> = {
  [WORLD]: "eth0",
  [LISTED]: "eth0",
  [PINNED]: "eth0",
  [CELL]: "veth-cell",
  [CONTAINER]: "br-1",
  [TAILNET]: "tailscale0",
  [LAN]: "lan0",
};
const POLICY = policyOf(`version: 1
mode: enforce
zones: {lan: lan0}
scopes: {agent: {user: 4242}, cell: {netns: cell}}
inbound:
  - {allow: 9000, from: any, why: a rule of this test}
  - {allow: 9001, from: lan, why: a rule of this test}
outbound:
  - {allow: [${LISTED}], port: 443, scope: [agent, cell], why: a rule of this test}
  - {id: imap, allow: mail.example.com, port: 993, why: a rule of this test}
accept_risk:
  - {scope: cell, reason: a namespace of this test, by: me, expires: 2099-01-01}
`);
const [AGENT, OTHER] = [40_000, 50_000];
const around: Around = {
  policy: POLICY,
  generation: GENERATION,
  interfaces: new Map([["cell", ["veth-cell"]]]),
  isOwn: (address) => address === HOST,
  whereIs: (address): Whereabouts => {
    const link = ROUTES[address];
    if (address === HOST) return { kind: "here" };
    return link === undefined ? { kind: "unknown" } : { kind: "beyond", link };
  },
  linkOf: (address) => (address === HOST ? "eth0" : null),
  leadsToNetworks: (link) => link === "eth0" || link === "lan0",
  ownerOf: ({ sourcePort }) => (sourcePort === AGENT ? "agent" : null),
  scopeOfStamp: (_, index) => [null, "agent", "cell"][index] ?? null,
  isPinned: (set, address) => address === PINNED && set === pinSets(POLICY, "agent").direct.get("imap")?.[4],
  nowMs: Date.UTC(2026, 10, 21),
};
const judge = createStandingJudge(around);

/** `tcp HOST:1 -> HOST:2`. */
function tupleOf(text: string): Tuple {
  const [, protocol, source = "", from, destination = "", to] =
    /^(tcp|udp|icmp) ([^ ]+):(\d+) -> ([^ ]+):(\d+)$/.exec(text) ?? [];
  const number = { tcp: 6, udp: 17, icmp: 1 }[protocol ?? ""] ?? 0;
  return { protocol: number, source, sourcePort: Number(from), destination, destinationPort: Number(to) };
}

function standing(text: string, mark: number, more: Partial<ConntrackEntry> = {}): string {
  const original = tupleOf(text);
  const { source, destination, sourcePort, destinationPort } = original;
  const reply = {
    ...original,
    source: destination,
    destination: source,
    sourcePort: destinationPort,
    destinationPort: sourcePort,
  };
  const found = judge({ original, reply, mark, status: 0, id: 1, tcpState: 3, ...more });
  return found.kind === "ended" ? `ended 0x${found.field.toString(16)}` : found.kind;
}

const ENDED_IN = "ended 0xf000000";
const ENDED_AGENT = "ended 0x1000000";
const ENDED_CELL = "ended 0x2000000";

describe("a connection of an earlier generation", () => {
  for (const [wanted, text, mark, why] of [
    ["left", `tcp ${HOST}:${AGENT} -> ${LISTED}:443`, 0x3100_0000, "the policy allows it"],
    [ENDED_AGENT, `tcp ${HOST}:${AGENT} -> ${WORLD}:443`, 0x3100_0000, "the policy does not"],
    [ENDED_AGENT, `udp ${HOST}:${OTHER} -> ${WORLD}:443`, 0x3100_0000, "its process has exited"],
    [ENDED_AGENT, `tcp ${HOST}:${AGENT} -> 169.254.169.254:80`, 0x3100_0000, "a guard"],
    ["left", `tcp ${HOST}:${AGENT} -> ${PINNED}:993`, 0x3100_0000, "a name has pinned its address"],
    [ENDED_AGENT, `tcp ${HOST}:${AGENT} -> ${PINNED}:22`, 0x3100_0000, "pinned, but for another port"],
    [ENDED_AGENT, `tcp ${HOST}:${AGENT} -> ${WORLD}:993`, 0x3100_0000, "not pinned"],
    [ENDED_CELL, `tcp ${CELL}:1 -> ${WORLD}:443`, 0x3200_0000, "forwarded for a scope"],
    ["left", `tcp ${CELL}:1 -> ${LISTED}:443`, 0x3200_0000, "forwarded for a scope, allowed"],
    ["left", `tcp ${HOST}:1 -> ${WORLD}:443`, 0x3e00_0000, "the gates end their own"],
    ["left", `tcp ${HOST}:1 -> ${WORLD}:443`, 0x3900_0000, "a scope that is no more"],
    ["left", `tcp ${WORLD}:1 -> ${HOST}:9000`, 0x3000_0000, "allowed in"],
    [ENDED_IN, `tcp ${WORLD}:1 -> ${HOST}:9002`, 0x3000_0000, "not allowed in"],
    [ENDED_IN, `tcp ${WORLD}:1 -> ${HOST}:18789`, 0x3000_0000, "guarded"],
    ["left", `tcp ${TAILNET}:1 -> ${HOST}:9002`, 0x3000_0000, "over the tailnet, which is not judged"],
    ["left", `tcp ${LAN}:1 -> ${HOST}:9001`, 0x3000_0000, "from a zone that may"],
    [ENDED_IN, `tcp ${LAN}:1 -> ${HOST}:9002`, 0x3000_0000, "from a zone that may not either"],
    [ENDED_IN, `tcp ${WORLD}:1 -> ${CONTAINER}:9002`, 0x3000_0000, "to a container"],
    ["left", `tcp ${WORLD}:1 -> ${LAN}:9002`, 0x3000_0000, "in transit to another network"],
    ["left", `tcp 192.0.2.1:1 -> 192.0.2.2:9002`, 0x3000_0000, "nobody knows where it came in"],
    [ENDED_AGENT, `tcp ${HOST}:${AGENT} -> ${WORLD}:443`, 0x4f00_0000, "in force, but its rule has expired"],
    ["left", `tcp ${HOST}:${AGENT} -> ${LISTED}:443`, 0x4f00_0000, "in force, its rule has not"],
    ["left", `icmp ${HOST}:0 -> ${WORLD}:0`, 0x3100_0000, "ping: each packet is judged"],
  ] as const) {
    test(`${text} is ${wanted}: ${why}`, () => assert.equal(standing(text, mark), wanted));
  }
});

describe("a connection that nobody stamped", () => {
  for (const [wanted, text, why] of [
    [ENDED_AGENT, `udp ${HOST}:${AGENT} -> ${WORLD}:53`, "the agent's, by its socket"],
    ["left", `tcp ${HOST}:${AGENT} -> ${LISTED}:443`, "the agent's, allowed"],
    ["left", `udp ${HOST}:${OTHER} -> ${WORLD}:53`, "somebody else's of this host"],
    [ENDED_CELL, `udp ${CELL}:1 -> ${WORLD}:53`, "a scope's, by where it enters"],
    ["left", `udp ${CONTAINER}:1 -> ${WORLD}:53`, "a container's that no scope names"],
    [ENDED_IN, `tcp ${WORLD}:1 -> ${HOST}:5432`, "the world's, not allowed"],
    ["left", `tcp ${WORLD}:1 -> ${HOST}:9000`, "the world's, allowed"],
    ["left", `tcp ${TAILNET}:1 -> ${HOST}:5432`, "over the tailnet"],
  ] as const) {
    test(`${text} is ${wanted}: ${why}`, () => assert.equal(standing(text, 0xca6c), wanted));
  }
});

describe("a connection that was diverted to a gate", () => {
  const DST_NAT = 0x20;
  const diverted = (scope: "agent" | "cell", text: string): Partial<ConntrackEntry> => {
    const index = POLICY.scopes.find(({ name }) => name === scope)?.index ?? 0;
    const { dns, tls } = gatePorts(index);
    const reply = { ...tupleOf(text), sourcePort: text.endsWith(":53") ? dns : tls };
    return { status: DST_NAT, reply };
  };
  test("is the gate's to end while the scope has one", () => {
    const text = `tcp ${HOST}:${AGENT} -> ${WORLD}:443`;
    assert.equal(standing(text, 0x3100_0000, diverted("agent", text)), "left");
  });
  test("ends with the gate where the policy forbids it", () => {
    const text = `udp ${CELL}:1 -> ${WORLD}:53`;
    assert.equal(standing(text, 0x3200_0000, diverted("cell", text)), ENDED_CELL);
  });
  test("is not looked for elsewhere: the same ports without translation", () => {
    const text = `tcp ${HOST}:${AGENT} -> ${WORLD}:443`;
    assert.equal(standing(text, 0x3100_0000, { ...diverted("agent", text), status: 0 }), ENDED_AGENT);
  });
});

describe("which marks are looked at", () => {
  for (const [wanted, mark, why] of [
    [false, 0x4100_ca6c, "the generation in force"],
    [true, 0x4f00_0000, "the generation in force, by a rule that expires"],
    [true, 0x3100_0000, "an earlier one"],
    [true, 0x0000_ca6c, "none"],
    [false, 0x0100_ca6c, "ended already"],
    [false, 0x0f00_0000, "ended already, from outside"],
  ] as const) {
    test(`0x${mark.toString(16)}: ${why}`, () => assert.equal(mayBeForbidden(mark, GENERATION), wanted));
  }
});
