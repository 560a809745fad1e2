// The units under a real systemd: what they may do, and that it is enough for their work.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { describe as say } from "../support/host/command.ts";
import { eventually } from "../support/host/eventually.ts";
import { CHECKOUT, type Machine, startMachine } from "../support/machine/machine.ts";

/** `systemd-analyze security`: 0 is nothing to attack, 10 is everything. */
const EXPOSURE_MAX = 2;
/**
 * What seawalld's work asks for is 1.0 above that, as man:systemd.exec(5) counts: a full bounding set of root with
 * netlink, the machine's own network and users, /proc of others, the clock, and the internet for the gate that is its child.
 */
const EXPOSURE_OF_SEAWALLD_MAX = 3;

const POLICY = `version: 1
mode: enforce
inbound:
  - allow: ssh
    from: any
    why: administration, keys only
outbound:
  - allow: [api.github.com]
    why: skills installed from GitHub
scopes:
  agent: {user: nobody}
accept_risk:
  - {scope: agent, reason: a test of the units alone, by: test, expires: 2099-01-01}
`;

describe("the units, as systemd-analyze sees them", () => {
  let machine: Machine;
  before(async () => {
    machine = await startMachine({ lower: "/" });
    await machine.shell(`${CHECKOUT}/seawall install`);
  });
  after(() => machine.stop());

  it("verify finds nothing, also with nftables.service and its drop-in", async () => {
    const units = "seawall-boot.service seawalld.service nftables.service";
    const result = await machine.run(["sh", "-c", `systemd-analyze verify --man=no ${units}`]);
    assert.deepEqual([result.code, result.stdout, result.stderr], [0, "", ""]);
  });

  it("verify would find a mistake", async () => {
    await machine.shell(
      "sed 's/^ProtectHome=.*/ProtectHome=perhaps/' /usr/lib/systemd/system/seawalld.service >/run/bad.service",
    );
    const result = await machine.run(["sh", "-c", "systemd-analyze verify --man=no /run/bad.service"]);
    assert.match(result.stderr, /perhaps/);
  });

  it("no unit is in the way of another at boot", async () => {
    const result = await machine.run(["sh", "-c", "systemd-analyze verify --man=no default.target"]);
    assert.doesNotMatch(result.stderr, /cycle|seawall/);
  });

  for (const [unit, max] of [
    ["seawall-boot.service", EXPOSURE_MAX],
    ["seawalld.service", EXPOSURE_OF_SEAWALLD_MAX],
  ] as const) {
    it(`the exposure of ${unit} is at most ${max}`, async () => {
      const said = await machine.shell(`systemd-analyze security --offline=true --no-pager ${unit}`);
      const figure = Number(/exposure level for \S+: ([0-9.]+)/.exec(said)?.[1]);
      assert.ok(figure <= max, `${figure}\n${said}`);
    });
  }
});

