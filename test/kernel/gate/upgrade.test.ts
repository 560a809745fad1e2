// Another version takes over while an agent works: no packet that is forbidden leaves, what is open goes on, and new
// connections work at once.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "node:test";
import { VERSION } from "../../../src/core/base/version.ts";
import { eventually } from "../../support/host/eventually.ts";
import type { Agent } from "./agent.ts";
import { assertReached } from "./expect.ts";
import { AGENT_UID, startWorld, type World } from "./world.ts";
import { ELSEWHERE4, SITE4 } from "./zone.ts";

const CHECKOUT = fileURLToPath(new URL("../../../", import.meta.url));
const NEXT = "/run/next";
const NEXT_VERSION = "99.0.0";
const POLICY = `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {user: openclaw}}
inbound: []
outbound:
  - {id: keep, allow: good.example.com, port: [80, 443], why: a rule of this test}
accept_risk:
  - {scope: agent, reason: the agent of this test is no more than a uid, by: me, expires: 2099-01-01}
`;

describe("an upgrade", () => {
  let world: World;
  let agent: Agent;
  before(async () => {
    world = await startWorld();
    agent = world.agent(AGENT_UID);
    await world.seawall.enforce(POLICY);
    // The version to come is this one under another number.
    await world.host.shell(`mkdir ${NEXT}; cp -r ${CHECKOUT}src ${CHECKOUT}package.json ${NEXT}
ln -s ${CHECKOUT}node_modules ${NEXT}/node_modules
sed -i 's/"${VERSION}"/"${NEXT_VERSION}"/' ${NEXT}/src/core/base/version.ts; chmod -R a+rX ${NEXT}`);
  });
  after(() => world.stop());

  const gates = async () =>
    (await world.host.run(["pgrep", "-f", "[m]ain.ts gate --link"])).stdout.split("\n").length - 1;
  const gateOfNext = async () =>
    (await world.host.run(["pgrep", "-f", `${NEXT}/src/cli/[m]ain.ts gate`])).stdout !== "";
  const ticksOn = async (key: string) => {
    const { ticks } = await agent.stream(key);
    assert.equal(await eventually(async () => (await agent.stream(key)).ticks > ticks + 4, true), true, key);
  };

  it("replaces daemon and gate; the stream of before ticks on, what clients know goes on working", async () => {
    assertReached(await agent.https("good.example.com"), "good.example.com");
    const stream = { address: SITE4, port: 443, tls: { name: "good.example.com" }, host: "good.example.com" };
    assert.equal(await agent.openStream({ key: "before", ...stream }), true);
    const { packets } = await world.during(async () => {
      await agent.startHammer({
        key: "never",
        targets: [{ address: ELSEWHERE4, port: 443, over: "tcp" }],
        everyMs: 15,
      });
      await world.signal("TERM", "daemon");
      const daemon = world.host.start([process.execPath, `${NEXT}/src/cli/main.ts`, "daemon"]);
      let said = "";
      daemon.stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
      assert.equal(await eventually(gateOfNext, true, 30_000), true, said);
      assert.match(
        said,
        new RegExp(`the gate is of version ${VERSION.replaceAll(".", "\\.")}: ours takes its place`),
      );
      assert.doesNotMatch(said, /the gate ended/);
      await ticksOn("before");
      // An address that it was given before, without asking anew.
      const reached = async () =>
        (await agent.https("good.example.com", { address: SITE4 })).includes("REACHED");
      assert.equal(await eventually(reached, true), true);
      assertReached(await agent.https("good.example.com"), "good.example.com");
      assert.equal(await gates(), 2);
      await agent.end("never");
    });
    assert.equal(packets(ELSEWHERE4), 0);
  });

  it("lets the gate of before end when nothing is open in it any more", async () => {
    await ticksOn("before");
    await agent.end("before");
    assert.equal(await eventually(gates, 1, 30_000), 1);
    assert.equal(await gateOfNext(), true);
    assertReached(await agent.https("good.example.com"), "good.example.com");
  });
});
