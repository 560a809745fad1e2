import { describe, test } from "node:test";
import { absent, read } from "../../../src/core/audit/reading.ts";
import { change, partOf, valueIn } from "../facts/change.ts";
import { GOOD_CONTAINER } from "../facts/good-agent.ts";
import { accept, good, hidden, judgeRow, titleOf, port, rules, unreadableTerm, type Row } from "./row.ts";

const ROWS: readonly Row[] = [
  [
    "a rule that the audit cannot read makes the port unknown, not closed",
    "FW-006",
    rules([unreadableTerm, accept]),
    "unknown",
    /cannot read/,
  ],
  [
    "a rule that cannot be read but only drops changes nothing",
    "FW-006",
    rules([unreadableTerm, { drop: null }]),
    "pass",
  ],
  [
    "the gateway's own port is closed, an accept of everything from 10/8 does not open it",
    "FW-006",
    rules([
      {
        match: {
          op: "==",
          left: { payload: { protocol: "ip", field: "saddr" } },
          right: { prefix: { addr: "10.0.0.0", len: 8 } },
        },
      },
      accept,
    ]),
    "pass",
  ],
  [
    "an accept for IPv4 alone leaves IPv6 closed, and the port open",
    "FW-006",
    rules([{ match: { op: "==", left: { meta: { key: "nfproto" } }, right: "ipv4" } }, port(18_789), accept]),
    "fail",
    /IPv4/,
  ],
  [
    "IPv4 is closed and IPv6 open",
    "FW-005",
    rules([{ match: { op: "==", left: { meta: { key: "nfproto" } }, right: "ipv6" } }, accept]),
    "fail",
    /open over IPv6/,
  ],
  [
    "UFW says IPV6=no",
    "FW-005",
    change(good, "firewall", {
      ufw: read({ ...valueIn(partOf(good, "firewall").ufw), ipv6: false }),
    }),
    "fail",
  ],
  ["SSH is closed to everybody", "FW-007", rules([port(80), accept]), "fail", /port 22 is closed/],
  ["SSH is open at any rate", "FW-008", rules([port(22), accept]), "fail"],
  [
    "UFW is on in its file and its chains are not in the kernel",
    "FW-002",
    change(good, "firewall", {
      ufw: read({ ...valueIn(partOf(good, "firewall").ufw), inKernel4: false }),
    }),
    "fail",
    /does not go to UFW/,
  ],
  [
    "a database on every address behind a closed port is not reachable",
    "FW-004",
    {
      ...good,
      listeners: read([
        { protocol: "tcp", address: "0.0.0.0", port: 5432, uid: 1, pid: 1, program: "postgres" },
      ]),
    },
    "pass",
  ],
  [
    "a database on an open port is",
    "FW-004",
    {
      ...rules([port(5432), accept]),
      listeners: read([{ protocol: "tcp", address: "::", port: 5432, uid: 1, pid: 1, program: "postgres" }]),
    },
    "fail",
    /postgres/,
  ],
  [
    "ports of containers published for all are let through by Docker's forward rules",
    "FW-011",
    {
      ...rules(),
      docker: read({
        ...partOf(good, "docker"),
        containers: [
          {
            ...GOOD_CONTAINER,
            published: [{ address: "0.0.0.0", hostPort: 8080, port: 80, protocol: "tcp" }],
          },
        ],
      }),
    },
    "fail",
    /8080/,
  ],
  [
    "the same where a table drops forwarded packets",
    "FW-011",
    change(good, "docker", {
      containers: [
        { ...GOOD_CONTAINER, published: [{ address: "0.0.0.0", hostPort: 8080, port: 80, protocol: "tcp" }] },
      ],
    }),
    "pass",
  ],
  [
    "forwarding with nothing that needs it",
    "FW-018",
    {
      ...change(good, "firewall", { interfaces: ["eth0"] }),
      docker: absent("Docker is not installed"),
      tailscale: absent("no Tailscale"),
    },
    "fail",
  ],
  [
    "rules of the kernel that cannot be read are unknown",
    "FW-001",
    change(good, "firewall", { tables: hidden }),
    "unknown",
  ],
  [
    "UFW is off, and another firewall of the host drops in its place",
    "FW-002",
    change(rules([port(22), accept]), "firewall", {
      ufw: read({ ...valueIn(partOf(good, "firewall").ufw), enabledInFile: false, inKernel4: false }),
    }),
    "not-applicable",
  ],
  [
    "nftables.service does not start at boot, but its end flushes everybody's rules",
    "FW-010",
    change(good, "firewall", {
      managers: read([{ name: "nftables", atBoot: false, running: true, flushesAtStop: true }]),
    }),
    "fail",
    /when it is stopped/,
  ],
  [
    "nftables.service loaded its rules once and deletes nobody's",
    "FW-010",
    change(good, "firewall", {
      managers: read([
        { name: "nftables", atBoot: false, running: true, flushesAtStop: false },
        { name: "ufw", atBoot: true, running: true, flushesAtStop: false },
      ]),
    }),
    "pass",
  ],
  ["loopback in INPUT is dropped", "FW-009", rules([port(22), accept]), "fail", /loopback is dropped/],
];

describe("firewall: a check says what is so", () => {
  for (const row of ROWS) test(titleOf(row), () => judgeRow(row));
});
