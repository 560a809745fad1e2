// Agents in containers: real dockerd, UFW on, the default network and a network with Docker's own resolver.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/host/eventually.ts";
import type { Agent } from "./agent.ts";
import { assertNoSuchName, assertNotReached, assertReached } from "./expect.ts";
import { CORE_RULES, coreRows, HOST_SERVICE_PORT } from "./scope-rows.ts";
import { LOCAL_RESOLVER, type ScopeWorld, startLocalResolver, startScopeWorld } from "./scope-world.ts";
import { ELSEWHERE4, ELSEWHERE6, RESOLVER, SITE4, THIRD4 } from "./zone.ts";

const EMBEDDED = "127.0.0.11";
const BRIDGE_GATEWAY = "172.17.0.1";
const MATES_GATEWAY = "172.30.1.1";
const RISKS = `
accept_risk:
  - {scope: agent, reason: a container of this test, by: me, expires: 2099-01-01}`;
const ONE = `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {docker: bridge}}
inbound: []
outbound:${CORE_RULES("agent")}${RISKS}
`;
const WATCHED = ONE.replace("outbound: enforce", "outbound: observe");
const TWO = `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {docker: bridge}, mates: {docker: mates}}
inbound: []
outbound:${CORE_RULES("agent")}
  - {id: third, allow: third.example.com, port: [80, 443, 8080], scope: mates, why: a rule of this test}
  - {id: mates, allow: good.example.com, port: [80, 443, 8080], scope: mates, why: a rule of this test}${RISKS}
  - {scope: mates, reason: a container of this test, by: me, expires: 2099-01-01}
`;
const HAMMERED = [ELSEWHERE4, ELSEWHERE6].flatMap((address) => [
  { address, port: 80, over: "tcp" as const },
  { address, port: 443, over: "udp" as const },
]);
/** Long enough for BUSY to send each of its kinds. */
const BUSY_MS = 2_000;
/** Sends from its first moment on. */
const BUSY = `while :; do
echo x | /bin/busybox nc -w 1 ${ELSEWHERE4} 80
/bin/busybox ping -c 1 -W 1 ${ELSEWHERE4}
/bin/busybox ping -c 1 -W 1 ${ELSEWHERE6}
/bin/busybox nslookup evil.example.net 8.8.8.8
done >/dev/null 2>&1`;

let world: ScopeWorld;
let box: Agent;
let mate: Agent;
let stranger: Agent;

const elsewhere = async (work: () => Promise<unknown>): Promise<number> => {
  const { packets } = await world.during(work);
  return packets(ELSEWHERE4) + packets(ELSEWHERE6);
};
const tries = (agent: Agent): Promise<number> =>
  elsewhere(async () => {
    await agent.http("evil.example.net", { address: ELSEWHERE4 });
    await agent.datagram({ address: ELSEWHERE4, port: 443 });
    await agent.ping(ELSEWHERE4);
  });

before(async () => {
  world = await startScopeWorld({ docker: true });
  await world.host.shell(`
    docker network create --subnet 172.30.1.0/24 --ipv6 --subnet 2001:db8:d18::/64 mates
    docker network create --subnet 172.30.2.0/24 strangers
    ip -n upstream -6 route replace 2001:db8:d0c::/64 via 2001:db8:1::10
    ip -n upstream -6 route replace 2001:db8:d18::/64 via 2001:db8:1::10
  `);
  await world.host.listen(HOST_SERVICE_PORT);
  await world.container("box", "bridge");
  await world.container("mate", "mates");
  await world.container("stranger", "strangers");
  [box, mate, stranger] = [
    await world.inContainer("box"),
    await world.inContainer("mate"),
    await world.inContainer("stranger"),
  ];
});
after(() => world?.stop());

