// Two tenants on one host, each its own user: neither has anything of the other's, nor can it starve the other.
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/host/eventually.ts";
import type { Agent } from "./agent.ts";
import type { LoadResult } from "./ask.ts";
import { assertNoSuchName, assertReached, refusalIn } from "./expect.ts";
import { AGENT_SUBUID, AGENT_UID, OTHER_UID, startWorld, type World } from "./world.ts";
import { ELSEWHERE4, ELSEWHERE6, RESOLVER, SITE4, SITE6, THIRD4 } from "./zone.ts";

const POLICY = `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {user: openclaw}, other: {user: other}}
inbound: []
outbound:
  - {id: site, allow: [good.example.com, "*.wild.example.com"], port: [80, 443], why: a rule of this test}
  - {id: high, allow: good.example.com, port: 8080, why: a rule of this test}
  - {id: third, allow: [third.example.com, api.example.org], port: [80, 443], scope: other, why: a rule of this test}
  - {id: other-high, allow: third.example.com, port: 8443, scope: other, why: a rule of this test}
  - {id: literal, allow: ${ELSEWHERE4}, port: 22, scope: other, why: a rule of this test}
`;
const FLOOD_SCRIPT = fileURLToPath(new URL("./scope-flood.ts", import.meta.url));
const SETTLE_MS = 30_000;
/** LIMIT: one request of the tenant that behaves; its machine is busy with the other's requests. */
const REQUEST_MS = 15_000;
const PROXIES = { agent: 18_901, other: 19_062 } as const;

let world: World;
let one: Agent;
let two: Agent;
before(async () => {
  world = await startWorld();
  one = world.agent(AGENT_UID);
  two = world.agent(OTHER_UID);
  assertReached(await two.https("good.example.com"), "good.example.com");
  assertReached(await one.https("third.example.com"), "third.example.com");
  await world.seawall.enforce(POLICY);
});
after(() => world?.stop());

describe("each tenant", () => {
  it("reaches its own names, on its own ports", async () => {
    assertReached(await one.https("good.example.com"), "good.example.com");
    assertReached(await one.http("good.example.com", { port: 8080 }), "good.example.com");
    assertReached(await two.https("third.example.com"), "third.example.com");
    assertReached(await two.http("api.example.org", { type: "AAAA" }), "api.example.org");
    assert.match(await two.send({ address: ELSEWHERE4, port: 22 }, "hello"), /hello/);
  });
  it("is told that the other's names do not exist, and nobody is asked", async () => {
    const { asked } = await world.during(async () => {
      assertNoSuchName(await one.resolve("third.example.com"));
      assertNoSuchName(await two.resolve("good.example.com"));
      assertNoSuchName(await two.resolve("x.wild.example.com"));
    });
    assert.deepEqual(asked, []);
  });
  it("does not reach what is pinned for the other, by the other's name or by its own", async () => {
    const { value, packets } = await world.during(async () => [
      await one.https("third.example.com", { address: THIRD4 }),
      await one.https("good.example.com", { address: THIRD4 }),
      await one.http("third.example.com", { address: THIRD4 }),
      await one.send({ address: ELSEWHERE4, port: 22 }, "hello"),
    ]);
    for (const page of value) assert.match(page, /ECONNREFUSED/);
    assert.equal(packets(THIRD4) + packets(ELSEWHERE4), 0);
  });
  it("does not reach the other's names where both have names on one address", async () => {
    const { value, seen } = await world.during(async () => [
      await two.https("good.example.com", { address: SITE6 }),
      await two.http("good.example.com", { address: SITE6 }),
      await one.https("api.example.org", { address: SITE6 }),
    ]);
    for (const page of value) assert.doesNotMatch(page, /REACHED/);
    assert.deepEqual(seen, []);
  });
  it("does not have the other's ports on an address that both have", async () => {
    const { packets } = await world.during(async () => {
      await two.http("good.example.com", { address: SITE4, port: 8080 });
      await one.https("good.example.com", { address: SITE4, port: 8443 });
    });
    assert.equal(packets(SITE4, "tcp 8080") + packets(SITE4, "tcp 8443"), 0);
  });
  it("does not reach the doors of the other, nor its proxy", async () => {
    for (const [agent, ports] of [
      [one, [19_002, 19_022, 19_042, PROXIES.other]],
      [two, [18_943, 18_953, 18_980, PROXIES.agent]],
    ] as const) {
      for (const port of ports)
        for (const address of ["127.0.0.1", "::1"])
          assert.match(
            await agent.http("good.example.com", { address, port }),
            /ECONNREFUSED/,
            `${address} ${port}`,
          );
    }
  });
  it("has a proxy of its own, which knows its names only", async () => {
    const through = async (uid: number, port: number, url: string) =>
      (await world.as(uid, ["curl", "-sk", "-m", "8", "-x", `http://127.0.0.1:${port}`, url])).stdout;
    assertReached(await through(AGENT_UID, PROXIES.agent, "http://good.example.com/"), "good.example.com");
    assertReached(await through(OTHER_UID, PROXIES.other, "http://third.example.com/"), "third.example.com");
    assert.ok(refusalIn(await through(AGENT_UID, PROXIES.agent, "http://third.example.com/")));
    assert.ok(refusalIn(await through(OTHER_UID, PROXIES.other, "http://good.example.com/")));
    assert.ok(refusalIn(await through(AGENT_UID, PROXIES.agent, `http://${ELSEWHERE4}:22/`)));
  });
  it("is told about as its own scope", async () => {
    const scopes = async (host: string): Promise<string> => {
      const flows = (await world.flows()).filter((flow) => flow.host === host && flow.verdict === "refuse");
      return [...new Set(flows.map(({ scope }) => scope))].join();
    };
    assert.equal(await eventually(() => scopes("x.wild.example.com"), "other"), "other");
    assert.equal(await eventually(() => scopes("third.example.com"), "agent"), "agent");
  });
  it("a subuid of one is that one, and not the other", async () => {
    const sub = world.agent(AGENT_SUBUID);
    assertReached(await sub.https("good.example.com"), "good.example.com");
    assertNoSuchName(await sub.resolve("third.example.com"));
  });
});

