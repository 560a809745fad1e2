// Two operators, one host: whatever is started at the same moment, one change is made and the rest are told.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { type Host, startHost } from "../../support/host/host.ts";
import { type SeawallOnHost, inbound, seawallOn } from "../../support/host/seawall.ts";

const TOGETHER = 5;
const DEAD_PID = 4_194_000; // above pid_max of a small machine, and of no process of this namespace

describe("several changes at once", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  before(async () => {
    host = await startHost();
    seawall = seawallOn(host);
  });
  after(() => host.stop());
  afterEach(() => seawall.ok("down"));

  const together = async (...args: readonly string[]) =>
    Promise.all(Array.from({ length: TOGETHER }, () => seawall.run(...args)));

  const onlyOne = (results: readonly { readonly code: number | null; readonly stderr: string }[]) => {
    assert.equal(results.filter(({ code }) => code === 0).length, 1);
    for (const { code, stderr } of results) {
      if (code === 0) continue;
      assert.equal(code, 2, stderr);
      assert.match(stderr, /SEAWALL_BUSY|SEAWALL_NOTHING_PENDING/);
    }
  };

  it(`${TOGETHER} applies: one is in force, the others are refused`, async () => {
    onlyOne(await together("apply", await seawall.policy(inbound("ssh from any"))));
    const { state, generation } = await seawall.status();
    assert.deepEqual({ state, generation }, { state: "pending", generation: 1 });
  });

  it(`${TOGETHER} applies beside the lock of a process that was killed: one is in force`, async () => {
    await host.shell(`mkdir -p -m 700 /run/seawall; echo ${DEAD_PID} >/run/seawall/change.lock`);
    onlyOne(await together("apply", await seawall.policy(inbound("ssh from any"))));
    assert.equal((await seawall.status()).state, "pending");
  });

  it("an apply beside a change of a second: it waits and is in force", async () => {
    await host.shell(
      "mkdir -p -m 700 /run/seawall; flock /run/seawall/change.lock sleep 1 >/dev/null 2>&1 &",
    );
    await seawall.ok("apply", await seawall.policy(inbound("ssh from any")));
    assert.equal((await seawall.status()).state, "pending");
  });

  it(`${TOGETHER} confirms: one confirms, the others are told`, async () => {
    await seawall.ok("apply", await seawall.policy(inbound("ssh from any")));
    onlyOne(await together("confirm", "--console"));
    assert.equal((await seawall.status()).state, "enforcing");
  });
});
