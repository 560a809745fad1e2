/** The real fail2ban: its server's answers and the kernel's sets, not its files. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { start } from "../../support/host/command.ts";
import { eventually } from "../../support/host/eventually.ts";
import { ENVIRONMENT, type Namespace, startNamespace } from "../../support/host/namespace.ts";
import { audited, said, shellIn } from "./audit-on.ts";

const JAIL = (more: string): string => `[DEFAULT]
banaction = nftables-multiport
[sshd]
enabled = true
backend = polling
logpath = /run/auth.log
${more}
`;

describe("fail2ban", () => {
  let host: Namespace;
  before(async () => {
    host = await startNamespace();
    await shellIn(
      host,
      "mkdir -p /run/fail2ban /run/sshd; : >/run/auth.log; printf '[sshd]\\nenabled = true\\n' >/etc/fail2ban/jail.d/defaults-debian.conf; rm -f /var/log/auth.log; test -e /etc/ssh/ssh_host_ed25519_key || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; echo 'Port 22' >/etc/ssh/sshd_config",
    );
    start(host.inside(["/usr/sbin/sshd", "-D"]), { env: ENVIRONMENT, cwd: "/" });
  });
  after(() => host.stop());

  async function serve(more: string): Promise<void> {
    await shellIn(
      host,
      "fail2ban-client stop >/dev/null 2>&1 || :; nft flush ruleset; rm -f /etc/fail2ban/jail.d/*; cat >/etc/fail2ban/jail.d/00.local",
      JAIL(more),
    );
    start(host.inside(["fail2ban-server", "-f", "start"]), { env: ENVIRONMENT, cwd: "/" });
    const ready = await eventually(async () => (await host.run(["fail2ban-client", "ping"])).code, 0);
    assert.equal(ready, 0);
  }

  test("the stock configuration of a server without a log cannot be loaded", async () => {
    const audit = await audited(host, "--layer", "fail2ban");
    assert.equal(audit["F2B-001"]?.status, "fail");
    assert.match(said(audit, "F2B-001"), /does not answer/);
    assert.equal(audit["F2B-002"]?.status, "fail");
    assert.match(said(audit, "F2B-002"), /Have not found any log file for sshd jail/);
    assert.equal(audit["F2B-006"]?.status, "unknown");
  });

  test("a jail as it should be", async () => {
    await serve(
      "maxretry = 5\nfindtime = 10m\nbantime = 1h\nbantime.increment = true\nignoreip = 127.0.0.1/8 198.51.100.0/24\n",
    );
    const audit = await audited(host, "--layer", "fail2ban");
    for (const id of ["F2B-001", "F2B-002", "F2B-003", "F2B-004", "F2B-005", "F2B-006", "F2B-007", "F2B-008"])
      assert.equal(audit[id]?.status, "pass", `${id}: ${said(audit, id)}`);
    assert.match(said(audit, "F2B-008"), /198\.51\.100\.0\/24/);
  });

  test("mild thresholds, and bans at a port where nobody listens", async () => {
    await serve("maxretry = 30\nfindtime = 1m\nbantime = 1m\nport = 2222\n");
    const audit = await audited(host, "--layer", "fail2ban");
    assert.equal(audit["F2B-004"]?.status, "fail");
    assert.match(said(audit, "F2B-004"), /maxretry is 30[\s\S]*findtime is 60[\s\S]*bantime is 60/);
    assert.equal(audit["F2B-005"]?.status, "fail");
    assert.match(said(audit, "F2B-005"), /sshd listens on 22, bans hold at 2222/);
  });

  test("bans that the kernel holds, and those that a flush of another program took away", async () => {
    await serve("bantime = 1h\n");
    await shellIn(host, "fail2ban-client set sshd banip 192.0.2.1 192.0.2.2 2001:db8::5");
    const held = await audited(host, "--check", "F2B-006");
    assert.equal(held["F2B-006"]?.status, "pass", said(held, "F2B-006"));
    assert.match(said(held, "F2B-006"), /all 3 banned/);
    await shellIn(host, "nft flush ruleset; fail2ban-client set sshd banip 192.0.2.3");
    const lost = await audited(host, "--check", "F2B-006");
    assert.equal(lost["F2B-006"]?.status, "fail");
    assert.match(said(lost, "F2B-006"), /4 banned, 3 of them not in the kernel/);
  });

  test("a log file that went away", async () => {
    await serve("");
    await shellIn(host, "rm /run/auth.log");
    const audit = await audited(host, "--check", "F2B-003");
    assert.equal(audit["F2B-003"]?.status, "fail", said(audit, "F2B-003"));
  });
});
