// Backup and restore on a host where a policy is in force and seawalld runs: the kernel is not touched, what it holds
// keeps its name, and the policy that came back can be applied.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Daemon, startDaemon } from "../support/host/daemon.ts";
import { eventually } from "../support/host/eventually.ts";
import { HOST4, type Host, startHost } from "../support/host/host.ts";
import { SEAWALL, type SeawallOnHost, inbound, seawallOn } from "../support/host/seawall.ts";

const WORLD = "45.33.32.156";
const BACKUP = "/run/backup.tar.gz";
const POLICY = "/etc/seawall/policy.yaml";
const OLD = 9_000;
const NEW = 9_001;

describe("with a policy in force and seawalld running", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  let daemon: Daemon;
  before(async () => {
    host = await startHost();
    seawall = seawallOn(host);
    for (const port of [22, OLD, NEW]) await host.listen(port);
    daemon = await startDaemon(host);
    await enforce(OLD);
    await reach(NEW);
    assert.ok(await eventually(async () => (await recorded()) > 0, true));
  });
  after(() => host.stop());

  const reach = (port: number) => host.upstream.connect({ from: WORLD, to: HOST4, port });
  const recorded = async () => (await seawall.ok("flows", "--json")).split("\n").length - 1;
  const status = async () =>
    JSON.parse(await seawall.ok("status", "--json")) as { state: string; policy: { id: number } | null };
  /** Writes the policy of the host and puts it in force. */
  const enforce = async (port: number) => {
    await host.shell(`mkdir -p /etc/seawall; cat >${POLICY}`, {
      input: inbound("ssh from any", `${port} from any`),
    });
    await seawall.ok("apply");
    await seawall.ok("confirm", "--console");
  };

  it("a backup says what is in it, and what comes next", async () => {
    const { code, stdout, stderr } = await seawall.run("backup", BACKUP);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /1 file of the configuration, 1 policy of the history, the events/);
    assert.match(stderr, /Next: .*seawall restore/);
  });

  it("a restore changes no rule, and what is in force keeps its number and its entry", async () => {
    await enforce(NEW);
    const table = await host.seawallTable();
    const { code, stdout, stderr } = await seawall.run("restore", BACKUP);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /the kernel was not touched/);
    assert.match(stdout, /the former files are kept in \/var\/lib\/seawall\/before-restore-/);
    assert.match(stderr, /Next: seawall apply/);
    assert.equal(await host.seawallTable(), table);
    const { state, policy } = await status();
    assert.deepEqual({ state, id: policy?.id }, { state: "enforcing", id: 2 });
    assert.equal(await reach(NEW), "connected");
    assert.equal(await reach(OLD), "refused");
    assert.match(await host.shell(`cat ${POLICY}`), new RegExp(`${OLD}`));
  });

  it("seawalld records in the events that came back", async () => {
    const earlier = await recorded();
    await reach(OLD);
    assert.ok(await eventually(async () => (await recorded()) > earlier, true), daemon.said());
    assert.match(daemon.said(), /replaced by another; recording goes on there/);
  });

  it("the policy that came back is applied as a change of its own", async () => {
    await seawall.ok("apply");
    await seawall.ok("confirm", "--console");
    assert.equal(await reach(OLD), "connected");
    assert.equal(await reach(NEW), "refused");
    assert.equal((await status()).policy?.id, 3);
  });

  it("somebody who is not root is told so", async () => {
    for (const command of [["backup"], ["restore", BACKUP]]) {
      const nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
      const { code, stderr } = await host.run([...nobody, ...SEAWALL, ...command]);
      assert.equal(code, 5, stderr);
    }
  });
});
