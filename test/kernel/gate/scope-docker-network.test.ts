// Agents in networks of their own with Docker's own resolver: real dockerd, UFW on, two scopes.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startDaemon } from "../../support/host/daemon.ts";
import { eventually } from "../../support/host/eventually.ts";
import type { Agent } from "./agent.ts";
import { assertNoSuchName, assertNotReached, assertReached } from "./expect.ts";
import {
  BRIDGE_GATEWAY,
  elsewhere,
  EMBEDDED,
  enterBoxes,
  HAMMERED,
  MATES_GATEWAY,
  ONE,
  startDockerWorld,
  tries,
  TWO,
} from "./scope-docker.ts";
import { BUSY, coreRows, laterRow } from "./scope-rows.ts";
import { LOCAL_RESOLVER, type ScopeWorld, startLocalResolver } from "./scope-world.ts";
import { ELSEWHERE4, ELSEWHERE6, SITE4, THIRD4 } from "./zone.ts";

let world: ScopeWorld;
let box: Agent;
let mate: Agent;
let stranger: Agent;

before(async () => {
  world = await startDockerWorld();
  ({ box, mate, stranger } = await enterBoxes(world));
  await world.host.shell((await world.refusedApply(ONE)).help);
  await world.seawall.enforce(ONE);
});
after(() => world?.stop());

describe("two scopes by docker network", () => {
  it("the second one needs its own command, and the first stays in force until then", async () => {
    await world.seawall.enforce(ONE);
    const { help, text } = await world.refusedApply(TWO);
    assert.match(text, /scope `mates`/);
    assert.match(help, /^ufw allow in on br-[0-9a-f]{12} /);
    assertReached(await box.https("good.example.com"), "good.example.com");
    assert.equal(await tries(world, box), 0);
    await world.host.shell(help);
    await world.seawall.enforce(TWO);
  });
  it("each reaches its own names", async () => {
    assertReached(await mate.https("third.example.com"), "third.example.com");
    assertReached(await mate.http("third.example.com", { port: 8080 }), "third.example.com");
    assertReached(await box.https("good.example.com"), "good.example.com");
    assertNoSuchName(await box.resolve("third.example.com"));
  });
  it("what is pinned for one is not for the other", async () => {
    const { value, packets } = await world.during(async () => [
      await box.https("third.example.com", { address: THIRD4 }),
      await box.http("third.example.com", { address: THIRD4 }),
      await box.http("third.example.com", { address: THIRD4, port: 8080 }),
      await box.https("good.example.com", { address: THIRD4 }),
    ]);
    for (const page of value) assert.match(page, /ECONNREFUSED/);
    assert.equal(packets(THIRD4), 0);
  });
  it("neither comes to the doors of the other, nor of its own", async () => {
    const ways = [box, mate].flatMap((agent) =>
      [BRIDGE_GATEWAY, MATES_GATEWAY].flatMap((address) =>
        [18_943, 18_953, 18_980, 19_002, 19_022, 19_042].map((port) => ({ agent, address, port })),
      ),
    );
    for (const { agent, address, port } of ways) {
      const page = await agent.http("third.example.com", { address, port });
      assert.match(page, /ECONNREFUSED/, `${address} ${port}: ${page}`);
    }
  });
});

describe("a network with Docker's own resolver", () => {
  coreRows(() => ({ world, agent: mate, gateway: MATES_GATEWAY, server: EMBEDDED }), { six: true });
  it("resolves listed names through it", async () => {
    const found = await mate.resolve("third.example.com", { server: EMBEDDED });
    assert.deepEqual(found.kind === "answer" ? found.values : found, [THIRD4]);
    assertNoSuchName(await mate.resolve("evil.example.net", { server: EMBEDDED, over: "tcp" }));
  });
  it("still finds other containers by name", async () => {
    const found = await mate.resolve("mate", { server: EMBEDDED });
    assert.match(found.kind === "answer" ? found.values.join() : found.code, /^172\.30\.1\./);
  });
});

describe("a container that is started later", () => laterRow(() => world, "mates"));

describe("seawalld starts anew while docker hangs", () => {
  const reaches = async (agent: Agent, name: string): Promise<boolean> =>
    (await agent.https(name)).includes("REACHED");
  before(async () => {
    const hung = "#!/bin/sh\nkill -STOP $$\n";
    await world.host.shell("cat >/run/hung; chmod 755 /run/hung", { input: hung });
    await world.host.shell("mount --bind /run/hung /usr/bin/docker");
    await world.host.shell("kill -KILL $(pgrep -f '[m]ain.ts (daemon|gate)')");
  });
  after(() => world.host.shell("umount -l /usr/bin/docker 2>/dev/null || true"));
  it("the scope whose bridge needs no answer is served, the other is held, and the reason is said", async () => {
    const { said } = await startDaemon(world.host);
    assert.equal(await eventually(() => reaches(box, "good.example.com"), true, 20_000), true);
    assert.equal(await reaches(mate, "third.example.com"), false);
    assert.equal(await tries(world, mate), 0);
    assert.match(said(), /^seawalld: the gate cannot listen: docker did not end well: no answer for 5 s$/m);
  });
  it("the other is served again once docker answers", async () => {
    await world.host.shell("umount -l /usr/bin/docker");
    assert.equal(await eventually(() => reaches(mate, "third.example.com"), true, 20_000), true);
    assert.equal(await tries(world, mate), 0);
  });
});

