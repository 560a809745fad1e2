// A change of policy is not noticed by what both policies say the same about.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Hammered } from "../support/host/agent-request.ts";
import { HOST4, HOST6, type Host, startHost } from "../support/host/host.ts";
import { type SeawallOnHost, inbound, seawallOn } from "../support/host/seawall.ts";

const WORLD4 = "45.33.32.156";
const WORLD6 = "2600::1";
const ALWAYS = 9000; // allowed by every policy here
const NEVER = 18789; // allowed by none
const SOMETIMES = 9001;
const ROUNDS = 17; // more than there are generation numbers (15)

describe("while policies change", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  let without: string;
  let another: string;
  let including: string;
  before(async () => {
    host = await startHost();
    seawall = seawallOn(host);
    for (const port of [ALWAYS, NEVER, SOMETIMES]) await host.listen(port);
    without = await seawall.policy(inbound("ssh from any", `${ALWAYS} from any`));
    another = await seawall.policy(inbound("ssh from any", `${ALWAYS} from any`, "9005 from any"));
    including = await seawall.policy(inbound("ssh from any", `${ALWAYS} from any`, `${SOMETIMES} from any`));
    await seawall.ok("apply", without);
    await seawall.ok("confirm", "--console");
  });
  after(() => host.stop());

  it("an allowed port is never refused and a denied one never open, on both families", async () => {
    const targets = [ALWAYS, NEVER].flatMap((port) => [
      { from: WORLD4, to: HOST4, port },
      { from: WORLD6, to: HOST6, port },
    ]);
    const hammer = await host.upstream.hammer(targets);
    await seawall.ok("apply", including);
    await seawall.ok("confirm", "--console");
    await seawall.ok("apply", without);
    await seawall.ok("rollback");
    await seawall.ok("apply", without);
    await seawall.ok("confirm", "--console");
    const counts = await hammer.stop();
    for (const address of [HOST4, HOST6]) {
      const open = countOf(counts, address, ALWAYS);
      const closed = countOf(counts, address, NEVER);
      assert.ok(open.connected > 100, JSON.stringify(counts));
      assert.deepEqual({ refused: open.refused, other: open.other }, { refused: 0, other: 0 });
      assert.deepEqual({ connected: closed.connected, other: closed.other }, { connected: 0, other: 0 });
    }
  });

  it(`connections live or die by the policy in force, also those that were silent for ${ROUNDS} changes`, async () => {
    await seawall.ok("apply", including);
    await seawall.ok("confirm", "--console");
    const talking = await host.upstream.open({ from: WORLD4, to: HOST4, port: ALWAYS });
    const silent = await host.upstream.open({ from: WORLD4, to: HOST4, port: ALWAYS });
    const silent6 = await host.upstream.open({ from: WORLD6, to: HOST6, port: ALWAYS });
    const silentForbidden = await host.upstream.open({ from: WORLD4, to: HOST4, port: SOMETIMES });
    const silentForbidden6 = await host.upstream.open({ from: WORLD6, to: HOST6, port: SOMETIMES });
    assert.equal(silentForbidden.outcome, "connected");
    assert.equal(silentForbidden6.outcome, "connected");
    for (let round = 0; round < ROUNDS; round += 1) {
      await seawall.ok("apply", round % 2 === 0 ? without : another);
      assert.equal(await talking.exchange(), "echoed", `round ${round}, waiting`);
      await seawall.ok("confirm", "--console");
      assert.equal(await talking.exchange(), "echoed", `round ${round}, confirmed`);
    }
    assert.equal(await silent.exchange(), "echoed");
    assert.equal(await silent6.exchange(), "echoed");
    assert.notEqual(await silentForbidden.exchange(), "echoed", "its number came round again");
    assert.notEqual(await silentForbidden6.exchange(), "echoed", "its number came round again");
  });
});

function countOf(counts: Readonly<Record<string, Hammered>>, address: string, port: number): Hammered {
  const count = counts[`${address} ${port}`];
  assert.ok(count, `${address} ${port} was not tried`);
  return count;
}
