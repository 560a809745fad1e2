// seawalld and a docker command line that hangs, ends at once, or is not there: what it keeps goes on meanwhile.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/host/eventually.ts";
import type { Agent } from "./agent.ts";
import { assertAddresses } from "./expect.ts";
import { AGENT_UID, startWorld, type World } from "./world.ts";
import { SITE4 } from "./zone.ts";

const policy = (more: string): string => `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {user: openclaw}}
inbound: []
outbound:
  - {id: site, allow: "*.example.com", port: [80, 443, ${more}], why: a rule of this test}
  - {id: store, allow: "container:store", port: 5432, why: a rule of this test}
  - {id: cache, allow: "container:cache", port: 6379, why: a rule of this test}
accept_risk:
  - {scope: agent, reason: the user is made by this test, by: me, expires: 2099-01-01}
`;
/** What a question may take while docker hangs: far below the deadline of a docker command. */
const PROMPT_MS = 2_000;
const SAMPLE_MS = 20;
const LOG = "/run/docker-calls";

let world: World;
let agent: Agent;
before(async () => {
  world = await startWorld();
  agent = world.agent(AGENT_UID);
});
after(() => world?.stop());

/** From now on `docker` is this script, which writes down each of its starts. */
async function dockerIs(script: string): Promise<void> {
  const lines = `#!/bin/sh\necho "$1" >>${LOG}\n${script}`;
  await world.host.shell("umount -l /usr/bin/docker 2>/dev/null || true");
  await world.host.shell(`cat >/run/docker-script; chmod 755 /run/docker-script; : >${LOG}`, {
    input: lines,
  });
  await world.host.shell("mount --bind /run/docker-script /usr/bin/docker");
}
const calls = async (): Promise<readonly string[]> =>
  (await world.host.shell(`cat ${LOG}`)).split("\n").filter((line) => line !== "");
/** How many processes run that script for this. */
const running = async (word: string): Promise<number> =>
  Number((await world.host.run(["pgrep", "-fc", `[d]ocker ${word}`])).stdout);
const restart = async (): Promise<void> => {
  await world.signal("KILL", "daemon");
  await world.startDaemon();
};

describe("while docker hangs", () => {
  before(async () => {
    await dockerIs('[ "$1" = events ] && while :; do echo .; sleep 0.1; done\nkill -STOP $$');
    await world.seawall.enforce(policy("8080"));
  });
  it("names go on being resolved, also while a policy changes", async () => {
    let isOver = false;
    const change = world.seawall.enforce(policy("8443")).finally(() => {
      isOver = true;
    });
    const took: number[] = [];
    while (!isOver || took.length < 10) {
      const startMs = performance.now();
      assertAddresses(await agent.resolve("good.example.com", { waitMs: 20_000 }), SITE4);
      took.push(performance.now() - startMs);
      await sleep(SAMPLE_MS);
    }
    await change;
    assert.ok(Math.max(...took) < PROMPT_MS, took.map(Math.round).join());
  });
  it("it is asked one thing at a time, however often something changes", async () => {
    assert.equal(await eventually(async () => (await running("inspect")) > 0, true), true);
    for (let look = 0; look < 20; look += 1) assert.ok((await running("inspect")) <= 1);
  });
  it("nothing of it stays when seawalld is killed by SIGKILL", async () => {
    assert.equal(await eventually(async () => (await running("events")) > 0, true), true);
    await world.signal("KILL", "daemon");
    const left = async (): Promise<number> => (await running("events")) + (await running("inspect"));
    assert.equal(await eventually(left, 0), 0);
  });
});

describe("where dockerd does not run", () => {
  it("its events are asked for less and less often, and it is said once", async () => {
    await dockerIs("echo 'Cannot connect to the Docker daemon' >&2; exit 1");
    await restart();
    const saidBefore = world.said().length;
    const tries = async (): Promise<number> => (await calls()).filter((one) => one === "events").length;
    assert.equal(await eventually(async () => (await tries()) >= 3, true, 20_000), true);
    const startMs = performance.now();
    const third = await tries();
    await eventually(async () => (await tries()) > third, true, 20_000);
    // Each pause is twice the one before: 1 s, 2 s, 4 s.
    assert.ok(performance.now() - startMs > 3_000, "the fourth came too soon");
    const said =
      world
        .said()
        .slice(saidBefore)
        .match(/containers that come or go/g) ?? [];
    assert.ok(said.length <= 1, world.said());
    assert.match(world.said(), /noticed late: Cannot connect to the Docker daemon;/);
  });
});

describe("where docker is not installed", () => {
  it("says so once, and starts nothing", async () => {
    await dockerIs("exit 0");
    await world.host.shell("chmod 644 /run/docker-script");
    await world.signal("KILL", "daemon");
    // The one before asked as long as the script could be run.
    await world.host.shell(`: >${LOG}`);
    await world.startDaemon();
    assert.equal(
      await eventually(async () => world.said().includes("late: `docker` is not installed"), true),
      true,
    );
    assertAddresses(await agent.resolve("good.example.com"), SITE4);
    assert.deepEqual(await calls(), []);
    assert.equal(world.said().split("`docker` is not installed").length, 2);
  });
});
