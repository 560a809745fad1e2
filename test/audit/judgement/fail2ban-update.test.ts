import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkNamed } from "../../../src/core/audit/check/all.ts";
import { judgeAll } from "../../../src/core/audit/check.ts";
import { commandsOf } from "../../../src/core/audit/fix/fix.ts";
import { absent, read } from "../../../src/core/audit/reading.ts";
import { change, partOf, valueIn } from "../facts/change.ts";
import { DAY, NOW } from "../facts/moment.ts";
import { good, judgeRow, titleOf, type Row } from "./row.ts";

const ROWS: readonly Row[] = [
  [
    "Fail2Ban counts bans that a flush took out of the kernel",
    "F2B-006",
    change(good, "fail2ban", { inKernel: read([]) }),
    "fail",
    /1 of them not in the kernel/,
  ],
  [
    "OpenSSH 9.8 logs as sshd-session, and the jail looks for sshd",
    "F2B-003",
    change(good, "fail2ban", { sshVersion: "9.8p1" }),
    "fail",
    /sshd-session/,
  ],
  [
    "the operator is logged in and banned",
    "F2B-008",
    change(good, "fail2ban", { operators: ["192.0.2.66"] }),
    "fail",
    /192\.0\.2\.66/,
  ],
  [
    "sshd listens on another port than the ban holds at",
    "F2B-005",
    change(good, "ssh", { listening: read([2222]) }),
    "fail",
    /2222/,
  ],
  [
    "a jail that bans at all ports holds at any",
    "F2B-005",
    change(change(good, "ssh", { listening: read([2222]) }), "fail2ban", {
      sshd: read({ ...valueIn(partOf(good, "fail2ban").sshd), allPorts: true }),
    }),
    "pass",
  ],
  [
    "installed and not running",
    "F2B-001",
    change(good, "fail2ban", { running: false }),
    "fail",
    /does not answer/,
  ],
  [
    "not installed on a host with SSH",
    "F2B-001",
    { ...good, fail2ban: absent("Fail2Ban is not installed") },
    "fail",
  ],
  [
    "unattended-upgrades is not there",
    "UPD-001",
    change(good, "updates", { unattendedInstalled: false }),
    "fail",
  ],
  [
    "one file says 1, a later one switches everything off",
    "UPD-002",
    change(good, "updates", {
      settings: new Map([...partOf(good, "updates").settings, ["APT::Periodic::Enable", ["0"]]]),
    }),
    "fail",
    /nothing of it runs/,
  ],
  [
    "no pattern matches the codename of this release",
    "UPD-003",
    change(good, "updates", {
      settings: new Map([
        ["Unattended-Upgrade::Origins-Pattern", ["origin=Debian,codename=bookworm-security"]],
      ]),
    }),
    "fail",
  ],
  [
    "Ubuntu's older spelling of origins is understood",
    "UPD-003",
    change(good, "updates", {
      settings: new Map([["Unattended-Upgrade::Allowed-Origins", ["${distro_id}:stable-security"]]]),
    }),
    "pass",
  ],
  [
    "Docker's own repository is left out",
    "UPD-004",
    change(good, "updates", {
      settings: new Map([
        ["Unattended-Upgrade::Origins-Pattern", ["origin=Debian,codename=${distro_codename}-security"]],
      ]),
    }),
    "fail",
    /Docker/,
  ],
  [
    "nothing waits, by lists of last month",
    "UPD-007",
    change(good, "updates", { listsMs: NOW - 30 * DAY }),
    "unknown",
    /30 days/,
  ],
  [
    "a release whose end nobody knows here",
    "UPD-011",
    change(good, "updates", { supportEnds: null }),
    "unknown",
  ],
];

describe("fail2ban, update: a check says what is so", () => {
  for (const row of ROWS) test(titleOf(row), () => judgeRow(row));
});

describe("the command that unbans an operator names an address and nothing else", () => {
  for (const [address, isAddress] of [
    ["192.0.2.66", true],
    ["$(touch x)", false],
    ["a b", false],
    ["a\nb", false],
  ] as const) {
    test(JSON.stringify(address), () => {
      const jail = { ...valueIn(partOf(good, "fail2ban").sshd), banned: [address] };
      const session = { peer: address, address: "203.0.113.10", port: 22 };
      const facts = {
        ...change(good, "fail2ban", { operators: [address], sshd: read(jail) }),
        operator: { user: "ann", sessions: [session] },
      };
      const check = checkNamed("F2B-008");
      assert.ok(check !== undefined);
      const [finding] = judgeAll([check], facts);
      assert.equal(finding?.status, "fail");
      const commands = commandsOf(finding.fix ?? "").join("\n");
      assert.equal(commands.includes(address), isAddress, commands);
      assert.equal(commands.includes(`fail2ban-client set sshd unbanip ${address}`), isAddress);
    });
  }
});
