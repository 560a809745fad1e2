// `public-web`: every public name on the web's ports, and nothing else.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/host/eventually.ts";
import type { Agent } from "./agent.ts";
import {
  assertAddresses,
  assertNoAddress,
  assertNoSuchName,
  assertNotReached,
  assertReached,
} from "./expect.ts";
import { AGENT_UID, OTHER_UID, startWorld, type World } from "./world.ts";
import { ELSEWHERE4, ELSEWHERE6, METADATA, OTHER_RESOLVER4, SITE4, SITE6, THIRD4 } from "./zone.ts";

const RULE = `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {user: openclaw}}
inbound: []
outbound:
  - {id: browsing, allow: public-web, port: [80, 443], why: a rule of this test}
  - {id: never, deny: denied.example.org, why: a rule of this test}
`;
const risk = (expires: string): string => `accept_risk:
  - {use: public-web, reason: this test browses, by: me, expires: ${expires}}
`;
/** Names whose addresses are nobody's business, and what those are. */
const INNER = [
  ["rfc1918.example.com", "10.1.2.3"],
  ["alias-to-private.example.com", "10.1.2.3"],
  ["private.example.com", "10.1.2.4"],
  ["loopback.example.com", "127.0.0.1"],
  ["metadata.example.com", METADATA],
  ["own.example.com", "23.192.228.80"],
  ["shared.example.com", "100.64.1.1"],
] as const;
const INNER6 = ["own6.example.com", "six-to-four.example.com", "mapped.example.com", "nat64.example.com"];

/** RFC 1035 3.2.2 and RFC 2782, as numbers. */
const TYPES = { TXT: "16", MX: "15", SRV: "33", NULL: "10", ANY: "255" } as const;

let world: World;
let agent: Agent;
before(async () => {
  world = await startWorld();
  agent = world.agent(AGENT_UID);
});
after(() => world?.stop());

describe("a policy with public-web", () => {
  for (const [how, text] of [
    ["without an accepted risk", RULE],
    [
      "with the risk of another thing",
      `${RULE}accept_risk:\n  - {scope: agent, reason: this test, by: me, expires: 2099-01-01}\n`,
    ],
  ] as const) {
    it(`is refused ${how}, and nothing is in force`, async () => {
      const { code, stderr } = await world.seawall.run("apply", await world.seawall.policy(text));
      assert.equal(code, 2);
      assert.match(stderr, /accept_risk|risk/);
      assert.equal((await world.seawall.status()).state, "off");
    });
  }
  it("opens nothing when the risk was accepted until a day that is over", async () => {
    await world.seawall.enforce(RULE + risk("2020-01-01"));
    const { asked } = await world.during(async () =>
      assertNoSuchName(await agent.resolve("evil.example.net")),
    );
    assert.deepEqual(asked, []);
    await world.seawall.ok("down");
  });
  it("is enforced with it", async () => {
    assertReached(await agent.http("evil.example.net", { port: 8080 }), "evil.example.net");
    await world.seawall.enforce(RULE + risk("2099-01-01"));
    assert.equal((await world.seawall.status()).state, "enforcing");
  });
});

