import { describe, test } from "node:test";
import { absent, read } from "../../../src/core/audit/reading.ts";
import { change, partOf } from "../facts/change.ts";
import { GOOD_CONTAINER, GOOD_INSTANCE } from "../facts/good-agent.ts";
import { config, good, hidden, instance, judgeRow, titleOf, type Row } from "./row.ts";

const ROWS: readonly Row[] = [
  [
    "one shared session where nobody can write",
    "APP-019",
    config({ session: { dmScope: "main" } }),
    "not-applicable",
  ],
  [
    "the configuration says loopback, the socket is open",
    "APP-001",
    instance({
      listeners: [
        { protocol: "tcp", address: "0.0.0.0", port: 18_789, uid: 990, pid: 800, program: "openclaw-gatewa" },
      ],
    }),
    "fail",
    /listens on tcp 0\.0\.0\.0/,
  ],
  [
    "the socket is on loopback, the next start opens it",
    "APP-001",
    config({ gateway: { bind: "lan" } }),
    "fail",
    /next start/,
  ],
  [
    "on the tailnet's address only",
    "APP-001",
    instance({
      listeners: [
        {
          protocol: "tcp",
          address: "100.64.3.4",
          port: 18_789,
          uid: 990,
          pid: 800,
          program: "openclaw-gatewa",
        },
      ],
    }),
    "pass",
  ],
  [
    "in a container it listens on all, published on loopback",
    "APP-001",
    instance({ container: GOOD_CONTAINER.id, listeners: [] }),
    "pass",
    /published on 127\.0\.0\.1/,
  ],
  [
    "in a container that is published to all",
    "APP-001",
    {
      ...instance({ container: GOOD_CONTAINER.id }),
      docker: read({
        ...partOf(good, "docker"),
        containers: [
          {
            ...GOOD_CONTAINER,
            published: [{ address: "0.0.0.0", hostPort: 18_789, port: 18_789, protocol: "tcp" }],
          },
        ],
      }),
    },
    "fail",
  ],
  [
    "the configuration names a token, and 200 comes without it",
    "APP-002",
    instance({ answers: read({ without: 200, withToken: null }) }),
    "fail",
    /answered by 200/,
  ],
  [
    "a token that repeats itself",
    "APP-002",
    config({ gateway: { auth: { token: "abababababababababababababababab" } } }),
    "fail",
    /different characters/,
  ],
  [
    "a short token in the environment",
    "APP-002",
    { ...instance({ answers: hidden, tokenInEnvironment: { present: true, length: 8 }, config: read({}) }) },
    "fail",
    /8 characters/,
  ],
  [
    "a dangling account with open direct messages",
    "APP-003",
    config({ channels: { telegram: { dmPolicy: "pairing", accounts: { second: { dmPolicy: "open" } } } } }),
    "fail",
    /accounts\.second\.dmPolicy/,
  ],
  [
    "a channel that is switched off does not count",
    "APP-003",
    config({ channels: { telegram: { enabled: false, dmPolicy: "open" } } }),
    "not-applicable",
  ],
  [
    "an agent of its own with commands, below a whole that denies them",
    "APP-006",
    config({
      tools: { exec: { mode: "deny" } },
      agents: { entries: { ops: { tools: { exec: { mode: "full" } } } } },
    }),
    "fail",
    /agents\.entries\.ops/,
  ],
  [
    "commands in a sandbox and asked for",
    "APP-006",
    config({ tools: { exec: { mode: "ask" } }, agents: { defaults: { sandbox: { mode: "all" } } } }),
    "pass",
  ],
  ["commands not mentioned means all of them", "APP-006", config({}), "fail", /means full/],
  [
    "runs as its own user, in group lxd",
    "APP-008",
    instance({ process: read({ uid: 990, groups: ["lxd"], sudo: read([]) }) }),
    "fail",
    /lxd/,
  ],
  [
    "may run everything by sudo",
    "APP-008",
    instance({ process: read({ uid: 990, groups: [], sudo: read(["(ALL : ALL) NOPASSWD: ALL"]) }) }),
    "fail",
    /by sudo/,
  ],
  [
    "what sudo allows cannot be seen",
    "APP-008",
    instance({ process: read({ uid: 990, groups: [], sudo: hidden }) }),
    "unknown",
  ],
  [
    "a wildcard behind journalctl",
    "APP-015",
    instance({
      process: read({
        uid: 990,
        groups: [],
        sudo: read(["(root) NOPASSWD: /usr/bin/journalctl -u openclaw *"]),
      }),
    }),
    "fail",
  ],
  [
    "a proxy leads to it and no proxy is trusted",
    "APP-010",
    config({ gateway: {} }),
    "fail",
    /refused or looks local/,
  ],
  [
    "the configuration cannot be parsed",
    "APP-023",
    instance({ config: absent("openclaw.json:3: a `:` is missing") }),
    "fail",
  ],
  ["OpenClaw's own audit could not be run", "APP-014", instance({ audit: hidden }), "unknown"],
  [
    "a statement of four months ago",
    "APP-017",
    { ...good, attested: [{ check: "APP-017", says: "alert at 20 USD", owner: "ann", on: "2026-07-01" }] },
    "unknown",
    /more than 90 days/,
  ],
  ["nothing is stated about billing", "APP-018", { ...good, attested: [] }, "unknown"],
  [
    "no OpenClaw, nothing to bill",
    "APP-018",
    { ...good, openclaw: absent("no OpenClaw was found"), attested: [] },
    "not-applicable",
  ],
  [
    "one of two instances is wrong, and named",
    "APP-005",
    change(good, "openclaw", {
      instances: [GOOD_INSTANCE, { ...GOOD_INSTANCE, name: "gateway of bob", config: read({}) }],
    }),
    "fail",
    /^gateway of bob: /,
  ],
];

describe("app: a check says what is so", () => {
  for (const row of ROWS) test(titleOf(row), () => judgeRow(row));
});
