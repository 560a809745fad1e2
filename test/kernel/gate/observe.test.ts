// While names are only watched nothing is taken from the agent, whatever becomes of the gate and of seawalld.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../support/host/eventually.ts";
import type { Agent } from "./agent.ts";
import { assertAddresses, assertReached } from "./expect.ts";
import { AGENT_UID, startWorld, type World } from "./world.ts";
import { ELSEWHERE4, ELSEWHERE6, METADATA, OTHER_RESOLVER4, PRIVATE4, SITE4, SITE6 } from "./zone.ts";

const POLICY = `version: 1
mode: {inbound: observe, outbound: observe}
scopes: {agent: {user: openclaw}}
inbound: []
outbound:
  - {id: site, allow: good.example.com, port: [80, 443], why: a rule of this test}
  - {id: below, allow: "*.example.org", port: 8080, why: a rule of this test}
`;
/** LIMIT: how long the agent may be without names when whatever keeps them ends or hangs; DESIGN 5. */
const SILENCE_MS = 2_000;
/** How long one attempt of the load below takes to notice that it failed, and a machine that is busy. */
const NOTICE_MS = 600;

describe("a scope whose names are watched", () => {
  let world: World;
  let agent: Agent;
  before(async () => {
    world = await startWorld();
    await world.seawall.enforce(POLICY);
    agent = world.agent(AGENT_UID);
    assertReached(await agent.https("good.example.com"), "good.example.com");
  });
  after(() => world.stop());

  const isDiverted = async () => {
    const { packets } = await world.during(() =>
      agent.resolve("good.example.com", { server: OTHER_RESOLVER4, waitMs: 300 }),
    );
    return packets(OTHER_RESOLVER4) === 0;
  };

  it("reaches what is not listed, by name and by address, on both families", async () => {
    assertReached(await agent.https("evil.example.net"), "evil.example.net", ELSEWHERE4);
    assertReached(await agent.https("evil.example.net", { type: "AAAA" }), "evil.example.net");
    assertReached(await agent.http("neighbour.example.net", { address: SITE4 }), "neighbour.example.net");
    assertReached(await agent.https("evil.example.net", { address: ELSEWHERE6 }), "evil.example.net");
    assertReached(
      await agent.send({ address: SITE4, port: 443 }, "GET / HTTP/1.1\r\nHost: 93.184.215.14\r\n\r\n", {
        tls: null,
      }),
      SITE4,
    );
  });
  it("sends QUIC, DNS over TLS and ICMP as it likes", async () => {
    const watched = await world.during(async () => {
      await agent.datagram({ address: SITE6, port: 443 });
      await agent.https("dns.google", { address: OTHER_RESOLVER4, port: 853 });
      await agent.ping(ELSEWHERE4);
    });
    assert.ok(watched.packets(SITE6, "udp 443") > 0 && watched.packets(OTHER_RESOLVER4, "tcp 853") > 0);
    assert.ok(watched.packets(ELSEWHERE4, "icmp") > 0);
  });
  it("is held by the guards all the same", async () => {
    const { packets } = await world.during(() =>
      agent.send({ address: METADATA, port: 80 }, "GET / HTTP/1.0\r\n\r\n"),
    );
    assert.equal(packets(METADATA), 0);
  });
  it("has its DNS answered by the gate, whoever it asks, and nothing else", async () => {
    assert.equal(await isDiverted(), true);
    const counters = await world.host.shell("nft list counters table inet seawall");
    assert.doesNotMatch(counters, /count_gate\/web\/agent[^}]*packets [1-9]/);
  });

  for (const type of ["TXT", "MX", "NULL", "HTTPS", "65280"]) {
    it(`asks for any record, listed or not: ${type}`, async () => {
      const watched = await world.during(async () => {
        for (const over of ["udp", "tcp"] as const) {
          assert.equal((await agent.resolve("text.example.com", { type, over })).kind, "answer");
        }
      });
      assert.ok(watched.asked.some((asked) => asked.startsWith("text.example.com ")));
    });
  }
  it("is told the text of a record", async () => {
    const found = await agent.resolve("text.example.com", { type: "TXT" });
    assert.ok(found.kind === "answer");
    assert.deepEqual(found.values, ["hello"]);
  });
  it("is told private addresses, as its resolver would", async () => {
    assertAddresses(await agent.resolve("private.example.com"), PRIVATE4);
    assertAddresses(await agent.resolve("metadata.example.com"), METADATA);
  });
  it("is told what does not exist, and what could not be found out", async () => {
    for (const [name, rcode] of [
      ["absent.example.com", 3],
      ["broken.example.com", 2],
    ] as const) {
      const found = await agent.resolve(name);
      assert.ok(found.kind === "answer");
      assert.equal(found.rcode, rcode);
    }
  });

  it("has in the log what enforce would have said", async () => {
    await agent.https("evil.example.net");
    await agent.https("good.example.com");
    const find = async (host: string) => (await world.flows()).filter((flow) => flow.host === host);
    const isThere = async () => (await find("evil.example.net")).some(({ observed }) => observed);
    assert.equal(await eventually(isThere, true), true);
    const flows = await find("evil.example.net");
    assert.deepEqual(
      [...new Set(flows.map(({ verdict, observed, reason }) => `${verdict} ${observed} ${reason}`))],
      ["refuse true default"],
    );
    assert.ok((await find("good.example.com")).every(({ verdict }) => verdict === "accept"));
  });
  it("has what was answered in sets that no enforced policy reads", async () => {
    const sets = await world.host.shell("nft list sets inet | grep -A9 'set \\(seen\\|web\\|name\\)[46]_'");
    assert.match(sets, /set seen4_/);
    assert.ok(sets.includes(SITE4), sets);
    const [, filled = ""] = /set (?:web|name)[46]_\w+ \{[^}]*?elements = ([^}]*)/.exec(sets) ?? [];
    assert.equal(filled, "");
  });

  const ENDS = [
    { what: "the gate is killed", signal: "KILL", who: ["gate"] },
    { what: "the gate hangs", signal: "STOP", who: ["gate"] },
    { what: "seawalld is killed", signal: "KILL", who: ["daemon"] },
    { what: "seawalld hangs", signal: "STOP", who: ["daemon"] },
    { what: "both are killed at once", signal: "KILL", who: ["gate", "daemon"] },
    { what: "both hang", signal: "STOP", who: ["gate", "daemon"] },
  ] as const;
  for (const { what, signal, who } of ENDS) {
    it(`goes on within ${SILENCE_MS / 1_000} s when ${what}, and is watched again afterwards`, async () => {
      assert.equal(await eventually(isDiverted, true, 15_000), true, world.said());
      const names = ["good.example.com", "evil.example.net"].map((name) => ({
        name,
        port: 80,
        tls: false,
        type: "A" as const,
      }));
      await agent.startLoad({ key: what, names, everyMs: 60, limitMs: 4_000, askAgainMs: 250 });
      await eventually(async () => (await agent.lookAtLoad(what)).succeeded > 5, true);
      assert.equal(await world.signal(signal, ...who), who.length);
      const { succeeded } = await agent.lookAtLoad(what);
      await eventually(async () => (await agent.lookAtLoad(what)).succeeded > succeeded + 40, true, 8_000);
      const result = await agent.endLoad(what);
      if (signal === "STOP") await world.signal("CONT", ...who);
      else if (who.some((one) => one === "daemon")) await world.startDaemon();
      assert.ok(result.longestGapMs <= SILENCE_MS + NOTICE_MS, JSON.stringify(result));
      const times = result.failures.map(({ atMs }) => atMs);
      assert.ok(Math.max(...times, 0) - Math.min(...times, Infinity) <= SILENCE_MS, JSON.stringify(result));
    });
  }
  it("passes the gate by when nobody is left, and seawalld says so when it is back", async () => {
    await world.signal("KILL", "daemon", "gate");
    assert.equal(await eventually(isDiverted, false, 5_000), false);
    assertReached(await agent.https("good.example.com"), "good.example.com");
    await world.startDaemon();
    assert.equal(await eventually(isDiverted, true, 15_000), true, world.said());
  });
  it("asks again from a port from which the gate was asked before it ended", async () => {
    const from = 33_333;
    assertAddresses(await agent.resolve("good.example.com", { from }), SITE4);
    await world.signal("KILL", "daemon", "gate");
    assert.equal(await eventually(isDiverted, false, 5_000), false);
    // glibc asks again from the same port after five seconds; the kernel has forgotten the diversion by then.
    await delay(5_000);
    const again = await agent.resolve("good.example.com", { from });
    await world.startDaemon();
    assert.equal(await eventually(isDiverted, true, 15_000), true, world.said());
    assertAddresses(again, SITE4);
  });
  it("finds a name that was being asked for when the gate began to hang, with curl's own patience", async () => {
    await world.signal("STOP", "gate");
    const { stdout, stderr } = await world.as(AGENT_UID, ["curl", "-sS", "http://good.example.com/"]);
    await world.signal("CONT", "gate");
    assertReached(stdout + stderr, "good.example.com");
  });
});
