import { describe, test } from "node:test";
import { absent, read } from "../../../src/core/audit/reading.ts";
import { change } from "../facts/change.ts";
import { GOOD_CONTAINER } from "../facts/good-agent.ts";
import { good, hidden, instance, judgeRow, titleOf, type Row } from "./row.ts";

const ROWS: readonly Row[] = [
  [
    "Docker was told a user, the process is root",
    "DKR-001",
    change(good, "docker", {
      containers: [
        {
          ...GOOD_CONTAINER,
          user: "1000",
          process: read({
            uid: 0,
            capBounding: 0n,
            capEffective: 0n,
            noNewPrivileges: true,
            seccomp: 2,
            appArmor: null,
          }),
        },
      ],
    }),
    "fail",
    /uid 0 \(Docker was told user "1000"\)/,
  ],
  [
    "Docker was told to drop all, the kernel still allows some",
    "DKR-002",
    change(good, "docker", {
      containers: [
        {
          ...GOOD_CONTAINER,
          process: read({
            uid: 1000,
            capBounding: 0x400n,
            capEffective: 0n,
            noNewPrivileges: true,
            seccomp: 2,
            appArmor: null,
          }),
        },
      ],
    }),
    "fail",
    /0x400/,
  ],
  [
    "a process that cannot be seen proves nothing",
    "DKR-002",
    change(good, "docker", { containers: [{ ...GOOD_CONTAINER, process: hidden }] }),
    "unknown",
  ],
  [
    "an empty address is every address",
    "DKR-007",
    change(good, "docker", {
      containers: [
        { ...GOOD_CONTAINER, published: [{ address: "", hostPort: 18_789, port: 18_789, protocol: "tcp" }] },
      ],
    }),
    "fail",
  ],
  [
    "published on the tailnet only",
    "DKR-007",
    change(good, "docker", {
      containers: [
        {
          ...GOOD_CONTAINER,
          published: [{ address: "100.101.102.103", hostPort: 18_789, port: 18_789, protocol: "tcp" }],
        },
      ],
    }),
    "pass",
  ],
  [
    "old Docker behind a policy that is enforced",
    "DKR-016",
    change(good, "docker", { version: "20.10.24" }),
    "pass",
    /Seawall/,
  ],
  [
    "the group file is clean, the running process is still in docker",
    "DKR-014",
    instance({ process: read({ uid: 990, groups: ["docker"], sudo: read([]) }) }),
    "fail",
  ],
  [
    "no Docker, nothing to judge",
    "DKR-001",
    { ...good, docker: absent("Docker is not installed") },
    "not-applicable",
  ],
];

describe("docker: a check says what is so", () => {
  for (const row of ROWS) test(titleOf(row), () => judgeRow(row));
});
