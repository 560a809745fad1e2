// A machine starts: the rules that were confirmed last are there before anything of Seawall runs.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { eventually } from "../support/host/eventually.ts";
import { HOST4, type Host, startHost } from "../support/host/host.ts";
import { restart, runShipped } from "../support/host/restart.ts";
import { inbound, SEAWALL, type SeawallOnHost, seawallOn } from "../support/host/seawall.ts";

const WORLD4 = "45.33.32.156";
const STATE = "/var/lib/seawall";
const BOOT = `${STATE}/boot`;
const KEPT = 9_000;
const OTHER = 9_001;

describe("a machine that starts", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  before(async () => {
    host = await startHost();
    seawall = seawallOn(host);
    for (const port of [22, KEPT, OTHER]) await host.listen(port);
  });
  after(() => host.stop());
  beforeEach(async () => {
    await seawall.run("down");
    await host.shell(`rm -rf ${STATE}`);
  });

  const reach = (port: number) => host.upstream.connect({ from: WORLD4, to: HOST4, port });
  const started = async () => {
    const result = await restart(host);
    assert.equal(result.code, 0, result.stderr);
  };

  it("without a confirmed policy has nothing of ours", async () => {
    await started();
    assert.equal(await reach(OTHER), "connected");
    await seawall.ok("apply", await seawall.policy(inbound("ssh from any")));
    await started();
    assert.equal(await reach(OTHER), "connected", "what nobody confirmed is not there after a start");
    assert.equal((await seawall.status()).state, "off");
  });

  it("has the policy that was confirmed last, without Node", async () => {
    await seawall.enforce(inbound("ssh from any", `${KEPT} from any`));
    await started();
    assert.equal(await reach(KEPT), "connected");
    assert.equal(await reach(OTHER), "refused");
    const { state, generation } = await seawall.status();
    assert.deepEqual({ state, generation }, { state: "enforcing", generation: 1 });
  });

  it("is without a change that waited for its confirm", async () => {
    await seawall.enforce(inbound("ssh from any", `${KEPT} from any`));
    await seawall.ok("apply", await seawall.policy(inbound("ssh from any", `${OTHER} from any`)));
    assert.equal(await reach(OTHER), "connected");
    await started();
    assert.equal(await reach(OTHER), "refused");
    assert.equal(await reach(KEPT), "connected");
  });

  it("has nothing of ours after `down`", async () => {
    await seawall.enforce(inbound("ssh from any"));
    await seawall.ok("down");
    await started();
    assert.equal(await reach(OTHER), "connected");
  });

  it("goes on with the next change as if it had not started anew", async () => {
    await seawall.enforce(inbound("ssh from any", `${KEPT} from any`));
    await started();
    await seawall.enforce(inbound("ssh from any", `${OTHER} from any`));
    assert.equal(await reach(OTHER), "connected");
    assert.equal(await reach(KEPT), "refused");
    await seawall.ok("rollback");
    assert.equal(await reach(KEPT), "connected");
  });

  it("whose confirmed rules are refused has what stands in: SSH and nothing else, and says so", async () => {
    await seawall.enforce(inbound("ssh from any", `${KEPT} from any`));
    await host.shell(`echo 'add rule inet nobody knows this' >>${BOOT}/ruleset.nft`);
    const result = await restart(host);
    assert.equal(result.code, 1);
    assert.match(result.stderr, /only SSH comes in/);
    assert.equal(await reach(22), "connected");
    assert.equal(await reach(KEPT), "refused");
    assert.equal((await seawall.status()).state, "drifted");
  });

  it("with rules that somebody else than root could have written does not load them", async () => {
    await seawall.enforce(inbound("ssh from any", `${KEPT} from any`));
    await host.shell(`chmod 666 ${BOOT}/ruleset.nft`);
    const result = await restart(host);
    assert.equal(result.code, 1);
    assert.match(result.stderr, /not root's alone/);
    assert.equal(await reach(22), "connected");
    assert.equal(await reach(KEPT), "refused");
  });

  it("with a state folder that is gone has no rules, and does not fail", async () => {
    await seawall.enforce(inbound("ssh from any"));
    await host.shell(`rm -rf ${STATE}`);
    await started();
    assert.equal(await reach(OTHER), "connected");
  });

  it("after a flush by somebody else has the rules again with --reload, and only then", async () => {
    await seawall.enforce(inbound("ssh from any", `${KEPT} from any`));
    await host.shell("nft flush ruleset");
    assert.equal(await reach(OTHER), "connected");
    assert.equal((await runShipped(host, "boot.sh", "--reload")).code, 0);
    assert.equal(await reach(OTHER), "refused");
    await seawall.ok("apply", await seawall.policy(inbound("ssh from any", `${OTHER} from any`)));
    const { generation } = await seawall.status();
    await runShipped(host, "boot.sh", "--reload");
    assert.equal((await seawall.status()).generation, generation, "a change that waits goes on waiting");
    await seawall.ok("rollback");
  });

  describe("and does not know the time", () => {
    const temporary = (ends: string) =>
      `${inbound("ssh from any", `${KEPT} from any`)}  - {id: brief, allow: ${OTHER}, from: any, why: a rule of this test, expires: "${ends}"}\n`;
    const later = () => new Date(Date.now() + 3_600_000).toISOString();
    const said = { text: "" };
    const daemon = async () => {
      const child = host.start([...SEAWALL, "daemon"]);
      said.text = "";
      child.stderr?.setEncoding("utf8").on("data", (text: string) => (said.text += text));
      await eventually(() => Promise.resolve(said.text.includes("reading the kernel's log")), true);
    };

    it("holds what is allowed only until a time, and gives it back when the clock is set", async () => {
      await seawall.enforce(temporary(later()));
      assert.equal(await reach(OTHER), "connected");
      await started();
      assert.equal(await reach(OTHER), "refused");
      assert.equal(await reach(KEPT), "connected");
      assert.match(await seawall.ok("status"), /^held /m);
      await daemon();
      await host.shell("mkdir -p /run/systemd/timesync; touch /run/systemd/timesync/synchronized");
      assert.equal(await eventually(() => reach(OTHER), "connected"), "connected");
      assert.doesNotMatch(await seawall.ok("status"), /^held /m);
      await host.shell("rm /run/systemd/timesync/synchronized; pkill -f '[m]ain.ts daemon'");
    });

    it("never gives back what has ended meanwhile", async () => {
      await seawall.enforce(temporary(new Date(Date.now() + 4_000).toISOString()));
      await started();
      await host.shell("mkdir -p /run/systemd/timesync; touch /run/systemd/timesync/synchronized; sleep 5");
      await daemon();
      await eventually(() => Promise.resolve(said.text.includes("what was confirmed")), true, 20_000);
      assert.equal(await reach(OTHER), "refused");
      assert.equal(await reach(KEPT), "connected");
      await host.shell("rm /run/systemd/timesync/synchronized; pkill -f '[m]ain.ts daemon'");
    });
  });
});
