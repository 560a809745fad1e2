// The .deb with the real dpkg, on a Debian 12 that debootstrap made.
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { buildDeb } from "../../script/build-deb.ts";
import { readInstallTree, sha256OfTreeFile } from "../../src/install/tree.ts";
import { eventually } from "../support/host/eventually.ts";
import { debianTree } from "../support/machine/debian.ts";
import { CHECKOUT, type Machine, startMachine } from "../support/machine/machine.ts";

/** dpkg's own notes of what it did, and the files that useradd and userdel keep from before their last change. */
const OF_THE_TOOLS =
  /^\/var\/(lib\/dpkg|log|cache)(\/|$)|^\/etc\/(passwd|group|shadow|gshadow|subuid|subgid)-$/;
const ROOT = join(import.meta.dirname, "../..");
const POLICY = `version: 1
mode: enforce
inbound:
  - allow: ssh
    from: any
    why: administration, keys only
`;

describe("the Debian package", () => {
  let machine: Machine;
  let folder: string;
  let deb: string;
  const state = async (): Promise<string> =>
    (JSON.parse(await machine.shell("seawall status --json")) as { state: string }).state;
  const changed = (): string[] =>
    machine
      .changes()
      .filter(({ path }) => !OF_THE_TOOLS.test(path))
      .map(({ path, what }) => `${what} ${path}`);
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "seawall-test-"));
    deb = buildDeb(folder, "none");
    machine = await startMachine({ lower: await debianTree() });
    copyFileSync(deb, join(machine.root, "run/seawall.deb"));
  });
  after(async () => {
    await machine.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is the same byte for byte, whoever builds it and wherever", () => {
    const umask = process.umask(0o077);
    try {
      const again = buildDeb(join(folder, "again"), "none");
      assert.ok(readFileSync(again).equals(readFileSync(deb)));
    } finally {
      process.umask(umask);
    }
  });

  it("holds exactly what `seawall install` would put there", async () => {
    const listed = (await machine.shell("dpkg-deb --fsys-tarfile /run/seawall.deb | tar -tv"))
      .trim()
      .split("\n");
    const files = listed.filter((row) => row.startsWith("-"));
    assert.deepEqual(
      files.map((row) => row.replace(/^.* \./, "")).toSorted((a, b) => (a < b ? -1 : 1)),
      readInstallTree(ROOT).map(({ path }) => path),
    );
    assert.deepEqual(
      listed.filter((row) => !/^[-d]rw(x|-)r-(x|-)r-(x|-) root\/root /.test(row)),
      [],
    );
  });

  it("holds the same bytes as this checkout", async () => {
    await machine.shell(
      "mkdir /run/unpacked; dpkg-deb --fsys-tarfile /run/seawall.deb | tar -xC /run/unpacked",
    );
    const sums = await machine.shell(
      "cd /run/unpacked; find . -type f -exec sha256sum {} +; rm -r /run/unpacked",
    );
    assert.deepEqual(
      new Map(
        sums
          .trim()
          .split("\n")
          .map((line) => [line.slice(67), line.slice(0, 64)]),
      ),
      new Map(readInstallTree(ROOT).map((file) => [file.path, sha256OfTreeFile(file)])),
    );
  });

  it("is refused where `seawall install` was, and the other way round", async () => {
    await machine.shell(`${CHECKOUT}/seawall install`);
    const refused = await machine.run(["dpkg", "-i", "/run/seawall.deb"]);
    assert.match(refused.stderr, /first: seawall uninstall/);
    await machine.shell("seawall uninstall --purge --yes");
    await machine.shell("dpkg -i /run/seawall.deb");
    const other = await machine.run([`${CHECKOUT}/seawall`, "install"]);
    assert.match(other.stderr, /the Debian package `seawall` is installed/);
    const third = await machine.run(["seawall", "uninstall"]);
    assert.match(third.stderr, /the Debian package `seawall` is installed.*try: apt remove seawall/s);
  });

  it("leaves every file as the package has it, the units enabled, and no rule", async () => {
    assert.equal(await machine.shell("dpkg --verify seawall; nft list tables"), "");
    assert.equal(
      await machine.shell(
        "cd /etc/systemd/system; ls sysinit.target.wants multi-user.target.wants | grep seawall",
      ),
      "seawalld.service\nseawall-boot.service\n",
    );
    assert.equal(
      await machine.shell("stat -c '%a %U %n' /etc/seawall /var/lib/seawall"),
      "700 root /etc/seawall\n700 root /var/lib/seawall\n",
    );
  });

  it("what it installed applies and confirms a policy, with its daemon", async () => {
    await machine.shell("setsid seawall daemon >/run/daemon.log 2>&1 &");
    const isThere = async () => (await machine.run(["test", "-S", "/run/seawall/control.sock"])).code;
    assert.equal(await eventually(isThere, 0), 0);
    await machine.shell("cat >/etc/seawall/policy.yaml; seawall apply; seawall confirm --console", {
      input: POLICY,
    });
    assert.equal(await state(), "enforcing");
  });

  it("an upgrade leaves the kernel's rules and the daemon alone", async () => {
    await machine.shell("setsid nft monitor >/run/monitor.log 2>&1 & echo $! >/run/monitor.pid");
    const pid = await machine.shell("pgrep -f '[m]ain.js daemon'");
    await machine.shell("dpkg -i /run/seawall.deb");
    assert.equal(await machine.shell("kill $(cat /run/monitor.pid); cat /run/monitor.log"), "");
    assert.equal(await machine.shell("pgrep -f '[m]ain.js daemon'"), pid);
    assert.equal(await state(), "enforcing");
  });

  it("remove takes down the rules, ends the daemon, and keeps policy and state", async () => {
    await machine.shell("dpkg -r seawall");
    assert.equal(await machine.shell("nft list tables; pgrep -f '[m]ain.js' || :"), "");
    assert.deepEqual(
      changed().filter((line) => /seawall/.test(line) && !/systemd/.test(line)),
      ["new /etc/seawall", "new /var/lib/seawall"],
    );
  });

  it("installed again it knows the state that was kept", async () => {
    await machine.shell("dpkg -i /run/seawall.deb");
    assert.equal(await state(), "off");
    assert.notEqual(await machine.shell("seawall history"), "");
  });

  it("purge leaves the machine byte for byte as it was before", async () => {
    await machine.shell("dpkg --purge seawall");
    assert.deepEqual(changed(), []);
    assert.equal(await machine.shell("dpkg -l | grep seawall || :"), "");
  });
});