describe("the units at work", () => {
  let machine: Machine;
  const ok = (script: string): Promise<string> => machine.shell(script);
  const eventuallyOk = async (script: string): Promise<void> => {
    const last = await eventually(async () => (await machine.run(["sh", "-c", script])).code, 0);
    assert.equal(
      last,
      0,
      say(await machine.run(["sh", "-c", `${script}; systemctl status 'seawall*' --no-pager`])),
    );
  };
  const gate = async (): Promise<string> => (await ok("pgrep -f '[m]ain.js gate'")).trim();
  const statusOf = async (pid: string, row: string): Promise<string> =>
    (await ok(`sed -n 's/^${row}:[\\t ]*//p' /proc/${pid}/status`)).trim();
  before(async () => {
    machine = await startMachine({ lower: "/", systemd: true });
    await eventuallyOk("systemctl is-system-running | grep -qE 'running|degraded'");
    await ok(`${CHECKOUT}/seawall install`);
  });
  after(() => machine.stop());

  it("install starts seawalld, and enables both units", async () => {
    await eventuallyOk("test -S /run/seawall/control.sock");
    assert.equal(
      await ok("systemctl is-enabled seawall-boot seawalld; systemctl is-active seawalld"),
      "enabled\nenabled\nactive\n",
    );
  });

  it("seawalld keeps the gate of a policy with names, in its sandbox", async () => {
    await machine.shell("umask 077; cat >/etc/seawall/policy.yaml", { input: POLICY });
    await ok("seawall apply && seawall confirm --console");
    assert.match(await ok("seawall status"), /gate +answers: names are decided/);
  });

  it("the gate is a user of its own without any right", async () => {
    const pid = await gate();
    assert.deepEqual(
      [await statusOf(pid, "Uid"), await statusOf(pid, "Gid"), await statusOf(pid, "Groups")].map(
        (row) => row.split(/\s+/)[0],
      ),
      ["64953", "64953", ""],
    );
    assert.match(await statusOf(pid, "CapEff"), /^0+$/);
    assert.equal(await statusOf(pid, "NoNewPrivs"), "1");
  });

  it("a restart of seawalld leaves the gate, which links to the new one", async () => {
    const pid = await gate();
    await ok("systemctl restart seawalld");
    await eventuallyOk("seawall status | grep -q 'gate *answers: names are decided'");
    assert.equal(await gate(), pid);
  });

  it("a killed seawalld comes back", async () => {
    const pid = await ok("systemctl show -P MainPID seawalld");
    await ok(`kill -KILL ${pid}`);
    await eventuallyOk(`p=$(systemctl show -P MainPID seawalld); [ $p != 0 ] && [ $p != ${pid.trim()} ]`);
    await eventuallyOk("test -S /run/seawall/control.sock");
  });

  it("seawall-boot loads what was confirmed, in its sandbox", async () => {
    await ok("systemctl stop seawalld; nft delete table inet seawall");
    await ok("systemctl restart seawall-boot");
    assert.match(await ok("seawall status"), /^ENFORCING/m);
    await ok("systemctl start seawalld");
  });

  it("seawall-boot makes the slice that the rules name where it is not there yet", async () => {
    const slice = "/sys/fs/cgroup/seawall.slice/seawall-agent.slice";
    await ok(
      "printf '[Service]\\nExecStart=/bin/sleep 1000\\n' >/etc/systemd/system/tool.service; systemctl daemon-reload",
    );
    const text = POLICY.replace("mode: enforce", "mode: {inbound: enforce, outbound: observe}");
    await machine.shell("cat >/etc/seawall/policy.yaml", {
      input: text.replace("user: nobody", "unit: tool"),
    });
    await ok("seawall apply && seawall confirm --console");
    await ok(`systemctl stop seawalld; nft delete table inet seawall; rmdir ${slice}`);
    await ok("systemctl restart seawall-boot");
    assert.match(
      await ok(`stat -c %F ${slice}; nft list tables`),
      /^directory\n(.*\n)*table inet seawall\n$/,
    );
    await ok("systemctl start seawalld");
  });

  it("a restart, a reload and a stop of nftables.service leave our rules in the kernel without seawalld", async () => {
    await ok("systemctl stop seawalld");
    for (const verb of ["restart", "reload", "stop"]) {
      await ok(`systemctl ${verb} nftables`);
      assert.match(await ok("nft list tables"), /table inet seawall/, verb);
    }
    await ok("systemctl start seawalld");
  });

  it("attach puts a unit below the slice of its scope from its next start on, and --undo takes that back", async () => {
    const where =
      "systemctl restart tool && cut -d: -f3 /proc/$(systemctl show -P MainPID tool)/cgroup | tail -1";
    assert.match(await ok(where), /system.slice\/tool.service\n$/);
    await ok("seawall attach tool");
    assert.match(await ok(where), /seawall.slice\/seawall-agent.slice\/tool.service\n$/);
    await ok("seawall attach tool && seawall attach --undo");
    assert.match(await ok(where), /system.slice\/tool.service\n$/);
    assert.equal(await ok("ls /etc/systemd/system | grep -E 'tool.service.d|slice' || :"), "");
    assert.equal((await machine.run(["seawall", "attach", "not-there"])).code, 2);
  });

  it("uninstall stops and disables them, and ends the gate", async () => {
    await eventuallyOk("test -S /run/seawall/control.sock");
    await ok("seawall uninstall --purge --yes");
    assert.equal(await ok("pgrep -f '[m]ain.js' || :; nft list tables"), "");
    assert.equal(await ok("systemctl list-unit-files --no-legend 'seawall*.service' || :"), "");
  });
});
