// A panic ends in what was in force before it, whatever became of the state folder meanwhile; never in less.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { HOST4, type Host, startHost } from "../support/host/host.ts";
import { inbound, SEAWALL, type SeawallOnHost, seawallOn } from "../support/host/seawall.ts";

const WORLD4 = "45.33.32.156";
const STATE = "/var/lib/seawall";
const ELSEWHERE = "/run/another-state";
const KEPT = 9_000;
const OTHER = 9_001;
const POLICY = inbound("ssh from any", `${KEPT} from any`);

describe("a panic and a state folder that changes under it", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  before(async () => {
    host = await startHost();
    seawall = seawallOn(host);
    for (const port of [22, KEPT, OTHER]) await host.listen(port);
  });
  after(() => host.stop());
  afterEach(async () => {
    await host.shell(`umount ${STATE} 2>/dev/null || true`);
    await host.shell(
      `nft delete table inet seawall 2>/dev/null || true; rm -rf ${STATE} ${ELSEWHERE} /run/seawall /run/was-state`,
    );
  });

  const reach = (port: number) => host.upstream.connect({ from: WORLD4, to: HOST4, port });
  const withState = (state: string, ...words: readonly string[]) =>
    host.run([...SEAWALL, ...words], { env: { SEAWALL_STATE_DIR: state }, deadlineMs: 60_000 });
  const state = async () => (await seawall.status()).state;
  const inPanic = async () => {
    assert.equal(await state(), "panic");
    assert.equal(await reach(22), "connected");
    assert.equal(await reach(KEPT), "refused");
    assert.equal(await reach(OTHER), "refused");
  };
  const inForce = async () => {
    assert.equal(await state(), "enforcing");
    assert.equal(await reach(KEPT), "connected");
    assert.equal(await reach(OTHER), "refused");
  };
  const refused = async (folder: string, words: RegExp) => {
    const { code, stdout, stderr } = await withState(folder, "panic", "--off");
    assert.equal(code, 2, stdout + stderr);
    assert.match(stderr, words);
    assert.match(stderr, /still true: the panic holds/);
    assert.match(stderr, /seawall apply FILE/);
    await inPanic();
  };

  it("begun and ended with an empty folder refuses to end, and ends with the right one", async () => {
    await seawall.enforce(POLICY);
    assert.equal((await withState(ELSEWHERE, "panic")).code, 0);
    await inPanic();
    await refused(ELSEWHERE, /policy 1 of the history was in force before the panic/);
    assert.match(await seawall.ok("panic", "--off"), /is in force again/);
    await inForce();
  });

  it("ended with an empty folder only refuses to end", async () => {
    await seawall.enforce(POLICY);
    await seawall.ok("panic");
    await refused(ELSEWHERE, /does not have it/);
    await seawall.ok("panic", "--off");
    await inForce();
  });

  it("ended with a folder that has another policy of that number does not take it for the one before", async () => {
    await seawall.enforce(POLICY);
    await host.shell(`mv ${STATE} /run/was-state; nft delete table inet seawall; rm -rf /run/seawall`);
    await seawall.enforce(inbound("ssh from any", `${OTHER} from any`));
    await host.shell(
      `mv ${STATE} ${ELSEWHERE}; mv /run/was-state ${STATE}; nft delete table inet seawall; rm -rf /run/seawall`,
    );
    await seawall.enforce(POLICY);
    await seawall.ok("panic");
    await refused(ELSEWHERE, /does not have it/);
  });

  it("that cannot be ended gives way to a policy, and stands behind it until that is confirmed", async () => {
    await seawall.enforce(POLICY);
    await seawall.ok("panic");
    const path = await seawall.policy(inbound("ssh from any", `${OTHER} from any`));
    assert.equal((await withState(ELSEWHERE, "apply", path)).code, 0);
    assert.equal(await reach(OTHER), "connected");
    assert.equal((await withState(ELSEWHERE, "rollback")).code, 0);
    await inPanic();
    assert.equal((await withState(ELSEWHERE, "apply", path)).code, 0);
    assert.equal((await withState(ELSEWHERE, "confirm", "--console")).code, 0);
    assert.equal(await reach(OTHER), "connected");
    assert.equal(await reach(KEPT), "refused");
  });

  it("with a folder that is gone refuses to end", async () => {
    await seawall.enforce(POLICY);
    await host.shell(`rm -rf ${STATE}`);
    await seawall.ok("panic");
    await refused(STATE, /policy 1 of the history was in force/);
  });

  it("with the meaning of the policy before it torn refuses to end", async () => {
    await seawall.enforce(POLICY);
    await seawall.ok("panic");
    await host.shell(
      `for file in ${STATE}/history/000001.*; do case $file in *.json) ;; *) : >$file ;; esac; done`,
    );
    await refused(STATE, /cannot be read|is not what was applied/);
  });

  it("on a folder that cannot be written to comes back to what was in force", async () => {
    await seawall.enforce(POLICY);
    await host.shell(`mount --bind ${STATE} ${STATE}; mount -o remount,bind,ro ${STATE}`);
    await seawall.ok("panic");
    await inPanic();
    await host.shell(`umount ${STATE}`);
    await seawall.ok("panic", "--off");
    await inForce();
  });

  it("after somebody deleted our table ends in what should have been in force", async () => {
    await seawall.enforce(POLICY);
    await host.shell("nft delete table inet seawall");
    await seawall.ok("panic");
    await inPanic();
    await seawall.ok("panic", "--off");
    await inForce();
  });

  it("cuts off whom the kernel judges, also where the folder does not say who that is", async () => {
    await host.shell(
      "grep -q ^rtbot: /etc/passwd || echo 'rtbot:x:54400:54400::/nonexistent:/bin/sh' >>/etc/passwd",
    );
    const text = POLICY.replace("mode: enforce\n", "mode: enforce\nscopes: {agent: {user: rtbot}}\n");
    const outbound = "outbound:\n  - {allow: 45.33.32.156, port: 22, why: a rule of this test}\n";
    await seawall.enforce(`${text}${outbound}`);
    const { code, stdout } = await withState(ELSEWHERE, "panic");
    assert.equal(code, 0);
    assert.match(stdout, /^cut off: .*uid-54400/);
    const judged = await host.shell("nft list table inet seawall | grep 'meta skuid'");
    assert.match(judged, /54400 : goto/);
  });

  it("where nothing was in force ends in nothing, and says so", async () => {
    await seawall.ok("panic");
    assert.equal(await state(), "panic");
    assert.match(await seawall.ok("panic", "--off"), /Seawall is off, as before it/);
    assert.equal(await state(), "off");
  });
});
