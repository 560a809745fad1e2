/** The real apt: what its settings add up to, which archives it would take from, what waits. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Namespace, startNamespace } from "../../support/host/namespace.ts";
import { type Audited, audited, said, shellIn } from "./audit-on.ts";

/** An archive in a folder, as apt sees it: one package, a newer version of one that is installed. */
const ARCHIVE = `
mkdir -p /run/archive; cd /run/archive
version=$(dpkg-query -W -f '\${Version}' hostname)
cat >Packages <<X
Package: hostname
Version: 99:$version
Architecture: $(dpkg --print-architecture)
Maintainer: nobody <nobody@example.org>
Filename: ./hostname.deb
Size: 1
SHA256: 0000000000000000000000000000000000000000000000000000000000000000
Description: newer
X
cat >Release <<X
Origin: Debian
Label: Debian-Security
Suite: test-security
Codename: CODENAME-security
Date: Sat, 21 Nov 2026 00:00:00 UTC
SHA256:
 $(sha256sum Packages | cut -d' ' -f1) $(stat -c %s Packages) Packages
X
`;

describe("apt", () => {
  let host: Namespace;
  before(async () => {
    host = await startNamespace();
    await shellIn(
      host,
      `${ARCHIVE}
. /etc/os-release; sed -i "s/CODENAME/$VERSION_CODENAME/" Release
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d /var/lib/apt/lists; mkdir -p /etc/apt/sources.list.d /var/lib/apt/lists/partial /var/lib/apt/periodic
echo 'deb [trusted=yes] file:/run/archive ./' >/etc/apt/sources.list
apt-get update -q >/dev/null`,
    );
  });
  after(() => host.stop());

  const look = (): Promise<Audited> => audited(host, "--layer", "updates");
  const settings = (text: string): Promise<string> =>
    shellIn(
      host,
      "rm -f /etc/apt/apt.conf.d/*unattended* /etc/apt/apt.conf.d/*auto-upgrades* /etc/apt/apt.conf.d/99*; cat >/etc/apt/apt.conf.d/52test",
      text,
    );

  test("a security update waits in the archive", async () => {
    const audit = await look();
    assert.equal(audit["UPD-007"]?.status, "fail", said(audit, "UPD-007"));
    assert.match(said(audit, "UPD-007"), /hostname 99:/);
  });

  test("a source that is exempt from signatures is named with its line", async () => {
    const audit = await look();
    assert.equal(audit["UPD-010"]?.status, "fail");
    assert.match(said(audit, "UPD-010"), /sources\.list:1: trusted=yes/);
  });

  test("switched on, and its pattern matches the archive", async () => {
    await settings(
      'APT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "1";\nUnattended-Upgrade::Origins-Pattern { "origin=Debian,codename=${distro_codename}-security,label=Debian-Security"; };\n',
    );
    const audit = await look();
    for (const id of ["UPD-001", "UPD-002", "UPD-003", "UPD-004"])
      assert.equal(audit[id]?.status, "pass", `${id}: ${said(audit, id)}`);
  });

  test("one file switches on, a later one switches everything off", async () => {
    await shellIn(host, "echo 'APT::Periodic::Enable \"0\";' >/etc/apt/apt.conf.d/99off");
    const audit = await look();
    assert.equal(audit["UPD-002"]?.status, "fail");
    assert.match(said(audit, "UPD-002"), /nothing of it runs/);
  });

  test("the pattern names last year's release: nothing would ever be installed", async () => {
    await settings(
      'APT::Periodic::Unattended-Upgrade "1";\nUnattended-Upgrade::Origins-Pattern { "origin=Debian,codename=buster-security"; };\n',
    );
    const audit = await look();
    assert.equal(audit["UPD-003"]?.status, "fail", said(audit, "UPD-003"));
    assert.match(said(audit, "UPD-003"), /no pattern matches/);
  });

  test("neither systemd nor cron runs: nothing starts it, and it never ran", async () => {
    const audit = await look();
    assert.equal(audit["UPD-005"]?.status, "fail", said(audit, "UPD-005"));
    await shellIn(host, "touch -d '-10 days' /var/lib/apt/periodic/unattended-upgrades-stamp");
    const later = await look();
    assert.equal(later["UPD-006"]?.status, "fail");
    assert.match(said(later, "UPD-006"), /10 days ago/);
    await shellIn(host, "touch /var/lib/apt/periodic/unattended-upgrades-stamp");
    assert.equal((await look())["UPD-006"]?.status, "pass");
  });

  test("a restart that waits for a month", async () => {
    await shellIn(host, "touch -d '-30 days' /run/reboot-required");
    const audit = await look();
    assert.equal(audit["UPD-008"]?.status, "fail");
    await shellIn(host, "rm /run/reboot-required");
    assert.equal((await look())["UPD-008"]?.status, "pass");
  });
});
