// The way back: it works with Node removed, a full disk and a broken state folder, and nothing undoes it but the owner.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { eventually } from "../support/host/eventually.ts";
import { HOST4, HOST6, type Host, startHost } from "../support/host/host.ts";
import { RESCUE_RULES, restart, runShipped } from "../support/host/restart.ts";
import { inbound, SEAWALL, type SeawallOnHost, seawallOn } from "../support/host/seawall.ts";

const OWNER4 = "45.33.32.156";
const OWNER6 = "2600::1";
const GATEWAY = 18_789;
const STATE = "/var/lib/seawall";
/** A policy that forgot SSH. */
const LOCKED_OUT = inbound("9000 from 198.51.100.0/24");

describe("a locked out owner", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  before(async () => {
    host = await startHost();
    seawall = seawallOn(host);
    for (const port of [22, 9_000, GATEWAY, 2_375]) await host.listen(port);
  });
  after(() => host.stop());
  beforeEach(async () => {
    await seawall.run("down");
    await host.shell(`umount ${STATE} 2>/dev/null || true; rm -rf ${STATE}`);
    await seawall.ok("apply", await seawall.policy(LOCKED_OUT), "--accept-risk=lose-ssh");
    await seawall.ok("confirm", "--console");
    assert.equal(await ssh(), "refused");
  });

  const ssh = () => host.upstream.connect({ from: OWNER4, to: HOST4, port: 22 });
  const ssh6 = () => host.upstream.connect({ from: OWNER6, to: HOST6, port: 22 });
  const gateway = () => host.upstream.connect({ from: OWNER4, to: HOST4, port: GATEWAY });
  const assertRescued = async () => {
    assert.equal(await ssh(), "connected");
    assert.equal(await ssh6(), "connected");
    assert.equal(await gateway(), "refused", "a guard is no part of the way back");
  };

  it("gets in again with `seawall rescue`, which needs no Node", async () => {
    const result = await runShipped(host, "rescue.sh");
    assert.equal(result.code, 0, result.stderr);
    await assertRescued();
    const { state } = await seawall.status();
    assert.equal(state, "off");
    assert.match(await seawall.ok("status"), /^RESCUED +by the owner/);
  });

  it("gets in again with the command of the checkout, which runs the same script", async () => {
    const result = await host.run([...SEAWALL, "rescue"]);
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stdout, /^rescued: /);
    await assertRescued();
  });

  it("gets in again with one nft line from a provider's console", async () => {
    await host.shell(`nft -f ${RESCUE_RULES}`);
    await assertRescued();
  });

  it("gets in again with a full disk, and is told that the next start does not know", async () => {
    await host.shell(
      `cp -a ${STATE} /run/kept; mount -t tmpfs -o size=512k,mode=700,nr_inodes=64 tmpfs ${STATE}; cp -a /run/kept/. ${STATE}; cat /dev/zero >${STATE}/filler 2>/dev/null || true; i=0; while touch ${STATE}/f$i 2>/dev/null; do i=$((i+1)); done; rm -rf /run/kept`,
    );
    const result = await runShipped(host, "rescue.sh");
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stderr, /seawall=off/);
    await assertRescued();
    await host.shell(`umount ${STATE}`);
  });

  it("gets in again with a state folder that is a file", async () => {
    await host.shell(`rm -rf ${STATE}; echo broken >${STATE}`);
    const result = await runShipped(host, "rescue.sh");
    assert.equal(result.code, 0, result.stderr);
    await assertRescued();
  });

  it("stays in over a restart, and with the kernel parameter alone", async () => {
    await runShipped(host, "rescue.sh");
    const again = await restart(host);
    assert.equal(again.code, 0, again.stderr);
    await assertRescued();

    await host.shell(`rm ${STATE}/boot/off`);
    const locked = await restart(host);
    assert.equal(locked.code, 0, locked.stderr);
    assert.equal(await ssh(), "refused", "the rules that were confirmed are back");
    await restart(host, "root=/dev/vda1 seawall=off quiet");
    await assertRescued();
    await host.shell("umount /proc/cmdline");
  });

  it("is not locked out again by a daemon that heals", async () => {
    const daemon = host.start([...SEAWALL, "daemon"]);
    let said = "";
    daemon.stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
    await eventually(() => Promise.resolve(said.includes("reading the kernel's log")), true);
    await host.shell("nft delete table inet seawall");
    assert.equal(await eventually(ssh, "refused"), "refused", "it does heal");
    await eventually(() => Promise.resolve(said.includes("healed")), true);
    await runShipped(host, "rescue.sh");
    await host.shell("nft add table inet something; nft delete table inet something; sleep 6");
    await assertRescued();
    await host.shell("pkill -f '[m]ain.ts daemon'");
  });

  it("goes on with `apply`, and the next start loads rules again", async () => {
    await runShipped(host, "rescue.sh");
    await seawall.enforce(inbound("ssh from any"));
    assert.equal((await seawall.status()).state, "enforcing");
    await restart(host);
    assert.equal(await ssh(), "connected");
    assert.equal(await host.upstream.connect({ from: OWNER4, to: HOST4, port: 9_000 }), "refused");
  });

  it("is told that rescue needs root, and nothing changes", async () => {
    const as = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    const result = await host.run([...as, "/bin/sh", RESCUE_RULES.replace("rescue.nft", "rescue.sh")]);
    assert.equal(result.code, 5);
    assert.match(result.stderr, /sudo seawall rescue/);
    assert.equal(await ssh(), "refused");
  });
});
