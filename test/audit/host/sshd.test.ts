/** The real sshd in the shapes that servers have it in: what it does counts, not what a file says. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { start } from "../../support/host/command.ts";
import { eventually } from "../../support/host/eventually.ts";
import { ENVIRONMENT, type Namespace, startNamespace } from "../../support/host/namespace.ts";
import { audited, said, shellIn } from "./audit-on.ts";

type Shape = {
  readonly name: string;
  readonly main: string;
  readonly dropIns?: Readonly<Record<string, string>>;
  readonly more?: string;
  /** Check to its status, and words that its evidence holds. */
  readonly expect: Readonly<Record<string, readonly [status: string, says?: RegExp]>>;
};

const INCLUDE = "Include /etc/ssh/sshd_config.d/*.conf\n";
const HARD =
  "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin no\nMaxAuthTries 3\nX11Forwarding no\n";

const SHAPES: readonly Shape[] = [
  {
    name: "as Debian ships it",
    main: `${INCLUDE}KbdInteractiveAuthentication no\nX11Forwarding yes\n`,
    expect: {
      "SSH-001": ["fail", /without-password/],
      "SSH-002": ["fail", /yes/],
      "SSH-003": ["pass"],
      "SSH-005": ["pass"],
      "SSH-006": ["fail", /6/],
      "SSH-007": ["fail"],
    },
  },
  {
    name: "hardened by one drop-in",
    main: INCLUDE,
    dropIns: { "00-seawall.conf": HARD },
    expect: {
      "SSH-001": ["pass"],
      "SSH-002": ["pass"],
      "SSH-003": ["pass"],
      "SSH-006": ["pass"],
      "SSH-007": ["pass"],
      "SSH-016": ["pass"],
    },
  },
  {
    name: "a cloud image whose own drop-in comes first",
    main: INCLUDE,
    dropIns: {
      "50-cloud-init.conf": "PasswordAuthentication yes\n",
      "99-hardening.conf": "PasswordAuthentication no\n",
    },
    expect: {
      "SSH-002": ["fail", /passwordauthentication yes/],
      "SSH-016": ["fail", /99-hardening\.conf:1\) is not in force: sshd uses yes/],
    },
  },
  {
    name: "an upgraded server whose main file has no Include",
    main: "PasswordAuthentication yes\n",
    dropIns: { "00-seawall.conf": HARD },
    expect: { "SSH-002": ["fail"], "SSH-016": ["fail", /00-seawall\.conf is not read by sshd/] },
  },
  {
    name: "passwords for the office network by a Match block",
    main: `${INCLUDE}${HARD}Match Address 10.0.0.0/8\n  PasswordAuthentication yes\n`,
    expect: {
      "SSH-002": ["fail", /from 10\.0\.0\.(0|9)/],
      "SSH-017": ["fail", /Match Address 10\.0\.0\.0\/8 \(\/etc\/ssh\/sshd_config:\d+\)/],
    },
  },
  {
    name: "passwords for one user by a Match block",
    main: `${HARD}Match User operator\n  PasswordAuthentication yes\n`,
    expect: { "SSH-002": ["fail", /as operator/], "SSH-017": ["fail"] },
  },
  {
    name: "root may log in from one address",
    main: `${HARD}Match Address 192.0.2.77\n  PermitRootLogin yes\n`,
    expect: { "SSH-001": ["fail", /permitrootlogin yes as \w+ from 192\.0\.2\.77/] },
  },
  {
    name: "a Match block that only tightens",
    main: `PasswordAuthentication no\nMatch User operator\n  AllowTcpForwarding no\n`,
    expect: { "SSH-002": ["pass"], "SSH-017": ["pass", /no weaker login/] },
  },
  {
    name: "the old port and the new",
    main: "Port 22\nPort 2222\n",
    expect: { "SSH-019": ["fail", /22 and 2222/] },
  },
  {
    name: "a drop-in that everybody may write",
    main: INCLUDE,
    dropIns: { "10-site.conf": HARD },
    more: "chmod 666 /etc/ssh/sshd_config.d/10-site.conf",
    expect: { "SSH-015": ["fail", /10-site\.conf: 0666/], "SSH-002": ["pass"] },
  },
  {
    name: "a host key that others may read",
    main: "",
    more: "ssh-keygen -q -t ecdsa -N '' -f /etc/ssh/ssh_host_ecdsa_key <<-X\ny\nX\nchmod 644 /etc/ssh/ssh_host_ed25519_key",
    expect: { "SSH-014": ["fail", /ssh_host_ed25519_key: 0644/] },
  },
  {
    name: "a configuration that sshd refuses",
    main: "Nonsense yes\n",
    expect: { "SSH-002": ["unknown", /sshd -T fails/] },
  },
  {
    name: "keys for a user who may use sudo",
    main: HARD,
    more: USER_WITH_KEY(),
    expect: { "SSH-020": ["pass", /operator has 1 key/] },
  },
  {
    name: "the same key in a home that others may write",
    main: HARD,
    more: `${USER_WITH_KEY()}\nchmod 777 /run/home/operator`,
    expect: { "SSH-020": ["fail", /does not use .*0777/] },
  },
  {
    name: "a user who may use sudo with a password and has none",
    main: HARD,
    more: `${USER_WITH_KEY()}\nsed -i 's/NOPASSWD: //' /etc/sudoers.d/group`,
    expect: { "SSH-020": ["fail", /sudo asks for a password, and the account has none/] },
  },
  {
    name: "a key that only runs a command",
    main: HARD,
    more: `${USER_WITH_KEY()}\nsed -i 's/^/command="exit 142" /' /run/home/operator/.ssh/authorized_keys`,
    expect: { "SSH-020": ["fail", /runs a command in place of a shell: exit 142/] },
  },
  {
    name: "a user whom AllowGroups leaves out",
    main: `${HARD}AllowGroups wheel\n`,
    more: USER_WITH_KEY(),
    expect: { "SSH-020": ["fail", /AllowGroups names no group of it/] },
  },
  {
    name: "a key and a password together, by AuthenticationMethods",
    main: `PasswordAuthentication yes\nAuthenticationMethods publickey,password\n${HARD}`,
    more: USER_WITH_KEY(),
    expect: { "SSH-020": ["fail", /asks for more than a key/] },
  },
  {
    name: "keys that a program hands out",
    main: `${HARD}AuthorizedKeysCommand /usr/bin/keys\nAuthorizedKeysCommandUser nobody\n`,
    expect: { "SSH-020": ["unknown", /also asks \/usr\/bin\/keys for keys/] },
  },
  {
    name: "an algorithm of the nineties",
    main: "Ciphers +aes128-cbc\n",
    expect: { "SSH-013": ["fail", /ciphers: aes128-cbc/] },
  },
  {
    name: "only a group may log in",
    main: "AllowGroups ssh-users\n",
    expect: { "SSH-021": ["pass", /ssh-users/] },
  },
];

