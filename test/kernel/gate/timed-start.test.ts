// A machine that starts and does not know the time: what is allowed until a time waits, every other name works.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { eventually } from "../../support/host/eventually.ts";
import { restart } from "../../support/host/restart.ts";
import type { Agent } from "./agent.ts";
import { assertNoSuchName, assertReached } from "./expect.ts";
import { AGENT_UID, startWorld, type World } from "./world.ts";
import { SITE4, SITE6, THIRD4 } from "./zone.ts";

const CLOCK = "/run/systemd/timesync/synchronized";
const head = (mode = "enforce") => `version: 1
mode: {inbound: observe, outbound: ${mode}}
scopes: {agent: {user: openclaw}}
inbound: []
outbound:
`;
const rule = (id: string, allow: string, more = "port: [80, 443]") =>
  `  - {id: ${id}, allow: ${allow}, ${more}, why: a rule of this test}\n`;
const until = (ms: number) => `expires: "${new Date(Date.now() + ms).toISOString()}"`;
const timed = (id: string, allow: string, ports = "[80, 443]") =>
  rule(id, allow, `port: ${ports}, ${until(3_600_000)}`);

const KEPT = rule("kept", "good.example.com") + rule("high", "good.example.com", "port: 8080");
const BRIEF = timed("brief", "third.example.com", "[443, 8080]");

