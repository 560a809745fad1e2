// While names are enforced the gate, the daemon and both are killed under load: nothing of the agent leaves that is not
// listed, and what is listed works again each time. SEAWALL_GATE_ROUNDS says how often (default 20).
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/host/eventually.ts";
import type { Agent } from "./agent.ts";
import type { Watched } from "./internet.ts";
import { AGENT_UID, startWorld, type World } from "./world.ts";
import { ELSEWHERE4, ELSEWHERE6, OTHER_RESOLVER4, OTHER_RESOLVER6, SITE4, SITE6 } from "./zone.ts";

const ROUNDS = Number(process.env["SEAWALL_GATE_ROUNDS"] ?? 20);
const VICTIMS = [["gate"], ["daemon"], ["gate", "daemon"]] as const;
/** LIMIT: how long the agent may be without what is listed after one kill; a daemon starts in it, too. */
const AGAIN_MS = 15_000;
const POLICY = `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {user: openclaw}}
inbound: []
outbound:
  - {id: site, allow: [good.example.com, second.example.com, third.example.com], port: [80, 443], why: a rule of this test}
  - {id: high, allow: good.example.com, port: 8080, why: a rule of this test}
`;
/** Where packets of the agent may never arrive: address, and protocol and port as the internet counts them. */
const NEVER = [
  { address: ELSEWHERE4, port: 443, over: "tcp" },
  { address: ELSEWHERE4, port: 80, over: "tcp" },
  { address: ELSEWHERE4, port: 443, over: "udp" },
  { address: ELSEWHERE6, port: 443, over: "tcp" },
  { address: ELSEWHERE6, port: 5_353, over: "udp" },
  { address: OTHER_RESOLVER4, port: 53, over: "udp" },
  { address: OTHER_RESOLVER4, port: 53, over: "tcp" },
  { address: OTHER_RESOLVER6, port: 53, over: "udp" },
  { address: OTHER_RESOLVER4, port: 853, over: "tcp" },
  { address: SITE4, port: 443, over: "udp" },
  { address: SITE4, port: 8_443, over: "tcp" },
  { address: SITE6, port: 22, over: "tcp" },
] as const;

describe(`over ${ROUNDS} kills under load`, () => {
  let world: World;
  let agent: Agent;
  let watched: Watched<number>;
  const late: string[] = [];
  const worksAgain = (limitMs: number) =>
    eventually(async () => (await agent.https("good.example.com")).includes("REACHED"), true, limitMs);

  before(async () => {
    world = await startWorld();
    await world.seawall.enforce(POLICY);
    agent = world.agent(AGENT_UID);
    assert.equal(await worksAgain(AGAIN_MS), true);
    watched = await world.during(async () => {
      const names = ["good.example.com", "second.example.com"].map((name) => ({
        name,
        port: 443,
        tls: true,
        type: "A" as const,
      }));
      await agent.startLoad({ key: "listed", names, everyMs: 25, limitMs: 5_000, askAgainMs: 1_000 });
      const unlisted = [{ name: "evil.example.net", port: 80, tls: false, type: "A" as const }];
      await agent.startLoad({
        key: "unlisted",
        names: unlisted,
        everyMs: 25,
        limitMs: 2_000,
        askAgainMs: 200,
      });
      await agent.startHammer({ key: "never", targets: NEVER, everyMs: 15 });
      for (let round = 0; round < ROUNDS; round += 1) await killOnce(round);
      const { succeeded } = await agent.endLoad("listed");
      await agent.endLoad("unlisted");
      assert.ok(Number(await agent.end("never")) > ROUNDS * 10);
      return succeeded;
    });
  });
  after(() => world.stop());

  const killOnce = async (round: number) => {
    const victims = VICTIMS[round % VICTIMS.length] ?? ["gate"];
    // Another moment of the load each time, the same in every run.
    await sleep((round * 37) % 120);
    const killed = await world.signal("KILL", ...victims);
    // A gate that was slow to find the next daemon is there beside the one that this had started meanwhile.
    if (killed < victims.length)
      late.push(`round ${round}: ${killed} of ${victims.join(" and ")} were there`);
    if (victims.some((one) => one === "daemon")) await world.startDaemon();
    if (!(await worksAgain(AGAIN_MS)))
      late.push(`round ${round}: nothing listed works after ${victims.join(" and ")}`);
  };

  it("what is listed works again after each", () => assert.deepEqual(late, [], world.said()));
  it("and worked in between", () => assert.ok(watched.value > ROUNDS, String(watched.value)));
  for (const { address, port, over } of NEVER) {
    it(`no packet of the agent came to ${address} ${over} ${port}`, () => {
      assert.equal(watched.packets(address, `${over} ${port}`), 0);
    });
  }
  it("no name that is not listed was asked for upstream", () => {
    assert.deepEqual(
      watched.asked.filter((asked) => !/^(good|second)\.example\.com /.test(asked)),
      [],
    );
  });
  it("a gate that hangs is replaced, and what is listed works again", async () => {
    // A name that nobody asked for yet needs a pin, so the gate of the last round has found its daemon.
    const isLinked = async () => (await agent.https("third.example.com")).includes("REACHED");
    assert.equal(await eventually(isLinked, true, AGAIN_MS), true, world.said());
    await world.signal("STOP", "gate");
    const isBack = await worksAgain(AGAIN_MS);
    await world.signal("CONT", "gate");
    assert.equal(isBack, true, world.said());
  });
  it("the policy is in force as before", async () => {
    assert.equal((await world.seawall.status()).state, "enforcing");
  });
  it("the counters would have seen a packet: another user's are", async () => {
    const { packets } = await world.during(() =>
      world.agent(4243).datagram({ address: ELSEWHERE4, port: 443 }),
    );
    assert.equal(packets(ELSEWHERE4, "udp 443"), 1);
  });
});
