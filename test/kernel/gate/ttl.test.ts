// Addresses of names change and resolvers fail, under load: nothing that is allowed is out of reach for it.
// SEAWALL_GATE_SECONDS says how long the load lasts (default 6; pins live for 90 s at least).
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/host/eventually.ts";
import type { Agent } from "./agent.ts";
import { assertAddresses, assertReached } from "./expect.ts";
import { AGENT_UID, startWorld, type World } from "./world.ts";
import { PLACES, RESOLVER, SECOND_RESOLVER, SITE4, SITE6 } from "./zone.ts";

const SECONDS = Number(process.env["SEAWALL_GATE_SECONDS"] ?? 6);
const POLICY = `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {user: openclaw}}
inbound: []
outbound:
  - {id: site, allow: ["*.example.com", "*.example.org"], port: [80, 443, 8080], why: a rule of this test}
`;
/** Setups that a resolv.conf which changes again and again brings about. */
const SETUPS = 16;
/** LIMIT: how long a pin may live: an hour of TTL and half a minute, and what a policy change adds at most. */
const PIN_SECONDS_MAX = 3_640;

describe("a name whose addresses change", () => {
  let world: World;
  let agent: Agent;
  before(async () => {
    world = await startWorld([RESOLVER, SECOND_RESOLVER]);
    await world.seawall.enforce(POLICY);
    agent = world.agent(AGENT_UID);
    assertReached(await agent.https("good.example.com"), "good.example.com");
  });
  after(() => world.stop());

  it(`is reached at every moment of ${SECONDS} s by whoever asks for it, and what was open stays open`, async () => {
    const first = await agent.resolve("turning.example.com");
    const address = first.kind === "answer" ? (first.values[0] ?? "") : "";
    const name = "turning.example.com";
    assert.equal(
      await agent.openStream({ key: "by gate", address, port: 443, tls: { name }, host: name }),
      true,
    );
    assert.equal(
      await agent.openStream({ key: "direct", address, port: 8080, tls: null, host: `${name}:8080` }),
      true,
    );
    const names = [
      { name, port: 443, tls: true, type: "A" },
      { name, port: 8080, tls: false, type: "A" },
      { name: "slow.example.com", port: 80, tls: false, type: "A" },
      { name: "slow.example.com", port: 8080, tls: false, type: "A" },
    ] as const;
    await agent.startLoad({ key: "load", names, everyMs: 15, limitMs: 10_000, askAgainMs: 2_000 });
    await sleep(SECONDS * 1_000);
    const result = await agent.endLoad("load");
    assert.deepEqual(result.failures, []);
    assert.ok(
      result.succeeded > SECONDS * 10 && result.addresses.length >= Math.min(SECONDS - 2, PLACES.length),
      JSON.stringify(result),
    );
    assertReached(await agent.https(name, { address }), name, address);
    assertReached(await agent.http(name, { address, port: 8080 }), name, address);
    for (const key of ["by gate", "direct"]) assert.equal((await agent.stream(key)).open, true, key);
  });

  it("keeps its connections when the kernel forgets its pins", async () => {
    assertAddresses(await agent.resolve("good.example.com"), SITE4);
    for (const [key, port] of [
      ["gate over", 443],
      ["direct over", 8080],
    ] as const) {
      const tls = port === 443 ? { name: "good.example.com" } : null;
      const host = port === 443 ? "good.example.com" : "good.example.com:8080";
      assert.equal(await agent.openStream({ key, address: SITE4, port, tls, host }), true);
    }
    await world.host.shell(
      "nft list table inet seawall | sed -n 's/.*set \\(\\(web\\|name\\)[46]_[0-9a-f]*\\) .*/\\1/p' | while read -r set; do nft flush set inet seawall $set; done",
    );
    for (const key of ["gate over", "direct over"]) {
      const { ticks } = await agent.stream(key);
      assert.equal(
        await eventually(async () => (await agent.stream(key)).ticks > ticks + 20, true),
        true,
        key,
      );
    }
    // The gate makes its pins anew with the next setup.
    await world.host.shell(
      `printf 'nameserver ${SECOND_RESOLVER}\\nnameserver ${RESOLVER}\\n' >/etc/resolv.conf`,
    );
    const isBack = async () => (await agent.http("good.example.com", { port: 8080 })).includes("REACHED");
    assert.equal(await eventually(isBack, true), true);
    await world.host.shell(
      `printf 'nameserver ${RESOLVER}\\nnameserver ${SECOND_RESOLVER}\\n' >/etc/resolv.conf`,
    );
    await sleep(600);
  });

  const failing = [
    ["is silent", { silent: true }],
    ["answers with SERVFAIL", { rcode: 2 }],
    ["answers with REFUSED", { rcode: 5 }],
  ] as const;
  for (const [at, [what, mood]] of failing.entries()) {
    it(`is found by the second resolver when the first ${what}, which is then asked first`, async () => {
      await world.setMoods({ [RESOLVER]: mood });
      const { seen } = await world.during(async () => {
        assertAddresses(
          await agent.resolve(`${at === 0 ? "" : "deep."}api.example.org`, {
            waitMs: 8_000,
            type: at === 2 ? "AAAA" : "A",
          }),
          ...(at === 2 ? [SITE6] : [SITE4]),
        );
      });
      assert.ok(seen.some((one) => one.kind === "dns" && one.server === SECOND_RESOLVER));
      await world.setMoods({ [SECOND_RESOLVER]: { silent: true } });
      // Back to the first for the next row.
      const back = ["text", "alias", "second"][at] ?? "";
      assert.equal((await agent.resolve(`${back}.example.com`, { waitMs: 8_000 })).kind, "answer");
      await world.setMoods({});
    });
  }

  it("is said to be out of reach, not to be missing, when no resolver answers, and is found once one does", async () => {
    await world.setMoods({ [RESOLVER]: { silent: true }, [SECOND_RESOLVER]: { silent: true } });
    const found = await agent.resolve("v4.example.com", { waitMs: 15_000 });
    assert.ok(found.kind === "answer", JSON.stringify(found));
    assert.equal(found.rcode, 2);
    assert.ok(found.extendedError?.text.includes("no resolver answered"), JSON.stringify(found));
    await world.setMoods({});
    assertAddresses(await agent.resolve("v4.example.com"), SITE4);
  });
  it("is said to be out of reach when every resolver fails, and is found once one does not", async () => {
    await world.setMoods({ [RESOLVER]: { rcode: 2 }, [SECOND_RESOLVER]: { rcode: 2 } });
    const found = await agent.resolve("half.example.com");
    assert.ok(found.kind === "answer" && found.rcode === 2, JSON.stringify(found));
    await world.setMoods({});
    assertAddresses(await agent.resolve("half.example.com"), SITE4);
  });
  it("is asked for over TCP when its answer is cut", async () => {
    const { value, seen } = await world.during(() => agent.resolve("long.example.com"));
    assertAddresses(value, SITE4);
    assert.ok(seen.some((one) => one.kind === "dns" && one.over === "tcp"));
    assertReached(await agent.https("long.example.com"), "long.example.com");
  });
  it("is found by a resolver that takes its time", async () => {
    await world.setMoods({ [RESOLVER]: { delayMs: 900 } });
    assertAddresses(await agent.resolve("v6.example.com", { type: "AAAA" }), SITE6);
    await world.setMoods({});
  });
  it("has more addresses than one wish for pins may hold, and is reached", async () => {
    const found = await agent.resolve("many.example.com", { over: "tcp" });
    assert.ok(found.kind === "answer" && found.values.length > 100, JSON.stringify(found));
    assertReached(await agent.https("many.example.com", { address: SITE4 }), "many.example.com");
    assertReached(await agent.http("many.example.com", { address: SITE4, port: 8080 }), "many.example.com");
  });
  it(`lives no longer for ${SETUPS} setups in a row`, async () => {
    assertAddresses(await agent.resolve("lasting.example.com"), SITE4);
    for (let at = 0; at < SETUPS; at += 1) {
      const order = at % 2 === 0 ? [SECOND_RESOLVER, RESOLVER] : [RESOLVER, SECOND_RESOLVER];
      await world.host.shell(`printf 'nameserver %s\\n' ${order.join(" ")} >/etc/resolv.conf`);
      await sleep(320);
    }
    const text = await world.host.shell("nft -j list table inet seawall");
    const longest = Math.max(
      ...[...text.matchAll(/"timeout": (\d+)/g)].map(([, seconds]) => Number(seconds)),
    );
    assert.ok(longest > 3_000 && longest <= PIN_SECONDS_MAX, String(longest));
    assertReached(await agent.https("lasting.example.com"), "lasting.example.com");
    assertAddresses(await agent.resolve("good.example.com"), SITE4);
  });
});
