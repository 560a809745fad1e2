import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkNamed } from "../../../src/core/audit/check/all.ts";
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

describe("the command that unbans an operator names one word", () => {
  for (const [address, word] of [
    ["192.0.2.66", "192.0.2.66"],
    ["$(touch x)", "'$(touch x)'"],
    ["a b", "'a b'"],
    ["a\nb", "$'a\\012b'"],
  ] as const) {
    test(JSON.stringify(address), () => {
      const jail = { ...valueIn(partOf(good, "fail2ban").sshd), banned: [address] };
      const facts = change(good, "fail2ban", { operators: [address], sshd: read(jail) });
      const outcome = checkNamed("F2B-008")?.judge(facts);
      assert.ok(outcome?.status === "fail");
      assert.equal(outcome.fix, `fail2ban-client set sshd unbanip ${word}`);
    });
  }
});
