// A disk that is full, read-only or damaged under seawalld: it goes on, the kernel goes on, `status` says it, nothing is
// loosened, changes work or refuse plainly, and recording comes back by itself.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Daemon, startDaemon } from "../support/host/daemon.ts";
import { eventually } from "../support/host/eventually.ts";
import { HOST4, type Host, startHost } from "../support/host/host.ts";
import { SEAWALL, type SeawallOnHost, inbound, seawallOn } from "../support/host/seawall.ts";

const STATE = "/var/lib/seawall";
const RUN = "/run/seawall";
const WORLD = "45.33.32.156";
const OPEN = 9_000;
const CLOSED = 9_001;
/** A store that failed is tried again every 10 s. */
const AGAIN_MS = 40_000;
const POLICY = inbound("ssh from any", `${OPEN} from any`);
const OTHER = inbound("ssh from any", `${CLOSED} from any`);

interface Seen {
  readonly state: string;
  readonly daemon: { readonly trouble: readonly string[]; readonly lost: number } | null;
}

const ROWS = [
  {
    disk: "full",
    restarts: false,
    fail: `cat /dev/zero >${STATE}/filler 2>/dev/null || true`,
    mend: `rm ${STATE}/filler`,
    trouble: /\(full\)/,
    refusal: /no space is left on the disk/,
  },
  {
    disk: "read-only",
    // Who has a file open there for writing keeps it writable.
    restarts: true,
    fail: `mount -o remount,ro ${STATE}`,
    mend: `mount -o remount,rw ${STATE}`,
    trouble: /\(read-only\)/,
    refusal: /read-only/,
  },
] as const;

for (const row of ROWS) {
  describe(`a state folder that becomes ${row.disk}`, () => {
    let host: Host;
    let seawall: SeawallOnHost;
    let daemon: Daemon;
    before(async () => {
      host = await startHost();
      seawall = seawallOn(host);
      for (const port of [22, OPEN, CLOSED]) await host.listen(port);
      await host.shell(`mkdir -p ${STATE}; mount -t tmpfs -o size=3m,mode=700 tmpfs ${STATE}`);
      daemon = await startDaemon(host);
      await seawall.enforce(POLICY);
      await attempt();
      await eventually(async () => (await recorded()) > 0, true);
      await fail();
    });
    after(() => host.stop());
    const fail = async () => {
      if (row.restarts) await daemon.kill();
      await host.shell(row.fail);
      if (row.restarts) daemon = await startDaemon(host);
    };

    const reach = (port: number) => host.upstream.connect({ from: WORLD, to: HOST4, port });
    const attempt = async () => void (await reach(CLOSED));
    const status = async () => JSON.parse(await seawall.ok("status", "--json")) as Seen;
    const recorded = async () =>
      (await seawall.ok("flows", "--json", "--limit", "100000")).split("\n").length - 1;
    const stillEnforced = async () => {
      assert.equal(await reach(OPEN), "connected");
      assert.equal(await reach(CLOSED), "refused");
      assert.ok(daemon.runs(), daemon.said());
    };

    it("is said by status and by seawalld, which goes on, and the kernel judges as before", async () => {
      const hammer = await host.upstream.hammer([{ from: WORLD, to: HOST4, port: CLOSED }], 2);
      const isSaid = async () => row.trouble.test((await status()).daemon?.trouble.join() ?? "");
      const found = await eventually(isSaid, true, AGAIN_MS);
      await hammer.stop();
      assert.ok(found, `${JSON.stringify(await status())}\n${daemon.said()}`);
      assert.match(daemon.said(), row.trouble);
      assert.match(await seawall.ok("status"), /RECORDING FAILS/);
      assert.equal((await status()).state, "enforcing");
      await stillEnforced();
    });

    it("still shows what was acknowledged before", async () => assert.ok((await recorded()) > 0));

    it("refuses a new policy plainly, and loads nothing of it", async () => {
      const table = await host.seawallTable();
      const { code, stderr } = await seawall.run("apply", await seawall.policy(OTHER));
      assert.equal(code, 2, stderr);
      assert.match(stderr, row.refusal);
      assert.match(stderr, /SEAWALL_STATE/);
      assert.equal(await host.seawallTable(), table);
      await stillEnforced();
    });

    it("refuses a rollback to an earlier policy plainly, and loads nothing of it", async () => {
      const { code, stderr } = await seawall.run("rollback", "1");
      assert.equal(code, 2, stderr);
      assert.match(stderr, row.refusal);
      await stillEnforced();
    });

    it("does not keep another seawalld from starting after a kill", async () => {
      await daemon.kill();
      daemon = await startDaemon(host);
      await stillEnforced();
      const isSaid = async () => row.trouble.test((await status()).daemon?.trouble.join() ?? "");
      assert.ok(await eventually(isSaid, true, AGAIN_MS), daemon.said());
    });

    it("is used again by itself once it is mended", async () => {
      await host.shell(row.mend);
      const earlier = await recorded();
      await attempt();
      const isRecorded = async () => (await recorded()) > earlier;
      assert.ok(await eventually(isRecorded, true, AGAIN_MS), daemon.said());
      const isWell = async () => (await status()).daemon?.trouble.length === 0;
      assert.ok(await eventually(isWell, true, AGAIN_MS), daemon.said());
      await stillEnforced();
    });

    it("keeps no change from being withdrawn, confirmed or taken down", async () => {
      await seawall.ok("apply", await seawall.policy(OTHER));
      await fail();
      await seawall.ok("rollback");
      await stillEnforced();
      await host.shell(row.mend);
      await seawall.ok("apply", await seawall.policy(OTHER));
      await fail();
      await seawall.ok("confirm", "--console");
      assert.equal(await reach(CLOSED), "connected");
      assert.equal(await reach(OPEN), "refused");
      await seawall.ok("down");
      assert.equal(await reach(OPEN), "connected");
      assert.ok(daemon.runs(), daemon.said());
      await host.shell(row.mend);
    });
  });
}

