import { describe, test } from "node:test";
import { absent } from "../../../src/core/audit/reading.ts";
import { change, partOf } from "../facts/change.ts";
import { context } from "../facts/good.ts";
import { DAY, NOW } from "../facts/moment.ts";
import { good, hidden, judgeRow, titleOf, type Row } from "./row.ts";

const ROWS: readonly Row[] = [
  [
    "the plain answer of sshd is no, a Match block says yes for one network",
    "SSH-002",
    change(good, "ssh", {
      contexts: [
        context("ann", "203.0.113.9"),
        context("ann", "10.0.0.9", { passwordauthentication: "yes" }),
      ],
    }),
    "fail",
    /yes as ann from 10\.0\.0\.9/,
  ],
  [
    "a Match block that only tightens is no weaker",
    "SSH-017",
    change(good, "ssh", {
      contexts: [
        context("ann", "203.0.113.9", { passwordauthentication: "yes" }),
        context("root", "10.0.0.9"),
      ],
    }),
    "pass",
  ],
  [
    "root with keys only is a trifle beside root with a password",
    "SSH-001",
    change(good, "ssh", {
      contexts: [context("root", "203.0.113.9", { permitrootlogin: "without-password" })],
    }),
    "fail",
    /without-password/,
  ],
  [
    "keyboard-interactive beside a key that is always asked for is no way around it",
    "SSH-003",
    change(good, "ssh", {
      contexts: [
        context("ann", "203.0.113.9", {
          kbdinteractiveauthentication: "yes",
          authenticationmethods: "publickey,keyboard-interactive",
        }),
      ],
    }),
    "pass",
  ],
  [
    "a drop-in that lies beside a main file without Include is ignored",
    "SSH-016",
    change(good, "ssh", { files: partOf(good, "ssh").files.slice(0, 1) }),
    "fail",
    /is not read by sshd/,
  ],
  [
    "a drop-in below an earlier value does not win",
    "SSH-016",
    change(good, "ssh", { contexts: [context("ann", "203.0.113.9", { passwordauthentication: "yes" })] }),
    "fail",
    /not in force: sshd uses yes/,
  ],
  [
    "the file names a port on which nobody listens",
    "SSH-018",
    change(good, "ssh", { contexts: [context("ann", "203.0.113.9", { port: "2222" })] }),
    "fail",
    /2222 is configured, nobody listens/,
  ],
  [
    "whose sockets are hidden is unknown, not equal",
    "SSH-018",
    change(good, "ssh", { listening: hidden }),
    "unknown",
  ],
  [
    "a file that is newer than the running sshd has not been read",
    "SSH-024",
    change(good, "ssh", { loadedMs: NOW - 20 * DAY }),
    "fail",
    /newer than the running sshd/,
  ],
  [
    "a key in a file that others may write is no key that works",
    "SSH-020",
    change(good, "ssh", {
      users: [
        {
          name: "ann",
          uid: 1000,
          sudo: true,
          barred: null,
          keys: [],
          refused: ["ann: sshd does not use /home/ann/.ssh/authorized_keys"],
        },
      ],
    }),
    "fail",
  ],
  [
    "root's key does not count when root may not log in",
    "SSH-020",
    change(good, "ssh", {
      users: [
        {
          name: "root",
          uid: 0,
          sudo: true,
          barred: null,
          keys: [{ type: "ssh-ed25519", file: "/root/.ssh/authorized_keys" }],
          refused: [],
        },
      ],
    }),
    "fail",
  ],
  [
    "without an SSH server there is nothing to harden",
    "SSH-002",
    { ...good, ssh: absent("no OpenSSH server is installed") },
    "not-applicable",
  ],
];

describe("ssh: a check says what is so", () => {
  for (const row of ROWS) test(titleOf(row), () => judgeRow(row));
});