describe("an agent that may browse", () => {
  for (const type of ["A", "AAAA"] as const) {
    it(`reaches public names that nobody listed, over TLS and HTTP (${type})`, async () => {
      for (const name of ["evil.example.net", "neighbour.example.net", "good.example.com"]) {
        assertReached(await agent.https(name, { type }), name);
        assertReached(await agent.http(name, { type }), name);
      }
    });
  }
  it("reaches them through the explicit proxy", async () => {
    const argv = ["curl", "-sk", "-m", "8", "-x", "http://127.0.0.1:18901"];
    for (const url of ["http://evil.example.net/", "https://third.example.com/"])
      assertReached((await world.as(AGENT_UID, [...argv, url])).stdout, new URL(url).hostname);
  });
  it("reaches no other port of theirs, by no other protocol", async () => {
    await agent.resolve("evil.example.net");
    await agent.resolve("evil.example.net", { type: "AAAA" });
    const { packets } = await world.during(async () => {
      for (const address of [ELSEWHERE4, ELSEWHERE6]) {
        for (const port of [22, 853, 8080, 8443, 9000]) await agent.send({ address, port }, "x");
        await agent.datagram({ address, port: 443 });
        await agent.ping(address);
      }
    });
    assert.equal(packets(ELSEWHERE4) + packets(ELSEWHERE6), 0);
  });
  it("reaches no address that no name led to, whatever name it says there", async () => {
    const place = "151.101.0.20";
    const { value, packets } = await world.during(async () => [
      await agent.https("evil.example.net", { address: place }),
      await agent.http("evil.example.net", { address: place }),
      await agent.send({ address: place, port: 443 }, "x", { tls: null }),
    ]);
    for (const page of value) assert.match(page, /ECONNREFUSED/);
    assert.equal(packets(place), 0);
  });
  it("reaches a place by the names that are there, and by no other, and not without one", async () => {
    assertReached(await agent.https("third.example.com"), "third.example.com");
    const { value, seen } = await world.during(async () => [
      await agent.https("evil.example.net", { address: THIRD4 }),
      await agent.http("evil.example.net", { address: THIRD4 }),
      await agent.http(THIRD4, { address: THIRD4 }),
      await agent.send({ address: THIRD4, port: 443 }, "x", { tls: null }),
    ]);
    for (const page of value) assertNotReached(page);
    assert.deepEqual(seen, []);
  });
  for (const [name, address] of INNER) {
    it(`is given no address of ${name} (${address}), and does not reach it`, async () => {
      assertNoAddress(await agent.resolve(name));
      const { value, packets } = await world.during(async () => [
        await agent.http(name, { address }),
        await agent.https(name, { address }),
      ]);
      for (const page of value) assertNotReached(page);
      assert.equal(packets(address), 0);
    });
  }
  for (const name of INNER6) {
    it(`is given no address of ${name}`, async () => {
      assertNoAddress(await agent.resolve(name, { type: "AAAA" }));
    });
  }
  it("is given the public half of a name with a private half", async () => {
    assertAddresses(await agent.resolve("half.example.com"), SITE4);
  });
  it("does not reach a name that a rule denies", async () => {
    const { value, asked, seen } = await world.during(async () => {
      assertNoSuchName(await agent.resolve("denied.example.org"));
      await agent.resolve("good.example.com", { type: "AAAA" });
      return agent.https("denied.example.org", { address: SITE6 });
    });
    assertNotReached(value);
    assert.ok(!asked.some((one) => one.startsWith("denied.")), asked.join());
    assert.deepEqual(
      seen.filter(({ kind }) => kind === "request"),
      [],
    );
  });
  it("cannot ask for anything but addresses, and asks no server but ours", async () => {
    const { asked, packets } = await world.during(async () => {
      for (const type of Object.values(TYPES))
        assertNoAddress(await agent.resolve("text.example.com", { type }));
      assertAddresses(await agent.resolve("third.example.com", { server: OTHER_RESOLVER4 }), THIRD4);
    });
    assert.deepEqual(
      asked.filter((one) => one.endsWith(" 16")),
      [],
    );
    assert.equal(packets(OTHER_RESOLVER4), 0);
  });
  it("is not led into the network by a name without a public suffix", async () => {
    const { asked } = await world.during(async () => {
      for (const name of ["printer", "printer.local", "nas.lan", "db.internal", "x.onion"])
        assertNoAddress(await agent.resolve(name));
    });
    assert.deepEqual(asked, []);
  });
  it("is told about by the rule", async () => {
    const rules = async (): Promise<string> => {
      const flows = await world.flows();
      const found = flows.filter(({ host, verdict }) => host === "evil.example.net" && verdict === "accept");
      return [...new Set(found.map(({ rule }) => rule))].join();
    };
    assert.equal(await eventually(rules, "browsing"), "browsing");
  });
  it("is the only one: another user is nobody's agent", async () => {
    assertReached(await world.agent(OTHER_UID).http("evil.example.net", { port: 8080 }), "evil.example.net");
  });
});

describe("public-web that is taken away", () => {
  it("leaves nothing reachable of what was found by browsing", async () => {
    await agent.resolve("evil.example.net");
    const listed = RULE.replace("allow: public-web", "allow: good.example.com");
    await world.seawall.enforce(listed);
    assertReached(await agent.https("good.example.com"), "good.example.com");
    const { value, packets } = await world.during(() =>
      agent.https("evil.example.net", { address: ELSEWHERE4 }),
    );
    assertNotReached(value);
    assert.equal(packets(ELSEWHERE4), 0);
  });
});
