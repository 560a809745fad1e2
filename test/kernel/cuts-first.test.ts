// The first confirm: connections from before Seawall, tracked by nobody, and stamped by nobody.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { HOST4 } from "../support/host/host.ts";
import { CUT_MS, type CutWorld, lastHeardMs, OTHER4, PEER4, startCutWorld } from "./cut-world.ts";
import type { Talker } from "./talker.ts";

const EVERY_MS = 20;
const RESOLVER_PORT = 53;
const policy = (outbound: string, inbound = "[]"): string => `version: 1
mode: {inbound: enforce, outbound: enforce}
scopes: {agent: {user: openclaw}}
inbound: ${inbound}
outbound: ${outbound}
`;
const ALLOWED = `[{id: kept, allow: ["${OTHER4}"], port: 9101, why: a rule of this test}]`;

const WORDS = {
  connected: "connected socket",
  unconnected: "unconnected socket, on a host that tracks connections",
} as const;

describe("the first confirm", () => {
  let world: CutWorld;
  let agent: Talker;
  before(async () => {
    world = await startCutWorld();
  });
  afterEach(async () => {
    await world.seawall.ok("down");
    // As on a host where nothing needs connections to be tracked.
    await world.host.shell("nft delete table inet tracker 2>/dev/null || true; conntrack -F 2>/dev/null");
  });
  after(() => world?.stop());

  const talk = async (from: Talker, key: string): Promise<void> => {
    await from.ask({ do: "talk", key, everyMs: EVERY_MS });
  };
  const dial = async (who: Talker, key: string, address: string, port: number): Promise<void> => {
    await world.internet.ask({ do: "listen", key, address, port });
    await who.ask({ do: "connect", key, address, port });
  };

  it("ends what the agent had open and may not, and nothing else, on a host that tracked nothing", async (context) => {
    agent = world.agent();
    await dial(agent, "kept", OTHER4, 9101);
    await dial(agent, "gone", PEER4, 9102);
    await dial(world.root, "download", PEER4, 9103);
    await dial(world.root, "silent", PEER4, 9104);
    await world.root.ask({ do: "listen", key: "served", address: HOST4, port: 9105 });
    await world.internet.ask({ do: "connect", key: "served", address: HOST4, port: 9105, from: PEER4 });
    await world.root.ask({ do: "listen", key: "closed", address: HOST4, port: 9106 });
    await world.internet.ask({ do: "connect", key: "closed", address: HOST4, port: 9106, from: PEER4 });
    // Only the far side talks: nobody here shows the connection table who began.
    for (const key of ["kept", "gone", "download"]) await talk(world.internet, key);
    for (const key of ["served", "closed"]) await talk(world.root, key);
    assert.equal((await world.host.shell("conntrack -L 2>/dev/null")).trim(), "", "nothing is tracked");

    await world.seawall.ok(
      "apply",
      await world.seawall.policy(
        policy(ALLOWED, "[{id: s, allow: 9105, from: any, why: a rule of this test}]"),
      ),
    );
    for (const [who, key] of [
      [agent, "gone"],
      [agent, "kept"],
      [world.root, "download"],
      [world.internet, "closed"],
    ] as const)
      assert.ok(await who.hears(key), `${key}: nothing is ended while it waits`);
    await world.seawall.ok("confirm", "--console");
    const at = Date.now();

    const goneMs = await lastHeardMs(agent, "gone", at);
    const closedMs = await lastHeardMs(world.internet, "closed", at);
    context.diagnostic(`outbound ${goneMs} ms, inbound ${closedMs} ms after the confirm had returned`);
    assert.ok(goneMs <= CUT_MS && closedMs <= CUT_MS);
    for (const [who, key] of [
      [agent, "kept"],
      [world.root, "download"],
      [world.internet, "served"],
    ] as const) {
      assert.ok(await who.hears(key), `${key} lives`);
      const { missing, ended } = await who.state(key);
      assert.deepEqual({ missing, ended }, { missing: 0, ended: null }, key);
    }
    await talk(world.internet, "silent");
    assert.ok(await world.root.hears("silent"), "silent until now, and its first word comes from outside");
    assert.equal((await world.root.state("silent")).ended, null);
  });

  for (const [kind, peer] of [
    ["connected", { address: PEER4, port: RESOLVER_PORT }],
    ["unconnected", undefined],
  ] as const) {
    it(`ends DNS that the agent had open to a foreign resolver, and what that says on its own (${WORDS[kind]})`, async (context) => {
      agent = world.agent();
      const key = `dns ${kind}`;
      // Its socket does not say whom it asked; where nothing tracked connections, nobody knows that it asked first.
      if (peer === undefined) await world.host.shell(TRACKED);
      const resolver = { address: PEER4, port: RESOLVER_PORT + (peer === undefined ? 1 : 0) };
      await world.internet.ask({ do: "udp", key, ...resolver });
      await agent.ask({ do: "udp", key, address: HOST4, port: 0, ...(peer === undefined ? {} : { peer }) });
      await agent.ask({ do: "send", key, text: "a question", to: resolver });
      await talk(world.internet, key);
      assert.ok(await agent.hears(key));
      await world.seawall.enforce(policy(ALLOWED).replace("inbound: enforce", "inbound: observe"));
      const ms = await lastHeardMs(agent, key, Date.now());
      context.diagnostic(`${ms} ms after the confirm had returned`);
      assert.ok(ms <= CUT_MS);
      const { received } = await world.internet.state(key);
      await agent.ask({ do: "send", key, text: "another question" });
      await agent.ask({ do: "send", key, text: "another question" });
      assert.match((await agent.ends(key)) ?? "lives", /^(ECONNREFUSED|EPERM)$/);
      assert.equal((await world.internet.state(key)).received, received);
    });
  }

  it("ends what an agent's process that has exited still had to say", async () => {
    agent = world.agent();
    await world.internet.ask({ do: "listen", key: "late", address: PEER4, port: 9110, deaf: true });
    await agent.ask({ do: "connect", key: "late", address: PEER4, port: 9110 });
    await agent.ask({ do: "send", key: "late", text: "secret ", times: 2_000_000 });
    agent.exit();
    await world.host.shell(`until ss -Htno state fin-wait-1 dst ${PEER4} | grep -q .; do sleep 0.02; done`);
    await world.seawall.enforce(policy(ALLOWED));
    await world.host.upstream.run(["nft", "-f", "-"], { input: COUNT_SECRETS });
    await world.internet.ask({ do: "read", key: "late" });
    assert.notEqual(await world.internet.ends("late"), null, "the peer is told");
    const seen = await world.host.upstream.run(["nft", "list", "counter", "inet", "seen", "secrets"]);
    assert.match(seen.stdout, /packets 0 /);
  });
});

/** As UFW and Docker have it. */
const TRACKED =
  "nft 'table inet tracker { chain in { type filter hook input priority 0; ct state new counter; }; }'";

const COUNT_SECRETS = `table inet seen {
  counter secrets { }
  chain in { type filter hook input priority 0; tcp dport 9110 @ih,0,8 >= 0 counter name secrets; }
}
`;
