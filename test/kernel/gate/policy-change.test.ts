// The policy changes while connections are open: what it forbids is cut, everything else notices nothing.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/host/eventually.ts";
import type { Agent } from "./agent.ts";
import { assertNoSuchName, assertNotReached, assertReached } from "./expect.ts";
import { AGENT_UID, startWorld, type World } from "./world.ts";
import { ELSEWHERE4, SITE4, THIRD4 } from "./zone.ts";

/** LIMIT: how long what is forbidden may live after the change. */
const CUT_MS = 2_000;
/** LIMIT: the longest time between two ticks of what goes on; a busy machine is in it. */
const HICCUP_MS = 1_500;
const LEASE_SECONDS = 6;

const head = (mode: string) => `version: 1
mode: {inbound: observe, outbound: ${mode}}
scopes: {agent: {user: openclaw}}
inbound: []
outbound:
  - {id: keep, allow: good.example.com, port: [80, 443, 8080], why: a rule of this test}
`;
const GONE = "  - {id: gone, allow: third.example.com, port: [443, 8080], why: a rule of this test}\n";
const EXTRA = "  - {id: extra, allow: evil.example.net, port: [443, 8080], why: a rule of this test}\n";
const MORE = "  - {id: more, allow: more.example.com, port: 22, why: a rule of this test}\n";

const FORGET_PINS = `
for set in $(nft list sets inet | grep -o 'name4_[0-9a-f]*' | sort -u); do nft flush set inet seawall $set; done`;