describe("after a start without a clock, with rules that end by the clock", () => {
  let world: World;
  let agent: Agent;
  before(async () => {
    world = await startWorld();
    agent = world.agent(AGENT_UID);
  });
  after(() => world.stop());
  beforeEach(() => world.host.shell(`rm -f ${CLOCK}`));
  afterEach(async () => {
    await world.host.shell(`rm -f ${CLOCK}`);
    await world.seawall.run("rollback");
    await world.seawall.run("panic", "--off");
    await world.seawall.run("down");
  });

  const startAnew = async () => {
    const { code, stderr } = await restart(world.host);
    assert.equal(code, 0, stderr);
    await world.startDaemon();
  };
  const start = async (policy: string) => {
    await world.seawall.enforce(policy);
    await startAnew();
  };
  const setClock = () =>
    world.host.shell(`mkdir -p ${CLOCK.slice(0, CLOCK.lastIndexOf("/"))}; touch ${CLOCK}`);
  const isKnown = async (name: string) => {
    const found = await agent.resolve(name);
    return found.kind === "answer" && found.values.length > 0;
  };
  const works = async (name: string, address = SITE4) => {
    await eventually(() => isKnown(name), true, 30_000);
    assertReached(await agent.https(name), name, address);
  };
  const waits = async (name: string) => {
    const found = await agent.resolve(name);
    assertNoSuchName(found);
    assert.match(found.extendedError?.text ?? "", / clock: .*waits for the clock.*seawall apply/);
    assert.equal(found.extendedError?.code, 17);
  };
  const status = async () => ({
    screen: await world.seawall.ok("status"),
    json: JSON.parse(await world.seawall.ok("status", "--json")) as { gate: string; gateTrouble: unknown[] },
  });

  it("every name works that has no end, on every port and in both families, and the others say what they wait for", async () => {
    await start(head() + KEPT + BRIEF);
    await works("good.example.com");
    assertReached(await agent.https("good.example.com", { type: "AAAA" }), "good.example.com", SITE6);
    assertReached(await agent.http("good.example.com"), "good.example.com");
    assertReached(await agent.http("good.example.com", { port: 8080 }), "good.example.com");
    await waits("third.example.com");
    const { screen } = await status();
    assert.match(screen, /^held /m);
    assert.match(screen, /answers: names are decided/);
  });

  it("and when the clock is set, they come back by themselves", async () => {
    await start(head() + KEPT + BRIEF);
    await works("good.example.com");
    await setClock();
    await works("third.example.com", THIRD4);
    await works("good.example.com");
    assertReached(await agent.http("third.example.com", { port: 8080 }), "third.example.com", THIRD4);
    assert.doesNotMatch((await status()).screen, /^held /m);
  });

  it("a name of a rule with an end and of one without works on the ports of the one without", async () => {
    await start(
      head() +
        rule("plain", "good.example.com", "port: 443") +
        timed("more", "good.example.com", "[443, 8080]"),
    );
    await works("good.example.com");
    assert.match(await agent.http("good.example.com", { port: 8080 }), /^failed/);
  });

  it("a wildcard that ends waits, and a name below it with a rule of its own works", async () => {
    await start(head() + timed("wild", '"*.example.org"') + rule("own", "api.example.org"));
    await works("api.example.org");
    await waits("deep.api.example.org");
  });

  it("where every rule ends, each name is told that it waits, also by the explicit proxy", async () => {
    await start(head() + BRIEF);
    await eventually(async () => (await agent.resolve("third.example.com")).kind, "answer", 30_000);
    await waits("third.example.com");
    assertNoSuchName(await agent.resolve("evil.example.net"));
    const proxied = await agent.send(
      { address: "127.0.0.1", port: 18_901 },
      "CONNECT third.example.com:443 HTTP/1.1\r\nHost: third.example.com:443\r\n\r\n",
    );
    assert.match(proxied, /403[^]*"reason":"clock"/);
    await setClock();
    await works("third.example.com", THIRD4);
  });

  it("a rule that ends while it is in force takes no other with it", async () => {
    await world.seawall.enforce(
      head() + KEPT + rule("soon", "third.example.com", `port: 443, ${until(20_000)}`),
    );
    await works("good.example.com");
    await eventually(() => isKnown("third.example.com"), false, 60_000);
    assertNoSuchName(await agent.resolve("third.example.com"));
    await works("good.example.com");
    await startAnew();
    await works("good.example.com");
    await setClock();
    await eventually(async () => /^held /m.test((await status()).screen), false, 30_000);
    await works("good.example.com");
    assertNoSuchName(await agent.resolve("third.example.com"));
  });

  it("a change that is taken back leaves the rules of the start, and names go on", async () => {
    await start(head() + KEPT + BRIEF);
    await works("good.example.com");
    await world.seawall.ok(
      "apply",
      await world.seawall.policy(head() + KEPT + rule("next", "second.example.com")),
    );
    await works("second.example.com");
    await works("good.example.com");
    await world.seawall.ok("rollback");
    await works("good.example.com");
    await waits("third.example.com");
  });

  it("the next confirmed change sweeps what the start had put there", async () => {
    await start(head() + KEPT + BRIEF);
    await works("good.example.com");
    await world.seawall.enforce(head() + KEPT);
    await works("good.example.com");
    const sets = (await world.host.shell("nft list sets inet")).match(/set web4_/g) ?? [];
    assert.equal(sets.length, 1);
  });

  it("rules that somebody deleted are put back as the start had them", async () => {
    await start(head() + KEPT + BRIEF);
    await works("good.example.com");
    await world.host.shell("nft delete table inet seawall");
    await eventually(async () => (await world.seawall.status()).state, "enforcing", 30_000);
    await works("good.example.com");
    await waits("third.example.com");
  });

  it("after a panic and its end names work, and what ends by the clock still waits", async () => {
    await start(head() + KEPT + BRIEF);
    await works("good.example.com");
    await world.seawall.ok("panic");
    await world.seawall.ok("panic", "--off");
    await works("good.example.com");
    await waits("third.example.com");
    await setClock();
    await works("third.example.com", THIRD4);
  });

  it("during a pause and after it names work", async () => {
    await start(head() + KEPT + BRIEF);
    await works("good.example.com");
    await world.seawall.ok("pause", "--for", "1m");
    await works("good.example.com");
    await works("third.example.com", THIRD4);
    await world.seawall.ok("pause", "--off");
    await works("good.example.com");
    await waits("third.example.com");
  });

  it("while it is only watched, every name is answered", async () => {
    await start(head("observe") + KEPT + BRIEF);
    await works("good.example.com");
    await works("third.example.com", THIRD4);
    await world.seawall.enforce(head() + KEPT + BRIEF);
    await works("third.example.com", THIRD4);
  });
});
