// `container:NAME`: an agent of the host may reach one container, by the address that it has at the moment.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/host/eventually.ts";
import { type Agent, agentOf } from "./agent.ts";
import { AGENT_SCRIPT, type ScopeWorld, startScopeWorld } from "./scope-world.ts";
import { asker } from "./line-client.ts";

const UID = 4242;
/** LIMIT: how long a container may be away after it came back with another address, and another in its place. */
const FOLLOW_MS = 5_000;
const POLICY = `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {user: ${UID}}}
inbound: []
outbound:
  - {id: store, allow: "container:store", port: 5432, why: a rule of this test}
accept_risk:
  - {scope: agent, reason: the user is made by this test, by: me, expires: 2099-01-01}
`;
/** Answers on 5432 and on 6379, with the name that it is given. */
const serve = (name: string): string => `
for port in 5432 6379; do
  while :; do echo "REACHED ${name}" | /bin/busybox nc -l -p $port -w 1 >/dev/null 2>&1; done &
done
wait`;

let world: ScopeWorld;
let agent: Agent;
const addressOf = async (name: string): Promise<string> =>
  (
    await world.host.shell(`docker inspect -f '{{.NetworkSettings.Networks.stores.IPAddress}}' ${name}`)
  ).trim();
const run = (name: string): Promise<void> => world.container(name, "stores", [], serve(name));
const remove = (...names: readonly string[]) => world.host.shell(`docker rm -f ${names.join(" ")}`);
/** A service that ends with each connection is away for a moment. */
const says = async (who: Agent, address: string, port: number): Promise<string> => {
  let page = "";
  for (let attempt = 0; attempt < 10; attempt += 1) {
    page = await who.send({ address, port }, "hello\n", { waitMs: 1_000 });
    if (page.includes("REACHED")) return page;
    await sleep(50);
  }
  return page;
};
const isReached = async (address: string, name: string): Promise<boolean> =>
  (await agent.send({ address, port: 5432 }, "hello\n", { waitMs: 1_000 })).includes(`REACHED ${name}`);
/** Its first packet never arrives. */
const assertHeld = async (address: string, port: number): Promise<void> => {
  assert.match(
    await agent.send({ address, port }, "hello\n", { waitMs: 1_000 }),
    /ECONNREFUSED|EHOSTUNREACH/,
  );
};

before(async () => {
  world = await startScopeWorld({ docker: true });
  await world.host.shell("docker network create --subnet 172.30.1.0/24 stores");
  await world.host.shell("nft -f -", { input: COUNT });
  await run("store");
  await run("neighbour");
  const as = ["setpriv", `--reuid=${UID}`, `--regid=${UID}`, "--clear-groups"];
  agent = agentOf(asker(world.host.start([...as, process.execPath, AGENT_SCRIPT])));
});
after(() => world?.stop());

describe("before any policy", () => {
  it("the agent reaches every container, so the rows below can fail", async () => {
    for (const name of ["store", "neighbour"])
      for (const port of [5432, 6379])
        assert.match(await says(agent, await addressOf(name), port), new RegExp(`REACHED ${name}`));
  });
});

describe("a rule that names a container", () => {
  before(() => world.seawall.enforce(POLICY));
  it("lets the agent reach it, on the port of the rule", async () => {
    assert.match(await says(agent, await addressOf("store"), 5432), /REACHED store/);
  });
  it("lets it reach no other port of it, no other container, and not the host's side of the network", async () => {
    await world.host.shell("nft flush set inet seen sent");
    await assertHeld(await addressOf("store"), 6379);
    await assertHeld(await addressOf("neighbour"), 5432);
    await assertHeld("172.30.1.1", 5432);
    assert.doesNotMatch(await counted(), /elements/);
    await says(agent, await addressOf("store"), 5432);
    assert.match(await counted(), /elements = .* \. 5432/);
  });
  it("follows it to another address within seconds, and the old address is held", async () => {
    const old = await addressOf("store");
    await remove("store");
    await run("usurper");
    assert.equal(await addressOf("usurper"), old, "Docker gives the first free address");
    await run("store");
    const now = await addressOf("store");
    assert.notEqual(now, old);
    assert.equal(await eventually(() => isReached(now, "store"), true, FOLLOW_MS), true);
    const isHeld = async () => !(await says(agent, old, 5432)).includes("REACHED");
    assert.equal(await eventually(isHeld, true, FOLLOW_MS), true);
  });
  it("follows it over a restart of dockerd", async () => {
    await world.host.docker.restartDaemon();
    await world.host.shell("docker start neighbour store");
    const now = await addressOf("store");
    assert.equal(await eventually(() => isReached(now, "store"), true, FOLLOW_MS), true);
    await assertHeld(await addressOf("neighbour"), 5432);
  });
  it("opens nothing once it is gone", async () => {
    const old = await addressOf("store");
    await remove("store");
    await run("last");
    assert.equal(await addressOf("last"), old, "Docker gives the first free address");
    const isHeld = async () => !(await says(agent, old, 5432)).includes("REACHED");
    assert.equal(await eventually(isHeld, true, FOLLOW_MS), true);
  });
  it("is no reason to run a gate: no name decides", async () => {
    assert.equal((await world.host.run(["pgrep", "-f", "[m]ain.ts gate --link"])).stdout, "");
  });
});

/** After everything that judges. */
const COUNT = `
table inet seen {
  set sent { type ipv4_addr . inet_service; size 65535; flags dynamic; }
  chain output {
    type filter hook output priority 300;
    meta skuid ${UID} tcp flags & (syn | ack) == syn update @sent { ip daddr . tcp dport counter }
  }
}
`;

/** Where connections of the agent went, whatever came of them. */
async function counted(): Promise<string> {
  return world.host.shell("nft list set inet seen sent");
}