describe("before any policy", () => {
  it("every container reaches everything, so the rows below can fail", async () => {
    for (const agent of [box, mate, stranger]) {
      assertReached(await agent.http("evil.example.net", { address: ELSEWHERE4 }), "evil.example.net");
      assert.ok((await tries(agent)) > 2);
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
    const flows = await world.flows();
    assert.ok(flows.some(({ host, observed }) => host === "evil.example.net" && observed));
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
    const flows = await world.flows();
    const found = flows.filter(({ host, scope }) => host === "evil.example.net" && scope === "agent");
    assert.ok(
      found.some(({ verdict, reason }) => verdict === "refuse" && reason === "default"),
      JSON.stringify(found[0]),
    );
  });
});

describe("a network that no scope names", () => {
  it("is denied from when a docker scope is enforced", async () => {
    assert.equal(await tries(stranger), 0);
    assert.equal(await tries(mate), 0);
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
    const packets = await elsewhere(async () => {
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
    assert.equal(await tries(box), 0);
  });
});

describe("two scopes by docker network", () => {
  it("the second one needs its own command, and the first stays in force until then", async () => {
    await world.seawall.enforce(ONE);
    const { help, text } = await world.refusedApply(TWO);
    assert.match(text, /scope `mates`/);
    assert.match(help, /^ufw allow in on br-[0-9a-f]{12} /);
    assertReached(await box.https("good.example.com"), "good.example.com");
    assert.equal(await tries(box), 0);
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

describe("a container that is started later", () => {
  for (const network of ["bridge", "mates"]) {
    it(`in ${network} is held from its first packet`, async () => {
      const { packets, asked } = await world.during(async () => {
        await world.container("early", network, [], BUSY);
        const agent = await world.inContainer("early");
        assertReached(await agent.https("good.example.com"), "good.example.com");
        await sleep(BUSY_MS);
        await world.host.shell("docker rm -f early");
      });
      assert.equal(packets(ELSEWHERE4) + packets(ELSEWHERE6) + packets("8.8.8.8"), 0);
      assert.deepEqual(
        asked.filter((one) => !one.startsWith("good.")),
        [],
      );
    });
  }
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
    const packets = await elsewhere(async () => {
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
    const packets = await elsewhere(async () => {
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

describe("what others do to the rules", () => {
  it("`ufw reload` opens nothing", async () => {
    for (const [key, agent] of [
      ["box", box],
      ["mate", mate],
    ] as const)
      await agent.startHammer({ key, targets: HAMMERED, everyMs: 10 });
    const packets = await elsewhere(async () => {
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
      [box, mate, stranger] = [
        await world.inContainer("box"),
        await world.inContainer("mate"),
        await world.inContainer("stranger"),
      ];
      for (const agent of [box, mate])
        assertReached(await agent.https("good.example.com"), "good.example.com");
      assert.equal(await tries(stranger), 0);
    });
    assert.equal(packets(ELSEWHERE4) + packets(ELSEWHERE6), 0);
    assert.deepEqual(
      asked.filter((one) => !one.startsWith("good.")),
      [],
    );
    await world.host.shell("docker rm -f busy busy-mate");
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
  it("NOT HELD: a container that is started later without `--dns` resolves through dockerd", async () => {
    await world.container("late", "mates");
    const late = await world.inContainer("late");
    const { value, asked } = await world.during(() => late.resolve("evil.example.net", { server: EMBEDDED }));
    assert.deepEqual([value.kind, asked], ["answer", ["evil.example.net 1"]]);
    assert.equal(await tries(late), 0);
    const { text } = await world.refusedApply(TWO);
    assert.match(text, /container `late` resolves through dockerd/);
    await world.host.shell("docker rm -f late");
  });
  it("the default network has no such resolver and needs nothing", async () => {
    await world.seawall.enforce(ONE);
    assertReached(await box.https("good.example.com"), "good.example.com");
    assert.equal(await tries(box), 0);
  });
});

describe("after `seawall down`", () => {
  it("every container is as it was", async () => {
    await world.seawall.ok("down");
    for (const agent of [box, stranger])
      assertReached(await agent.http("evil.example.net", { address: ELSEWHERE4 }), "evil.example.net");
  });
});
