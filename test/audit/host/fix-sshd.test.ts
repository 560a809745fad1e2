/** What the audit prints as a fix of sshd is pasted over SSH, and the one who pasted it still gets in. */
import { describe, test } from "node:test";
import type { Login } from "./door.ts";
import { OPEN, paste, type Row } from "./fix-row.ts";

const INCLUDE = "Include /etc/ssh/sshd_config.d/*.conf\n";
const BY_PASSWORD: Login = { user: "root", by: "password" };

const SSH: readonly Row[] = [
  {
    name: "a password and no key",
    check: "SSH-002",
    sshd: OPEN,
    login: BY_PASSWORD,
    outcome: /SSH-020 first[\s\S]*ssh-copy-id -p 22 root@/,
  },
  {
    name: "a password and no key",
    check: "SSH-020",
    sshd: OPEN,
    login: BY_PASSWORD,
    outcome: /ssh-copy-id -p 22 root@/,
  },
  {
    name: "a password and no key",
    check: "SSH-021",
    sshd: OPEN,
    login: BY_PASSWORD,
    outcome: /SSH-020 first/,
  },
  {
    name: "the stub key of a cloud image, which runs a command that ends",
    check: "SSH-002",
    sshd: OPEN,
    script: `mkdir -p -m 700 /run/home/root/.ssh; printf 'no-port-forwarding,command="echo Please login as ann; sleep 1; exit 142" %s\\n' "$(cat /run/client/key.pub)" >/run/home/root/.ssh/authorized_keys`,
    login: BY_PASSWORD,
    outcome: /SSH-020 first[\s\S]*runs a command in place of a shell/,
  },
  {
    name: "a key whose time is over",
    check: "SSH-002",
    sshd: OPEN,
    script: `mkdir -p -m 700 /run/home/root/.ssh; printf 'expiry-time="20200101" %s\\n' "$(cat /run/client/key.pub)" >/run/home/root/.ssh/authorized_keys`,
    login: BY_PASSWORD,
    outcome: /it expired/,
  },
  {
    name: "a key of a user whom AllowUsers does not name",
    check: "SSH-002",
    sshd: `${OPEN}AllowUsers root\n`,
    keys: ["ann"],
    login: BY_PASSWORD,
    outcome: /SSH-020 first[\s\S]*AllowUsers does not name it/,
  },
  {
    name: "a key of root and nobody else",
    check: "SSH-002",
    sshd: OPEN,
    keys: ["root"],
    outcome: "pass",
    says: /Keep this session open/,
  },
  {
    name: "a key of root and nobody else",
    check: "SSH-001",
    sshd: OPEN,
    keys: ["root"],
    outcome: /with root shut out nobody is left/,
  },
  {
    name: "a key of a user with sudo",
    check: "SSH-001",
    sshd: OPEN,
    keys: ["ann"],
    login: { user: "ann" },
    outcome: "pass",
    says: /ann@/,
  },
  {
    name: "a drop-in of the cloud before ours",
    check: "SSH-002",
    sshd: `${INCLUDE}PermitRootLogin yes\n`,
    dropIns: { "00-a-cloud.conf": "PasswordAuthentication yes\n" },
    keys: ["root"],
    outcome: "pass",
  },
  {
    name: "drop-ins as Debian has them",
    check: "SSH-002",
    sshd: `${INCLUDE}PermitRootLogin yes\n`,
    keys: ["root"],
    outcome: "pass",
    says: /sshd_config\.d\/00-seawall\.conf/,
  },
  {
    name: "a main file that reads no drop-in",
    check: "SSH-002",
    sshd: `Port 2222\n${OPEN}`,
    keys: ["root"],
    login: { port: 2222 },
    outcome: "pass",
    says: /sshd -t && kill -HUP[\s\S]*ssh -t -p 2222/,
  },
  {
    name: "a Match block that takes passwords all the same",
    check: "SSH-002",
    sshd: `PermitRootLogin yes\nPasswordAuthentication no\n`,
    dropIns: {},
    script: "printf 'Match User ann\\n  passwordauthentication  yes\\n' >>/etc/ssh/sshd_config",
    keys: ["root"],
    outcome: "pass",
    says: /Match User ann \(\/etc\/ssh\/sshd_config:\d+\)/,
  },
  {
    name: "an Allow list that names nobody yet",
    check: "SSH-021",
    sshd: OPEN,
    keys: ["root", "ann"],
    also: [{ user: "ann" }],
    outcome: "pass",
  },
  {
    name: "many attempts",
    check: "SSH-006",
    sshd: OPEN,
    keys: ["root"],
    outcome: "pass",
  },
  {
    name: "empty passwords are taken, and there is no key",
    check: "SSH-005",
    sshd: `${OPEN}PermitEmptyPasswords yes\n`,
    login: BY_PASSWORD,
    also: [{ user: "ann", by: "password" }],
    outcome: "pass",
  },
  {
    name: "a drop-in nobody reads, which would let nobody in",
    check: "SSH-016",
    sshd: OPEN,
    dropIns: { "50-old.conf": "AllowUsers bob\nPort 2200\n" },
    keys: ["root"],
    outcome: /allowusers bob \(\/etc\/ssh\/sshd_config\.d\/50-old\.conf:1\)/,
  },
  {
    name: "a drop-in nobody reads, which shuts nobody out",
    check: "SSH-016",
    sshd: OPEN,
    dropIns: { "50-old.conf": "X11Forwarding no\n" },
    keys: ["root"],
    outcome: "pass",
  },
  {
    name: "a new port in the file, which UFW does not know",
    check: "SSH-018",
    sshd: OPEN,
    keys: ["root"],
    script: "ufw allow 22/tcp >/dev/null; ufw --force enable >/dev/null",
    login: {},
    outcome: "pass",
  },
];

describe("the fix of sshd, pasted over SSH", () => {
  for (const row of SSH) test(`${row.check}: ${row.name}`, () => paste(row));
});