describe("what others do to the rules", () => {
  it("`ufw reload` opens nothing", async () => {
    for (const [key, agent] of [
      ["box", box],
      ["mate", mate],
    ] as const)
      await agent.startHammer({ key, targets: HAMMERED, everyMs: 10 });
    const packets = await elsewhere(world, async () => {
      await world.host.ufw.reload();
      await world.host.ufw.reload();
    });
    assert.ok(Number(await box.end("box")) > 50);
    assert.ok(Number(await mate.end("mate")) > 50);
    assert.equal(packets, 0);
    assertReached(await box.https("good.example.com"), "good.example.com");
  });
  it("a restart of dockerd opens nothing, and what is listed works afterwards", async () => {
    await world.container("busy", "bridge", ["--restart", "always"], BUSY);
    await world.container("busy-mate", "mates", ["--restart", "always"], BUSY);
    const { packets, asked } = await world.during(async () => {
      await world.host.docker.restartDaemon();
      await world.host.shell("docker start box mate stranger");
      ({ box, mate, stranger } = await enterBoxes(world));
      for (const agent of [box, mate])
        assertReached(await agent.https("good.example.com"), "good.example.com");
      assert.equal(await tries(world, stranger), 0);
    });
    assert.equal(packets(ELSEWHERE4) + packets(ELSEWHERE6), 0);
    assert.deepEqual(
      asked.filter((one) => !one.startsWith("good.")),
      [],
    );
    await world.host.shell("docker rm -f busy busy-mate");
  });
});

describe("a network without containers", () => {
  const only = ONE.replace("{docker: bridge}", "{docker: empty}");
  before(async () => {
    await world.host.shell("docker network create --subnet 172.30.3.0/24 empty");
    const { help } = await world.refusedApply(only);
    await world.host.shell(help);
    await world.seawall.enforce(only);
  });
  it("is enforced, and its first container is held and reaches what is listed within seconds", async () => {
    const packets = await elsewhere(world, async () => {
      await world.container("first", "empty", [], BUSY);
      const first = await world.inContainer("first");
      const isReached = async () => (await first.https("good.example.com")).includes("REACHED");
      assert.equal(await eventually(isReached, true, 5_000), true);
    });
    assert.equal(packets, 0);
  });
  it("is denied whole when it is made anew under its name, until the next apply", async () => {
    await world.host.shell("docker rm -f first; docker network rm empty");
    await world.host.shell("docker network create --subnet 172.30.3.0/24 empty");
    const packets = await elsewhere(world, async () => {
      await world.container("again", "empty", [], BUSY);
      const again = await world.inContainer("again");
      assertNotReached(await again.https("good.example.com", { address: SITE4 }));
    });
    assert.equal(packets, 0);
    const { help } = await world.refusedApply(only);
    await world.host.shell(help);
    await world.seawall.enforce(only);
    const again = await world.inContainer("again");
    assertReached(await again.https("good.example.com"), "good.example.com");
    await world.host.shell("docker rm -f again");
    await world.seawall.enforce(TWO);
  });
});

describe("the resolver of the host is on its loopback", () => {
  const ofName = (name: string) => mate.resolve(name, { server: EMBEDDED });
  before(async () => {
    await startLocalResolver(world.host);
    await world.resolveBy(LOCAL_RESOLVER);
    await world.host.shell("docker rm -f mate");
    await world.container("mate", "mates");
    mate = await world.inContainer("mate");
  });
  it("apply is refused: dockerd would ask for the container; the help is `--dns`", async () => {
    const { text, help } = await world.refusedApply(TWO);
    assert.match(text, /container `mate` resolves through dockerd/);
    assert.equal(help, `docker run --dns ${MATES_GATEWAY}`);
  });
  it("with `--dns` it works, and the gate answers", async () => {
    await world.host.shell("docker rm -f mate");
    await world.container("mate", "mates", ["--dns", MATES_GATEWAY]);
    mate = await world.inContainer("mate");
    await world.seawall.enforce(TWO);
    const { asked } = await world.during(async () => {
      assertNoSuchName(await ofName("evil.example.net"));
      const found = await ofName("third.example.com");
      assert.deepEqual(found.kind === "answer" ? found.values : found, [THIRD4]);
      assertReached(await mate.https("third.example.com", { address: THIRD4 }), "third.example.com");
      assertNotReached(await mate.https("neighbour.example.net", { address: SITE4 }));
    });
    assert.ok(
      asked.every((one) => one.startsWith("third.example.com ")),
      asked.join(),
    );
  });
  it("NOT HELD, and status says so: a container started later without `--dns` resolves through dockerd", async () => {
    const isContained = async () => (await world.seawall.status()).containment === "contained";
    assert.equal(await isContained(), true);
    await world.container("late", "mates");
    const late = await world.inContainer("late");
    const { value, asked } = await world.during(() => late.resolve("evil.example.net", { server: EMBEDDED }));
    assert.deepEqual([value.kind, asked], ["answer", ["evil.example.net 1"]]);
    assert.equal(await tries(world, late), 0);
    assert.equal(await eventually(isContained, false, 10_000), false);
    const { text } = await world.refusedApply(TWO);
    assert.match(text, /container `late` resolves through dockerd/);
    await world.host.shell("docker rm -f late");
    assert.equal(await eventually(isContained, true, 10_000), true);
  });
  it("the default network has no such resolver and needs nothing", async () => {
    await world.seawall.enforce(ONE);
    assertReached(await box.https("good.example.com"), "good.example.com");
    assert.equal(await tries(world, box), 0);
  });
});
