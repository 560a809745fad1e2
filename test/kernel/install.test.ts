// A whole machine to install on: an overlay over this one's file system, in namespaces of its own.
import assert from "node:assert/strict";
import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { VERSION } from "../../src/core/base/version.ts";
import { LIBRARY } from "../../src/install/payload.ts";
import { describe as say } from "../support/host/command.ts";
import { eventually } from "../support/host/eventually.ts";
import { CHECKOUT, type Machine, startMachine } from "../support/machine/machine.ts";

/** useradd and userdel keep the file before their last change; its content is older, and nobody reads it. */
const BACKUPS = /^\/etc\/(passwd|group|shadow|gshadow|subuid|subgid)-$/;
const POLICY = `version: 1
mode: enforce
inbound:
  - allow: ssh
    from: any
    why: administration, keys only
`;

const NODE = `node-linux-${process.arch}`;

interface Said {
  readonly previous: string | null;
  readonly written: readonly string[];
  readonly removed: readonly string[];
  readonly overwritten: readonly string[];
}

describe("install and uninstall, on a machine without systemd", () => {
  let machine: Machine;
  const install = async (...flags: readonly string[]): Promise<Said> =>
    JSON.parse(await machine.shell(`${CHECKOUT}/seawall install --json ${flags.join(" ")}`)) as Said;
  const refused = async (words: string): Promise<string> => {
    const result = await machine.run(["sh", "-c", words]);
    assert.notEqual(result.code, 0, say(result));
    return result.stderr;
  };
  const changed = (): readonly string[] =>
    machine
      .changes()
      .filter(({ path }) => !BACKUPS.test(path))
      .map(({ path, what }) => `${what} ${path}`);
  /** Identity and time of every file of ours: what was not touched has the same. */
  const stamps = (): string =>
    manifest()
      .files.map(({ path }) => lstatSync(join(machine.root, path)))
      .map(({ ino, mtimeMs, ctimeMs }) => `${ino} ${mtimeMs} ${ctimeMs}`)
      .join("\n");
  const manifest = () =>
    JSON.parse(readFileSync(join(machine.root, LIBRARY, "manifest.json"), "utf8")) as {
      readonly files: readonly { readonly path: string; readonly mode: number }[];
    };
  const enforce = async (): Promise<void> => {
    await machine.shell(`cat >/etc/seawall/policy.yaml; seawall apply --json; seawall confirm --console`, {
      input: POLICY,
    });
  };
  const startDaemon = async (): Promise<void> => {
    await machine.shell("setsid seawall daemon >/run/daemon.log 2>&1 &");
    const isThere = async () => (await machine.run(["test", "-S", "/run/seawall/control.sock"])).code;
    assert.equal(await eventually(isThere, 0), 0, await machine.shell("cat /run/daemon.log"));
  };
  before(async () => {
    machine = await startMachine({ lower: "/" });
  });
  after(() => machine.stop());

  it("--dry-run names every file and writes none", async () => {
    const { written } = await install("--dry-run");
    assert.ok(written.includes("/usr/bin/seawall") && written.includes(`${LIBRARY}/node`));
    assert.deepEqual(changed(), []);
  });

  it("says the way back on a card", async () => {
    const said = await machine.shell(`${CHECKOUT}/seawall install`);
    assert.match(said, /no rule is in force that was not before/);
    for (const line of ["seawall rescue", `nft -f ${LIBRARY}/rescue.nft`, "seawall=off"])
      assert.ok(said.includes(line));
  });

  it("every file and folder is root's, and nobody else may write it", () => {
    const paths = new Set(manifest().files.flatMap(({ path }) => upTo(path)));
    const open = [...paths].filter((path) => {
      const { uid, gid, mode } = lstatSync(join(machine.root, path));
      return uid !== 0 || gid !== 0 || (mode & 0o022) !== 0;
    });
    assert.deepEqual(open, []);
    for (const folder of ["/etc/seawall", "/var/lib/seawall"]) {
      assert.equal(lstatSync(join(machine.root, folder)).mode & 0o7777, 0o700);
    }
  });

  it("the gate's user has one number as user and group, no shell and no password", async () => {
    const rows = await machine.shell(
      "getent passwd seawall-gate; getent group seawall-gate; getent shadow seawall-gate",
    );
    const [user, group, shadow] = rows.split("\n").map((row) => row.split(":"));
    assert.deepEqual(
      [user?.[2], user?.[3], group?.[2], user?.[6]],
      ["64953", "64953", "64953", "/usr/sbin/nologin"],
    );
    assert.equal(shadow?.[1], "!");
  });

  it("runs its own Node, whatever PATH, NODE_OPTIONS and NODE_PATH of the caller say", async () => {
    await machine.shell(`mkdir /run/evil; printf 'console.log("evil")' >/run/evil/x.cjs
      for one in node env sh nft; do printf '#!/bin/sh\\necho evil' >/run/evil/$one; chmod 755 /run/evil/$one; done`);
    const env = { PATH: "/run/evil", NODE_OPTIONS: "--require=/run/evil/x.cjs", NODE_PATH: "/run/evil" };
    const { stdout } = await machine.run(["/usr/bin/seawall", "--version"], { env });
    assert.ok(
      stdout.startsWith(`seawall ${VERSION}
`),
      stdout,
    );
  });

  it("rescue is a script and needs no Node", async () => {
    const node = `${LIBRARY}/node`;
    const rescue = `${LIBRARY}/rescue.sh`;
    const said = await machine.shell(`mv ${node} /run/node; cp -p ${rescue} /run/rescue.sh
      printf '#!/bin/sh\\necho "script: $*"\\n' >${rescue}; seawall rescue a 'b c'
      cp -p /run/rescue.sh ${rescue}; cp -p /run/node ${node}`);
    assert.equal(said, "script: a b c\n");
  });

  it("the units are enabled as systemctl would", async () => {
    for (const [target, unit] of [
      ["sysinit", "seawall-boot"],
      ["multi-user", "seawalld"],
    ]) {
      const link = `/etc/systemd/system/${target}.target.wants/${unit}.service`;
      const said = await machine.shell(`readlink -f ${link}; systemctl is-enabled ${unit}.service`);
      assert.equal(said, `/usr/lib/systemd/system/${unit}.service\nenabled\n`);
    }
  });

  it("the same again writes nothing", async () => {
    const earlier = stamps();
    assert.deepEqual((await install()).written, []);
    assert.equal(stamps(), earlier);
  });

  it("what it installed applies and confirms a policy, with its daemon", async () => {
    await startDaemon();
    await enforce();
    assert.equal(await state(), "enforcing");
  });

  const state = async (): Promise<string> =>
    (JSON.parse(await machine.shell("seawall status --json")) as { state: string }).state;

  it("an upgrade whose program does not run leaves everything as it was", async () => {
    await machine.shell(`${sourceOf("9.9.1")}; rm node_modules/node-linux-*; mkdir -p node_modules/${NODE}/bin
      cp ${CHECKOUT}/node_modules/${NODE}/*.json ${CHECKOUT}/node_modules/${NODE}/LICENSE node_modules/${NODE}
      printf '#!/bin/sh\\necho no such instruction; exit 1' >node_modules/${NODE}/bin/node
      chmod 755 node_modules/${NODE}/bin/node`);
    const earlier = stamps();
    assert.match(await refused(installFrom("9.9.1")), /does not run on this machine: no such instruction/);
    assert.equal(stamps(), earlier);
    assert.equal(await machine.shell("ls -d /usr/lib/seawall*"), `${LIBRARY}\n`);
    assert.equal(await state(), "enforcing");
  });

  it("an upgrade takes away what it no longer has; no packet meets a kernel without the rules", async () => {
    await machine.shell(`${sourceOf("9.9.2")}; echo '{}' >schema/added.json; rm dist/lab/run.js
      mkdir share/man/man9; echo .TH >share/man/man9/a.9`);
    await machine.shell(`${sourceOf("9.9.3")}; rm dist/lab/run.js`);
    await machine.shell("setsid nft monitor >/run/monitor.log 2>&1 & echo $! >/run/monitor.pid");
    const added = JSON.parse(await machine.shell(installFrom("9.9.2"))) as Said;
    assert.equal(added.previous, VERSION);
    assert.ok(added.written.includes(`${LIBRARY}/schema/added.json`));
    assert.deepEqual(added.removed, [`${LIBRARY}/dist/lab/run.js`]);
    const taken = JSON.parse(await machine.shell(installFrom("9.9.3"))) as Said;
    assert.deepEqual(taken.removed, [`${LIBRARY}/schema/added.json`, "/usr/share/man/man9/a.9.gz"]);
    assert.match(await machine.shell("seawall --version"), /^seawall 9\.9\.3$/m);
    assert.equal(
      await machine.shell("ls -d /usr/lib/seawall*; ls /usr/share/man | grep man9 || :"),
      `${LIBRARY}\n`,
    );
    assert.equal(await machine.shell("kill $(cat /run/monitor.pid); cat /run/monitor.log"), "");
    assert.equal(await state(), "enforcing");
  });

  it("what somebody changed is ours again after an install, and said", async () => {
    await machine.shell(
      "echo '# mine' >>/usr/lib/systemd/system/seawalld.service; chmod 666 /usr/bin/seawall",
    );
    const { written, overwritten } = await install();
    assert.ok(written.includes("/usr/bin/seawall"));
    assert.deepEqual(overwritten.slice(-1), ["/usr/lib/systemd/system/seawalld.service"]);
  });

  it("uninstall takes down the rules, ends the daemon, and keeps policy and state", async () => {
    await machine.shell("seawall uninstall");
    assert.equal(await machine.shell("nft list tables; pgrep -f [d]ist/cli/main.js || :"), "");
    assert.deepEqual(
      changed().filter((line) => !/^content \/etc\/(passwd|group|g?shadow)$/.test(line)),
      ["new /etc/seawall", "new /var/lib/seawall"],
    );
  });

  it("a file of somebody else in one of our places is not replaced", async () => {
    await machine.shell("echo mine >/usr/bin/seawall");
    assert.match(
      await refused(`${CHECKOUT}/seawall install`),
      /`\/usr\/bin\/seawall` is there and is not ours/,
    );
    await machine.shell("rm /usr/bin/seawall");
  });

  it("the state that was kept is known again, and nothing comes into force by installing", async () => {
    await install();
    assert.equal(await state(), "off");
    assert.notEqual(await machine.shell("seawall history"), "");
  });

  it("uninstall leaves, and names, what was changed since", async () => {
    await machine.shell("echo '# mine' >>/usr/lib/systemd/system/seawalld.service");
    const result = await machine.run(["seawall", "uninstall"]);
    assert.match(
      result.stdout,
      /left, because it was changed: \/usr\/lib\/systemd\/system\/seawalld.service\n/,
    );
    await machine.shell("rm /usr/lib/systemd/system/seawalld.service");
  });

  it("--purge asks for --yes, and leaves the machine byte for byte as it was before", async () => {
    await install();
    await startDaemon();
    await enforce();
    assert.match(await refused("seawall uninstall --purge"), /seawall uninstall --purge --yes/);
    await machine.shell("seawall uninstall --purge --yes");
    assert.deepEqual(changed(), []);
    assert.equal(await machine.shell("nft list tables; ls /run/seawall 2>/dev/null || :"), "");
  });

  it("uninstall without an installation says so", async () => {
    assert.match(await refused(`${CHECKOUT}/seawall uninstall`), /has not installed Seawall on this machine/);
  });
});

/** A source of another version in a folder of its own, which is then the working folder. */
function sourceOf(version: string): string {
  return `d=/run/source-${version}; mkdir -p $d/node_modules; cd ${CHECKOUT}
    cp -rL dist schema share package.json CHANGELOG.md $d; cd $d
    for one in ${CHECKOUT}/node_modules/*; do ln -s $one node_modules/; done
    sed -i 's/"${VERSION}"/"${version}"/' dist/core/base/version.js package.json`;
}

function installFrom(version: string): string {
  return `${CHECKOUT}/node_modules/${NODE}/bin/node /run/source-${version}/dist/cli/main.js install --json`;
}

function upTo(path: string): string[] {
  const inner = path.slice(0, path.lastIndexOf("/"));
  return inner.startsWith(LIBRARY) ? [path, ...upTo(inner)] : [path];
}