describe("a tenant that takes all it can get", () => {
  const starved = async (work: () => Promise<unknown>): Promise<LoadResult> => {
    const names = [
      { name: "third.example.com", port: 443, tls: true, type: "A" as const },
      { name: "api.example.org", port: 80, tls: false, type: "AAAA" as const },
    ];
    await two.startLoad({ key: "load", names, everyMs: 40, limitMs: REQUEST_MS, askAgainMs: 1_000 });
    await work();
    return two.endLoad("load");
  };
  const flood = async (...words: readonly string[]): Promise<ChildProcess> => {
    const argv = [
      "setpriv",
      `--reuid=${AGENT_UID}`,
      `--regid=${AGENT_UID}`,
      "--clear-groups",
      process.execPath,
    ];
    const child = world.host.start([...argv, FLOOD_SCRIPT, ...words]);
    if (child.stdout) await once(child.stdout, "data", { signal: AbortSignal.timeout(SETTLE_MS) });
    return child;
  };
  const end = async (child: ChildProcess): Promise<void> => {
    child.stdin?.end();
    await once(child, "close", { signal: AbortSignal.timeout(SETTLE_MS) });
  };
  const limits = async () => (await world.flows()).filter(({ reason }) => reason === "limit");
  const isReached = async () => (await one.https("good.example.com")).includes("REACHED");

  it("of connections, does not keep the other from what it is allowed", async () => {
    await one.resolve("good.example.com");
    const result = await starved(async () => {
      const child = await flood("hold", SITE4, "443", "2600");
      assert.equal(await eventually(async () => (await limits()).length > 0, true, SETTLE_MS), true);
      assert.equal(await isReached(), false);
      for (let at = 0; at < 20; at += 1)
        assertReached(await two.https("third.example.com"), "third.example.com");
      await end(child);
    });
    assert.deepEqual(result.failures, []);
    assert.ok(result.succeeded > 20);
    const scopes = (await limits()).map(({ scope }) => scope);
    assert.deepEqual(new Set(scopes), new Set(["agent"]));
    assert.equal(await eventually(isReached, true, SETTLE_MS), true);
  });
  it("of questions that a resolver is slow to answer, does not keep the other from its names", async () => {
    const known = (await limits()).length;
    await world.setMoods({ [RESOLVER]: { delayMs: 1_000 } });
    const result = await starved(async () => {
      const child = await flood("ask", RESOLVER, "wild.example.com", "40");
      assert.equal(await eventually(async () => (await limits()).length > known, true, SETTLE_MS), true);
      for (let at = 0; at < 5; at += 1)
        assertReached(await two.https("third.example.com"), "third.example.com");
      await end(child);
    });
    await world.setMoods({});
    assert.deepEqual(result.failures, []);
    assert.ok(result.succeeded > 5);
    assert.deepEqual(new Set((await limits()).map(({ scope }) => scope)), new Set(["agent"]));
    assert.equal(await eventually(isReached, true, SETTLE_MS), true);
  });
  it("of questions for names that nobody listed, does not keep the other from its names", async () => {
    const { value, asked, packets } = await world.during(() =>
      starved(async () => {
        const child = await flood("ask", RESOLVER, "evil.example.net", "60");
        for (let at = 0; at < 20; at += 1)
          assertReached(await two.https("third.example.com"), "third.example.com");
        await end(child);
      }),
    );
    assert.deepEqual(value.failures, []);
    assert.ok(value.succeeded > 10);
    assert.deepEqual(
      asked.filter((name) => name.includes("evil")),
      [],
    );
    assert.equal(packets(ELSEWHERE4) + packets(ELSEWHERE6), 0);
    assert.equal(await eventually(isReached, true, SETTLE_MS), true);
  });
});

describe("a tenant in a network namespace that is gone", () => {
  it("keeps no other tenant from its gate when seawalld starts anew", async () => {
    await world.host.shell(`ip netns add gone
ip link add veth-gone type veth peer name eth0 netns gone
ip addr add 10.99.0.1/24 dev veth-gone; ip link set veth-gone up
ip -n gone addr add 10.99.0.2/24 dev eth0; ip -n gone link set eth0 up; ip -n gone route add default via 10.99.0.1`);
    const scopes = "{agent: {user: openclaw}, other: {user: other}, gone: {netns: gone}}";
    const rule = "  - {id: away, allow: third.example.com, scope: gone, why: a rule of this test}\n";
    const risk =
      "accept_risk:\n  - {scope: gone, reason: nothing runs in it yet, by: me, expires: 2099-01-01}\n";
    await world.seawall.enforce(POLICY.replace(/^scopes: .*$/m, `scopes: ${scopes}`) + rule + risk);
    await world.host.shell("ip link del veth-gone; ip netns del gone");
    await world.signal("KILL", "daemon", "gate");
    await world.startDaemon();
    const reached = async () => (await one.https("good.example.com")).includes("REACHED");
    assert.equal(await eventually(reached, true, SETTLE_MS), true);
  });
});
