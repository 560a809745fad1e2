// Agents in containers: real dockerd, UFW on, the default network.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/host/eventually.ts";
import type { Agent } from "./agent.ts";
import { assertReached } from "./expect.ts";
import {
  BRIDGE_GATEWAY,
  elsewhere,
  enterBoxes,
  ONE,
  startDockerWorld,
  tries,
  WATCHED,
} from "./scope-docker.ts";
import { BUSY, BUSY_MS, coreRows, laterRow } from "./scope-rows.ts";
import type { ScopeWorld } from "./scope-world.ts";
import { ELSEWHERE4, ELSEWHERE6, RESOLVER, SITE4 } from "./zone.ts";

let world: ScopeWorld;
let box: Agent;
let mate: Agent;
let stranger: Agent;

before(async () => {
  world = await startDockerWorld();
  ({ box, mate, stranger } = await enterBoxes(world));
});
after(() => world?.stop());

describe("before any policy", () => {
  it("every container reaches everything, so the rows below can fail", async () => {
    for (const agent of [box, mate, stranger]) {
      assertReached(await agent.http("evil.example.net", { address: ELSEWHERE4 }), "evil.example.net");
      assert.ok((await tries(world, agent)) > 2);
    }
    for (const agent of [box, mate])
      assertReached(await agent.http("evil.example.net", { address: ELSEWHERE6 }), "evil.example.net");
    assertReached(await mate.http("good.example.com"), "good.example.com");
  });
  it("a container that sends from its first moment on is seen from outside", async () => {
    const { packets, asked } = await world.during(async () => {
      await world.container("busy", "bridge", [], BUSY);
      await sleep(BUSY_MS);
      await world.host.shell("docker rm -f busy");
    });
    assert.ok(packets(ELSEWHERE4, "tcp 80") > 0 && packets(ELSEWHERE4, "icmp") > 0);
    assert.ok(packets(ELSEWHERE6) > 0);
    assert.ok(asked.includes("evil.example.net 1"), asked.join());
  });
});

describe("UFW keeps containers from the gate", () => {
  let help = "";
  it("apply is refused, says the command that helps, and leaves nothing", async () => {
    const others = await world.host.othersTables();
    const refused = await world.refusedApply(ONE);
    help = refused.help;
    assert.match(refused.text, /scope `agent`: a question from inside it does not reach the gate/);
    assert.match(help, /^ufw allow in on docker0 /);
    assert.equal((await world.seawall.status()).state, "off");
    assert.equal(await world.host.othersTables(), others);
    assert.equal((await world.host.shell("ip -o link | grep -c sw-probe || true")).trim(), "0");
    assert.equal((await world.host.shell("pgrep -fc 'slee[p] 30' || true")).trim(), "0");
    assertReached(await box.http("evil.example.net", { address: ELSEWHERE4 }), "evil.example.net");
  });
  it("is refused, too, when it would only watch: DNS would go to a gate that is not reached", async () => {
    const refused = await world.refusedApply(WATCHED);
    assert.equal(refused.help, help);
    assert.equal((await world.seawall.status()).state, "off");
    assertReached(await box.http("evil.example.net"), "evil.example.net");
  });
  it("after that command, and nothing else, it watches: every name is resolved, by the gate", async () => {
    await world.host.shell(help);
    await world.seawall.enforce(WATCHED);
    const { asked } = await world.during(async () => {
      assertReached(await box.http("evil.example.net"), "evil.example.net");
      assertReached(await box.https("good.example.com"), "good.example.com");
    });
    assert.deepEqual(new Set(asked), new Set(["evil.example.net 1", "good.example.com 1"]));
    const isSeen = async () => {
      await box.resolve("evil.example.net");
      return (await world.flows()).some(({ host, observed }) => host === "evil.example.net" && observed);
    };
    assert.equal(await eventually(isSeen, true), true);
    assertReached(await stranger.http("evil.example.net", { address: ELSEWHERE4 }), "evil.example.net");
  });
  it("and it enforces", async () => {
    await world.seawall.enforce(ONE);
    assert.equal((await world.seawall.status()).state, "enforcing");
    assert.equal((await world.host.shell("ip -o link | grep -c sw-probe || true")).trim(), "0");
  });
});

describe("an agent in the default network", () => {
  coreRows(() => ({ world, agent: box, gateway: BRIDGE_GATEWAY }), { six: true });
  it("is told about as its scope", async () => {
    const isSeen = async () =>
      (await world.flows()).some(
        ({ host, scope, verdict, reason }) =>
          host === "evil.example.net" && scope === "agent" && verdict === "refuse" && reason === "default",
      );
    assert.equal(await eventually(isSeen, true), true);
  });
});

describe("a container that is started later", () => laterRow(() => world, "bridge"));

describe("a network that no scope names", () => {
  it("is denied from when a docker scope is enforced", async () => {
    assert.equal(await tries(world, stranger), 0);
    assert.equal(await tries(world, mate), 0);
    assert.match(await stranger.http("good.example.com", { address: SITE4 }), /ECONNREFUSED/);
  });
  it("cannot ask for names by itself", async () => {
    const { value, asked } = await world.during(() =>
      stranger.resolve("evil.example.net", { server: RESOLVER, waitMs: 600 }),
    );
    assert.equal(value.kind, "failed");
    assert.deepEqual(asked, []);
  });
  it("is denied from the first packet when it is made later", async () => {
    const packets = await elsewhere(world, async () => {
      await world.host.shell("docker network create later");
      await world.container("later", "later", ["--rm"], BUSY);
      await sleep(BUSY_MS);
      await world.host.shell("docker rm -f later");
    });
    assert.equal(packets, 0);
  });
  it("is untouched where `containers: allow` says so", async () => {
    await world.seawall.enforce(`${ONE}defaults: {containers: allow}\n`);
    assertReached(await stranger.http("evil.example.net", { address: ELSEWHERE4 }), "evil.example.net");
    assert.equal(await tries(world, box), 0);
  });
});

describe("after `seawall down`", () => {
  it("every container is as it was", async () => {
    await world.seawall.ok("down");
    for (const agent of [box, stranger])
      assertReached(await agent.http("evil.example.net", { address: ELSEWHERE4 }), "evil.example.net");
  });
});
