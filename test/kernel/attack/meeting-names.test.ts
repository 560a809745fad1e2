// Ids and zones chosen so that the names of their chains would meet: nft appends to a chain that is there already.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { jsonFromNamespace } from "../../support/namespace-json.ts";
import type { Seen } from "../../support/wire/probe.ts";
import type { Arrival } from "./in-namespace/meeting-names.ts";

const POLICY = `version: 1
mode: enforce
zones: {lan: lan0, lan_b: lan1}
inbound:
  - {id: default, allow: 9000, from: any, why: a rule of this test}
  - {id: judge, allow: 9001, from: any, why: a rule of this test}
  - {id: icmp, allow: 9002, from: any, why: a rule of this test}
  - {id: guests, allow: 9003, from: any, why: a rule of this test}
  - {id: admitted, allow: 9004, from: any, why: a rule of this test}
  - {id: b_web, allow: 8081, from: lan, why: a rule of this test}
  - {id: web, deny: 8081, from: lan_b, why: a rule of this test}
  - {id: x, allow: 9005, from: any, rate: 1/day, why: a rule of this test}
  - {id: x_admit, deny: 9006, from: any, why: a rule of this test}
`;

const WORLD = { interface: "eth0", from: "198.51.100.7", to: "203.0.113.10" };
const LAN = { interface: "lan0", from: "192.168.77.9", to: "192.168.77.1" };
const LAN_B = { interface: "lan1", from: "192.168.78.9", to: "192.168.78.1" };
const GUEST = { ...WORLD, to: "172.17.0.2" };

const ROWS: readonly (readonly [name: string, arrival: Arrival, expected: Seen])[] = [
  ["rule `default` allows its port", { ...WORLD, port: 9000 }, "accept"],
  ["rule `default` allows no other port", { ...WORLD, port: 9100 }, "refuse"],
  ["rule `judge` allows its port", { ...WORLD, port: 9001 }, "accept"],
  ["rule `icmp` allows its port", { ...WORLD, port: 9002 }, "accept"],
  ["rule `guests` allows its port", { ...WORLD, port: 9003 }, "accept"],
  ["rule `guests` opens no other port of a container", { ...GUEST, port: 9100 }, "refuse"],
  ["rule `admitted` allows its port", { ...WORLD, port: 9004 }, "accept"],
  ["rule `b_web` of `lan` allows its port in `lan`", { ...LAN, port: 8081 }, "accept"],
  ["rule `web` denies the same port in `lan_b`", { ...LAN_B, port: 8081 }, "refuse"],
  ["rule `x` allows its port within its rate", { ...WORLD, port: 9005 }, "accept"],
  ["rule `x` admits nothing beyond its rate", { ...WORLD, port: 9005 }, "refuse"],
  ["rule `x_admit` denies its port", { ...WORLD, port: 9006 }, "refuse"],
];

describe("names that could meet in the kernel", () => {
  let seen: readonly Seen[];
  before(async () => {
    const script = new URL("in-namespace/meeting-names.ts", import.meta.url);
    const arrivals = JSON.stringify(ROWS.map(([, arrival]) => arrival));
    seen = (await jsonFromNamespace(script, [POLICY, arrivals])) as readonly Seen[];
  });
  for (const [at, [name, , expected]] of ROWS.entries()) {
    it(name, () => assert.equal(seen[at], expected));
  }
});