function USER_WITH_KEY(): string {
  return `mkdir -p -m 700 /run/home/operator/.ssh
cp /run/key.pub /run/home/operator/.ssh/authorized_keys
chown -R 4800:4800 /run/home/operator; chmod 700 /run/home/operator; chmod 600 /run/home/operator/.ssh/authorized_keys`;
}

const BASE = `[ ! -d /etc/sudoers.d ] || echo '%sudo ALL=(ALL:ALL) NOPASSWD: ALL' >/etc/sudoers.d/group; rm -rf /etc/ssh/sshd_config /etc/ssh/sshd_config.d /run/home/operator; mkdir -p /etc/ssh/sshd_config.d /run/home/operator
chmod 600 /etc/ssh/ssh_host_*_key`;

describe("sshd", () => {
  let host: Namespace;
  before(async () => {
    host = await startNamespace();
    await shellIn(
      host,
      `rm -f /etc/ssh/ssh_host_*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; ssh-keygen -q -t ed25519 -N '' -f /run/key
echo 'operator:x:4800:4800::/run/home/operator:/bin/bash' >>/etc/passwd; echo 'operator:x:4800:' >>/etc/group
echo 'operator:*:19000:0:99999:7:::' >>/etc/shadow; sed -i 's/^sudo:.*/sudo:x:27:operator/' /etc/group; grep -q ^sudo: /etc/group || echo 'sudo:x:27:operator' >>/etc/group
mkdir -p /etc/sudoers.d; echo '%sudo ALL=(ALL:ALL) NOPASSWD: ALL' >/etc/sudoers.d/group`,
    );
  });
  after(() => host.stop());

  for (const { name, main, dropIns = {}, more = "", expect } of SHAPES) {
    test(name, async () => {
      await shellIn(host, `${BASE}; cat >/etc/ssh/sshd_config; chmod 644 /etc/ssh/sshd_config`, main);
      for (const [file, text] of Object.entries(dropIns))
        await shellIn(
          host,
          `cat >/etc/ssh/sshd_config.d/${file}; chmod 600 /etc/ssh/sshd_config.d/${file}`,
          text,
        );
      if (more !== "") await shellIn(host, more);
      const audit = await audited(host, "--check", Object.keys(expect).join(","));
      for (const [id, [status, says]] of Object.entries(expect)) {
        assert.equal(audit[id]?.status, status, `${id}: ${said(audit, id)}`);
        if (says !== undefined) assert.match(said(audit, id), says, id);
      }
      assert.equal(
        (await shellIn(host, "test -e /run/sshd && echo there || echo none")).trim(),
        "none",
        "the audit made a folder",
      );
    });
  }

  test("a running sshd: its sockets, its own -f file, and a file that is newer than what it read", async () => {
    await shellIn(
      host,
      `${BASE}; mkdir -p /run/sshd; printf 'Port 2244\\nPidFile /run/own.pid\\nHostKey /etc/ssh/ssh_host_ed25519_key\\n${HARD.replaceAll("\n", "\\n")}' >/run/own.conf; chmod 600 /run/own.conf`,
    );
    start(host.inside(["/usr/sbin/sshd", "-D", "-f", "/run/own.conf"]), { env: ENVIRONMENT, cwd: "/" });
    assert.ok(
      await eventually(async () => /\d/.test(await shellIn(host, "cat /run/own.pid 2>/dev/null || :")), true),
    );
    const ids = ["--check", "SSH-002,SSH-018,SSH-019,SSH-024"];
    const first = await audited(host, ...ids);
    for (const id of ["SSH-002", "SSH-018", "SSH-019", "SSH-024"])
      assert.equal(first[id]?.status, "pass", `${id}: ${said(first, id)}`);
    assert.match(said(first, "SSH-018"), /2244/);
    await shellIn(
      host,
      "sed -i 's/2244/2255/; s/PasswordAuthentication no/PasswordAuthentication yes/' /run/own.conf; touch -d '+5 seconds' /run/own.conf",
    );
    const second = await audited(host, ...ids);
    assert.equal(second["SSH-018"]?.status, "fail");
    assert.match(said(second, "SSH-018"), /2255 is configured, nobody listens[\s\S]*listens on 2244/);
    assert.equal(second["SSH-024"]?.status, "fail", said(second, "SSH-024"));
    assert.equal(second["SSH-002"]?.status, "fail");
  });
});