describe("when the policy changes", () => {
  let world: World;
  let agent: Agent;
  let opened = 0;
  before(async () => {
    world = await startWorld();
    agent = world.agent(AGENT_UID);
  });
  after(() => world.stop());

  /** Opens one stream through the gate and one beside it. */
  const open = async (name: string, address: string): Promise<readonly [gate: string, direct: string]> => {
    opened += 1;
    const keys = [`${name} by the gate ${opened}`, `${name} direct ${opened}`] as const;
    const found = await agent.resolve(name);
    assert.ok(found.kind === "answer" && found.values.includes(address), JSON.stringify(found));
    assert.equal(
      await agent.openStream({ key: keys[0], address, port: 443, tls: { name }, host: name }),
      true,
      name,
    );
    assert.equal(
      await agent.openStream({ key: keys[1], address, port: 8080, tls: null, host: `${name}:8080` }),
      true,
      name,
    );
    return keys;
  };
  const isOpen = async (key: string) => (await agent.stream(key)).open;
  const assertCut = async (keys: readonly string[], limitMs: number) => {
    for (const key of keys)
      assert.equal(await eventually(() => isOpen(key), false, limitMs), false, `${key} lives on`);
  };
  const assertLives = async (keys: readonly string[]) => {
    for (const key of keys) {
      const { ticks } = await agent.stream(key);
      await eventually(async () => (await agent.stream(key)).ticks > ticks + 4, true);
      const state = await agent.stream(key);
      assert.ok(state.open && state.longestSilenceMs < HICCUP_MS, `${key}: ${JSON.stringify(state)}`);
    }
  };

  it("from watching to enforcing, nothing is left of what was pinned while watching", async () => {
    await world.seawall.enforce(head("observe"));
    const [, listed] = await open("good.example.com", SITE4);
    const forbidden = await open("evil.example.net", ELSEWHERE4);
    assert.match(await world.host.shell("nft list sets inet"), /set seen4_/);
    await world.seawall.enforce(head("enforce") + GONE);
    await assertCut(forbidden, CUT_MS);
    await assertLives([listed]);
    assert.doesNotMatch(await world.host.shell("nft list sets inet"), /set seen[46]_/);
    const watched = await world.during(async () => {
      assertNotReached(await agent.https("evil.example.net", { address: ELSEWHERE4 }));
      assertNotReached(await agent.http("evil.example.net", { address: ELSEWHERE4, port: 8080 }));
    });
    assert.equal(watched.packets(ELSEWHERE4), 0);
    for (const port of [443, 8080]) {
      const page =
        port === 443
          ? agent.https("good.example.com", { address: SITE4 })
          : agent.http("good.example.com", { address: SITE4, port });
      assertReached(await page, "good.example.com");
    }
  });

  it("a removed rule's connections are cut, the others' live, and addresses that clients know stay reachable throughout", async () => {
    const kept = await open("good.example.com", SITE4);
    const gone = await open("third.example.com", THIRD4);
    const names = [443, 8080].map((port) => ({
      name: "good.example.com",
      port,
      tls: port === 443,
      type: "A" as const,
      address: SITE4,
    }));
    await agent.startLoad({ key: "known addresses", names, everyMs: 20, limitMs: 5_000, askAgainMs: 1_000 });
    await world.seawall.enforce(head("enforce") + MORE);
    await assertCut(gone, CUT_MS);
    const result = await agent.endLoad("known addresses");
    assert.deepEqual(result.failures, []);
    assert.ok(result.succeeded > 20, JSON.stringify(result));
    await assertLives(kept);
    assertNoSuchName(await agent.resolve("third.example.com"));
    const { packets } = await world.during(() => agent.send({ address: SITE4, port: 9_000 }, "x"));
    assert.equal(packets(SITE4, "tcp 9000"), 0);
  });

  it("what a name admitted lives on although its address is not pinned any more, and ends with its rule", async () => {
    await world.seawall.enforce(head("enforce") + GONE);
    const [web, kept] = await open("good.example.com", SITE4);
    const [goneWeb, gone] = await open("third.example.com", THIRD4);
    for (const key of [web, goneWeb]) await agent.end(key);
    // As after the end of every DNS answer: nobody knows any more where the names were.
    await world.signal("KILL", "daemon");
    await world.signal("KILL", "gate");
    await world.host.shell(FORGET_PINS);
    await world.startDaemon();
    await world.seawall.enforce(head("enforce") + GONE + MORE);
    assert.doesNotMatch(
      await world.host.shell("nft list table inet seawall"),
      new RegExp(`${SITE4} timeout`),
    );
    await assertLives([kept, gone]);
    await world.seawall.enforce(head("enforce") + MORE);
    await assertCut([gone], CUT_MS);
    await agent.end(kept);
  });

  it("and is not confirmed, only what the candidate alone allowed is cut when its lease is over", async () => {
    const kept = await open("good.example.com", SITE4);
    const path = await world.seawall.policy(head("enforce") + MORE + EXTRA);
    await world.seawall.ok("apply", path, "--confirm-within", `${LEASE_SECONDS}s`);
    const extra = await open("evil.example.net", ELSEWHERE4);
    await assertLives(extra);
    assert.equal(
      await eventually(async () => (await world.seawall.status()).state, "enforcing", LEASE_SECONDS * 2_000),
      "enforcing",
    );
    await assertCut(extra, CUT_MS);
    await assertLives(kept);
    assertNoSuchName(await agent.resolve("evil.example.net"));
    const watched = await world.during(() => agent.https("evil.example.net", { address: ELSEWHERE4 }));
    assert.equal(watched.packets(ELSEWHERE4, "tcp 443"), 0);
    await agent.end(extra[0]);
    await agent.end(extra[1]);
  });

  it("by itself, because a rule expires, its connections are cut and its name is gone", async () => {
    const kept = await open("good.example.com", SITE4);
    const expires = new Date(Date.now() + 12_000).toISOString();
    await world.seawall.enforce(
      `${head("enforce")}  - {id: brief, allow: evil.example.net, port: [443, 8080], expires: "${expires}", why: a rule of this test}\n`,
    );
    const brief = await open("evil.example.net", ELSEWHERE4);
    await assertLives(brief);
    const leftMs = Math.max(0, Date.parse(expires) - Date.now());
    await assertCut(brief, leftMs + CUT_MS);
    for (const key of brief) {
      const { endedMsAgo } = await agent.stream(key);
      assert.ok(
        Date.now() - (endedMsAgo ?? 0) >= Date.parse(expires) - 100,
        `${key} was cut before its time`,
      );
    }
    assertNoSuchName(await agent.resolve("evil.example.net"));
    const watched = await world.during(async () => {
      assertNotReached(await agent.https("evil.example.net", { address: ELSEWHERE4 }));
      assertNotReached(await agent.http("evil.example.net", { address: ELSEWHERE4, port: 8080 }));
    });
    assert.equal(watched.packets(ELSEWHERE4, "tcp 443") + watched.packets(ELSEWHERE4, "tcp 8080"), 0);
    await assertLives(kept);
  });

  it("and is taken down, nothing is diverted any more, and nothing of ours is left in the kernel", async () => {
    await world.seawall.ok("down", "--yes");
    assertReached(await agent.https("evil.example.net"), "evil.example.net");
    assert.doesNotMatch(await world.host.shell("nft list tables"), /inet seawall/);
    assert.equal(await eventually(world.gatePid, null), null);
  });
});