describe("seawalld", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  before(async () => {
    host = await startHost();
    seawall = seawallOn(host);
    for (const port of [22, OPEN, CLOSED]) await host.listen(port);
    await seawall.enforce(POLICY);
  });
  after(() => host.stop());
  const reach = (port: number) => host.upstream.connect({ from: WORLD, to: HOST4, port });
  const recorded = async () => (await seawall.ok("flows", "--json")).split("\n").length - 1;

  it("sets a damaged store aside, says so once, and records", async () => {
    await host.shell(`head -c 40000 /dev/urandom >${STATE}/events.db; rm -f ${STATE}/events.db-*`);
    const refused = await seawall.run("flows");
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /\(damaged\)[^]*seawall daemon/);
    const daemon = await startDaemon(host);
    await reach(CLOSED);
    assert.ok(await eventually(async () => (await recorded()) > 0, true), daemon.said());
    assert.equal(daemon.said().match(/set aside as/g)?.length, 1, daemon.said());
    assert.match(await host.shell(`ls ${STATE}`), /^events\.db\.corrupt-\S+$/m);
    await daemon.kill();
  });

  it("starts where its state folder cannot be made, and says so", async () => {
    await host.shell(`mv ${STATE} /run/kept; touch ${STATE}`);
    const daemon = await startDaemon(host);
    assert.equal(await reach(CLOSED), "refused");
    const { daemon: health } = JSON.parse(await seawall.ok("status", "--json")) as Seen;
    assert.equal(health?.trouble.length, 1, daemon.said());
    await daemon.kill();
    await host.shell(`rm ${STATE}; mv /run/kept ${STATE}`);
  });

  it("goes on when nobody reads what it says any more", async () => {
    const command = SEAWALL.map((word) => `'${word}'`).join(" ");
    await host.shell(`${command} daemon 2>&1 >/dev/null | head -n1 >/run/first & sleep 0.1`);
    const pid = async () => (await host.shell(`cat ${RUN}/daemon.lock`)).trim();
    const first = await eventually(
      async () => (await host.shell("cat /run/first")).includes("reading"),
      true,
    );
    assert.ok(first);
    const mine = await pid();
    // Each of these makes it say something into the closed pipe.
    for (let round = 0; round < 2; round += 1) {
      await host.shell(`rm -f ${STATE}/events.db*`);
      await reach(CLOSED);
      assert.ok(await eventually(async () => (await recorded()) > 0, true));
    }
    await host.shell(`kill -0 ${mine}; kill -KILL ${mine}`);
  });

  it("refuses to start beside another one in the same run folder, and leaves that one's sockets alone", async () => {
    const daemon = await startDaemon(host);
    const sockets = () => host.shell(`stat -c '%n %i' ${RUN}/control.sock ${RUN}/gate.sock`);
    const earlier = await sockets();
    // Another network namespace: there the kernel's log is free.
    for (const around of [[], ["unshare", "--net"]]) {
      const second = await host.run([...around, ...SEAWALL, "daemon"]);
      assert.equal(second.code, 2, second.stderr);
      assert.match(second.stderr, /another seawalld uses the folder `\/run\/seawall` \(process \d+\)/);
      assert.match(second.stderr, /SEAWALL_BUSY/);
    }
    assert.equal(await sockets(), earlier);
    assert.ok(daemon.runs());
    const ask = `require("node:net").connect("${RUN}/control.sock").on("data", (d) => process.stdout.write(d)).write('{"do":"sync","coming":null}\\n')`;
    const { stdout } = await host.run([process.execPath, "-e", ask]);
    assert.deepEqual(JSON.parse(stdout), { ready: true, trouble: [] });
    await daemon.kill();
  });

  it("that was ended leaves what it recorded to be read, on a read-only disk too", async () => {
    const daemon = await startDaemon(host);
    await reach(CLOSED);
    assert.ok(await eventually(async () => (await recorded()) > 0, true), daemon.said());
    await host.shell(`kill -TERM $(cat ${RUN}/daemon.lock)`);
    await eventually(async () => daemon.runs(), false);
    const earlier = await recorded();
    await host.shell(`mount --bind ${STATE} ${STATE}; mount -o remount,bind,ro ${STATE}`);
    assert.equal(await recorded(), earlier);
    await host.shell(`umount ${STATE}`);
  });

  it("that is gone is said by status", async () => {
    const { daemon } = JSON.parse(await seawall.ok("status", "--json")) as Seen;
    assert.equal(daemon, null);
    assert.match(await seawall.ok("status"), /NONE RUNS/);
  });
});
