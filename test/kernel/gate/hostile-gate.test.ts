// Attack: a gate is taken over. It can lie about which public address a listed name has, and talk to the resolver. It
// cannot do anything else.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/host/eventually.ts";
import { HOST4 } from "../../support/host/host.ts";
import type { Agent } from "./agent.ts";
import { assertNotReached, assertReached } from "./expect.ts";
import { startHostile, takeOver, type Tell, type WrongPin } from "./hostile.ts";
import { AGENT_UID, GATE_UID, OTHER_UID, startWorld, type World } from "./world.ts";
import { ELSEWHERE4, ELSEWHERE6, METADATA, OTHER_RESOLVER4, OWN_PUBLIC4, RESOLVER, SITE4 } from "./zone.ts";

const POLICY = `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {user: openclaw}, second: {user: other}}
inbound: []
outbound:
  - {id: site, allow: good.example.com, port: [80, 443], why: a rule of this test}
  - {id: high, allow: good.example.com, port: 8080, why: a rule of this test}
  - {id: echo, allow: v4.example.com, port: 9000, why: a rule of this test}
  - {id: below, allow: "*.example.org", why: a rule of this test}
  - {id: not-that, deny: denied.example.org, why: a rule of this test}
  - {id: theirs, allow: second.example.com, scope: second, port: 8443, why: a rule of this test}
`;
const LOCAL_PORT = 7_777;
describe("a gate that is taken over", () => {
  let world: World;
  let tell: Tell;
  let gate: Agent;
  let agent: Agent;

  const ask = (wish: Partial<WrongPin>) =>
    tell<string>({
      do: "pin",
      wish: { scope: "agent", host: "good.example.com", addresses: [ELSEWHERE4], seconds: 90, ...wish },
    });
  /** On a machine under load seawalld may end a gate that is slow to answer; then another one asks. */
  const pin = async (wish: Partial<WrongPin>) => {
    const said = await ask(wish).catch(() => "cut");
    if (said !== "cut") return said;
    tell = startHostile(world, GATE_UID, GATE_UID);
    await takeOver(world, tell);
    return ask(wish);
  };
  const elements = () =>
    world.host.shell("nft list table inet seawall | sed -n '/set \\(web\\|name\\|seen\\|box\\)/,/}/p'");

  before(async () => {
    world = await startWorld();
    await world.seawall.enforce(POLICY);
    gate = world.agent(GATE_UID);
    agent = world.agent(AGENT_UID);
    await world.agent(OTHER_UID).listen({ address: "127.0.0.1", port: LOCAL_PORT }, "a service of this host");
    assertReached(await agent.https("good.example.com"), "good.example.com");
    tell = startHostile(world, GATE_UID, GATE_UID);
    await takeOver(world, tell);
  });
  after(() => world.stop());

  it("can lie about the public address of a listed name, and then reaches it on the ports of its rules only", async () => {
    const unpinned = await world.during(() => gate.https("evil.example.net", { address: ELSEWHERE4 }));
    assert.equal(unpinned.packets(ELSEWHERE4), 0, "it gets there without a pin");
    assert.equal(await pin({}), "pinned");
    assertReached(await gate.https("evil.example.net", { address: ELSEWHERE4 }), "evil.example.net");
    assertReached(
      await gate.http("evil.example.net", { address: ELSEWHERE4, port: 8080 }),
      "evil.example.net",
    );
    const watched = await world.during(async () => {
      for (const port of [22, 853, 8443, 9000]) await gate.send({ address: ELSEWHERE4, port }, "x");
      for (const port of [53, 443, 8080]) await gate.datagram({ address: ELSEWHERE4, port });
      await gate.ping(ELSEWHERE4);
    });
    const ports = ["tcp 22", "tcp 853", "tcp 8443", "tcp 9000", "udp 53", "udp 443", "udp 8080", "icmp"];
    assert.deepEqual(
      ports.filter((what) => watched.packets(ELSEWHERE4, what) > 0),
      [],
    );
  });

  it("can talk to the resolver, on its port, and to no other", async () => {
    for (const over of ["udp", "tcp"] as const) {
      assert.equal((await gate.resolve("good.example.com", { over })).kind, "answer");
    }
    const watched = await world.during(async () => {
      for (const over of ["udp", "tcp"] as const)
        await gate.resolve("good.example.com", { server: OTHER_RESOLVER4, over, waitMs: 300 });
      await gate.https("good.example.com", { address: RESOLVER });
      await gate.send({ address: RESOLVER, port: 853 }, "x");
      await gate.datagram({ address: RESOLVER, port: 443 });
    });
    assert.equal(watched.packets(OTHER_RESOLVER4), 0);
    for (const what of ["tcp 443", "tcp 853", "udp 443"]) assert.equal(watched.packets(RESOLVER, what), 0);
  });

  for (const address of [OTHER_RESOLVER4, ELSEWHERE6, METADATA, "10.1.2.3"]) {
    it(`does not get to ${address}, which is not pinned`, async () => {
      const watched = await world.during(async () => {
        for (const port of [22, 80, 443, 8080, 9000])
          await gate.send({ address, port }, "x", { waitMs: 500 });
        await gate.datagram({ address, port: 443 });
        await gate.ping(address);
      });
      assert.equal(watched.packets(address), 0);
    });
  }

  it("does not get to the services of this host", async () => {
    assert.doesNotMatch(await gate.send({ address: "127.0.0.1", port: LOCAL_PORT }, "x"), /service/);
    await world.host.listen(9000);
    for (const address of [HOST4, OWN_PUBLIC4])
      assert.match(await gate.send({ address, port: 9000 }, "x"), /^failed/);
  });

  const wrong: readonly (readonly [string, Partial<WrongPin>, string])[] = [
    ["a private address", { addresses: ["10.9.9.9"] }, "10.9.9.9"],
    ["a loopback address", { addresses: ["127.0.0.2"] }, "127.0.0.2"],
    ["the metadata address", { addresses: [METADATA] }, METADATA],
    ["the metadata address of another cloud", { addresses: ["fd00:ec2::254"] }, "fd00:ec2::254"],
    ["a public address of this host", { addresses: [OWN_PUBLIC4] }, OWN_PUBLIC4],
    ["an address of this host", { addresses: [HOST4] }, HOST4],
    ["an IPv6 address of this host", { addresses: ["2001:db8:1::10"] }, "2001:db8:1::10"],
    ["a private address behind 6to4", { addresses: ["2002:a09:909::1"] }, "2002:a09:909::1"],
    ["a private address mapped into IPv6", { addresses: ["::ffff:10.9.9.9"] }, "::ffff:10.9.9.9"],
    ["a private address behind NAT64", { addresses: ["64:ff9b::a09:909"] }, "64:ff9b::a09:909"],
    ["every address", { addresses: ["0.0.0.0", "::"] }, "0.0.0.0"],
    ["a prefix", { addresses: ["151.101.9.0/24"] }, "151.101.9"],
    ["a name that is not listed", { host: "evil.example.net", addresses: ["151.101.9.1"] }, "151.101.9.1"],
    ["a name below a listed one", { host: "x.good.example.com", addresses: ["151.101.9.2"] }, "151.101.9.2"],
    ["a name that is denied", { host: "denied.example.org", addresses: ["151.101.9.3"] }, "151.101.9.3"],
    ["a name of another scope", { host: "second.example.com", addresses: ["151.101.9.4"] }, "151.101.9.4"],
    ["a scope that there is not", { scope: "nobody", addresses: ["151.101.9.5"] }, "151.101.9.5"],
    ["the scope of the gates", { scope: "seawall-gate", addresses: ["151.101.9.6"] }, "151.101.9.6"],
    ["a wildcard as a name", { host: "*.example.org", addresses: ["151.101.9.7"] }, "151.101.9.7"],
    [
      "a name with more behind a NUL",
      { host: "good.example.com\0.evil", addresses: ["151.101.9.8"] },
      "151.101.9.8",
    ],
    ["nothing", { addresses: [] }, "151.101.9.9"],
  ];
  for (const [what, wish, trace] of wrong) {
    it(`cannot have ${what} pinned`, async () => {
      assert.match(await pin(wish), /^(not )?pinned$/);
      assert.ok(!(await elements()).includes(` ${trace}`), await elements());
    });
  }

  it("cannot have an address pinned that stands beside a public one", async () => {
    assert.equal(await pin({ addresses: ["151.101.8.1", "10.9.9.9", METADATA] }), "pinned");
    const now = await elements();
    assert.ok(now.includes("151.101.8.1 ") && !now.includes("10.9.9.9") && !now.includes(METADATA), now);
  });

  it("cannot use the set of another rule", async () => {
    assert.equal(await pin({ host: "v4.example.com", addresses: ["151.101.8.2"] }), "pinned");
    const sets = (await elements()).split("\tset ").filter((set) => set.includes("151.101.8.2 "));
    assert.equal(sets.length, 1, sets.join("\n"));
    assert.match(sets[0] ?? "", /addresses of the names of echo/);
  });

  it("leaves the agent where the policy has it: what is pinned for a name goes to the gate's doors, and the real gate reads it", async () => {
    assert.equal(await pin({ addresses: [ELSEWHERE4] }), "pinned");
    assertNotReached(await agent.https("evil.example.net", { address: ELSEWHERE4 }));
    await tell({ do: "leave" });
    assert.equal(
      await eventually(async () => (await agent.resolve("good.example.com", { waitMs: 500 })).kind, "answer"),
      "answer",
    );
    assertReached(await agent.https("good.example.com"), "good.example.com", SITE4);
    const watched = await world.during(() => agent.https("evil.example.net", { address: ELSEWHERE4 }));
    assertNotReached(watched.value);
    assert.equal(watched.packets(ELSEWHERE4), 0);
  });
});
