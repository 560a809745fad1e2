// Names decide, on both families: what is listed works, what is not does not exist, and neither does what is private.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/host/eventually.ts";
import { HOST4 } from "../../support/host/host.ts";
import type { Agent } from "./agent.ts";
import {
  assertAddresses,
  assertNoAddress,
  assertNoSuchName,
  assertNotReached,
  assertReached,
  refusalIn,
} from "./expect.ts";
import { AGENT_SUBUID, AGENT_UID, OTHER_UID, startWorld, type World } from "./world.ts";
import {
  ELSEWHERE4,
  OTHER_RESOLVER4,
  OTHER_RESOLVER6,
  OWN_PUBLIC4,
  PRIVATE4,
  RESOLVER,
  SITE4,
  SITE6,
} from "./zone.ts";

const POLICY = `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {user: openclaw}}
inbound: []
outbound:
  - {id: site, allow: [good.example.com, second.example.com], port: [80, 443], why: a rule of this test}
  - {id: high, allow: good.example.com, port: 8080, why: a rule of this test}
  - {id: below, allow: "*.example.org", port: [80, 443], why: a rule of this test}
  - {id: not-that, deny: denied.example.org, why: a rule of this test}
  - {id: alias, allow: [alias.example.com, alias-to-private.example.com], port: [80, 443], why: a rule of this test}
  - {id: inside, allow: private.example.com, port: [80, 443], private: true, why: a rule of this test}
  - id: misled
    allow: [rfc1918.example.com, loopback.example.com, metadata.example.com, own.example.com, own6.example.com,
      six-to-four.example.com, mapped.example.com, nat64.example.com, shared.example.com, half.example.com]
    port: [80, 443, 9000]
    why: a rule of this test
  - {id: text, allow: [text.example.com, absent.example.com], port: 443, why: a rule of this test}
`;
const FAMILIES = [
  { type: "A", address: SITE4 },
  { type: "AAAA", address: SITE6 },
] as const;
const PROXY = { address: "127.0.0.1", port: 18_901 };

describe("a scope whose names are enforced", () => {
  let world: World;
  let agent: Agent;
  before(async () => {
    world = await startWorld();
    await world.seawall.enforce(POLICY);
    agent = world.agent(AGENT_UID);
  });
  after(() => world.stop());

  for (const { type, address } of FAMILIES) {
    it(`reaches a listed name over TLS at ${address}`, async () => {
      assertReached(await agent.https("good.example.com", { type }), "good.example.com", address);
    });
    it(`reaches a listed name over HTTP at ${address}`, async () => {
      assertReached(await agent.http("good.example.com", { type }), "good.example.com", address);
    });
    it(`reaches a listed name on another port at ${address}`, async () => {
      assertReached(await agent.http("good.example.com", { type, port: 8080 }), "good.example.com", address);
    });
    it(`reaches a name below a wildcard, one label or two, at ${address}`, async () => {
      for (const name of ["api.example.org", "deep.api.example.org"]) {
        assertReached(await agent.https(name, { type }), name, address);
      }
    });
    it(`reaches a name with curl at ${address}`, async () => {
      const family = type === "A" ? "-4" : "-6";
      const { stdout, stderr } = await world.as(AGENT_UID, [
        "curl",
        "-sSk",
        family,
        "https://good.example.com/",
      ]);
      assertReached(stdout + stderr, "good.example.com", address);
    });
  }

  it("reaches a name through its aliases", async () => {
    assertAddresses(await agent.resolve("alias.example.com"), SITE4);
    assertReached(await agent.https("alias.example.com"), "alias.example.com", SITE4);
  });

  it("sends a greeting in pieces of one byte", async () => {
    assertReached(await agent.https("good.example.com", { pieceBytes: 1 }), "good.example.com");
    assertReached(await agent.http("good.example.com", { pieceBytes: 1 }), "good.example.com");
  });

  it("has its subordinate users judged as itself", async () => {
    const inside = world.agent(AGENT_SUBUID);
    assertReached(await inside.https("good.example.com"), "good.example.com");
    assertNoSuchName(await inside.resolve("evil.example.net"));
    const { packets } = await world.during(() => inside.https("evil.example.net", { address: ELSEWHERE4 }));
    assert.equal(packets(ELSEWHERE4), 0);
  });

  it("is alone in it: another user reaches what it likes, by its own resolver", async () => {
    const other = world.agent(OTHER_UID);
    assertReached(await other.https("evil.example.net"), "evil.example.net", ELSEWHERE4);
    assertAddresses(await other.resolve("evil.example.net", { server: OTHER_RESOLVER4 }), ELSEWHERE4);
    assertReached(await other.https("neighbour.example.net", { address: SITE4 }), "neighbour.example.net");
  });

  describe("asks for a name that is not listed", () => {
    const servers = [RESOLVER, OTHER_RESOLVER4, OTHER_RESOLVER6, SITE4, "127.0.0.1"] as const;
    for (const server of servers) {
      for (const over of ["udp", "tcp"] as const) {
        it(`and is told at once that there is none, whoever is asked: ${server} over ${over}`, async () => {
          const watched = await world.during(() => agent.resolve("evil.example.net", { server, over }));
          assertNoSuchName(watched.value);
          assert.equal(watched.value.extendedError?.code, 17);
          assert.deepEqual(watched.asked, []);
          assert.equal(watched.packets(server), 0);
        });
      }
    }
    for (const type of ["AAAA", "TXT", "MX", "NULL", "ANY", "CNAME", "HTTPS", "NS", "65280"]) {
      it(`and nothing of it leaves, whatever record is asked for: ${type}`, async () => {
        const watched = await world.during(() => agent.resolve("c2VjcmV0.tunnel.example.net", { type }));
        assertNoSuchName(watched.value);
        assert.deepEqual(watched.asked, []);
      });
    }
    it("and nothing leaves that hides in the labels below a listed name", async () => {
      const watched = await world.during(() => agent.resolve("c2VjcmV0.good.example.com"));
      assertNoSuchName(watched.value);
      assert.deepEqual(watched.asked, []);
    });
    it("and a name above a listed one exists without addresses (RFC 8020)", async () => {
      const watched = await world.during(() => agent.resolve("example.com"));
      assert.ok(watched.value.kind === "answer");
      assert.deepEqual([watched.value.rcode, watched.value.values], [0, []]);
      assert.deepEqual(watched.asked, []);
    });
  });

  it("asks any server it likes and is answered by its own resolver", async () => {
    for (const server of [OTHER_RESOLVER4, OTHER_RESOLVER6]) {
      const watched = await world.during(() => agent.resolve("second.example.com", { server }));
      assertAddresses(watched.value, SITE4);
      assert.equal(watched.packets(server), 0);
    }
  });

  it("is told no key for Encrypted Client Hello, and gets no text below a wildcard", async () => {
    for (const type of ["HTTPS", "SVCB"]) {
      const found = await agent.resolve("good.example.com", { type });
      assert.ok(found.kind === "answer");
      assert.deepEqual([found.rcode, found.values], [0, []]);
    }
    const watched = await world.during(() => agent.resolve("api.example.org", { type: "TXT" }));
    assert.ok(watched.value.kind === "answer");
    assert.deepEqual([watched.value.values, watched.asked], [[], []]);
  });

  it("is told that a listed name does not exist when it does not", async () => {
    assertNoSuchName(await agent.resolve("absent.example.com"));
  });

  describe("is led by a listed name to an address that is not public", () => {
    const names = [
      ["rfc1918.example.com", "A"],
      ["alias-to-private.example.com", "A"],
      ["loopback.example.com", "A"],
      ["metadata.example.com", "A"],
      ["own.example.com", "A"],
      ["own6.example.com", "AAAA"],
      ["six-to-four.example.com", "AAAA"],
      ["mapped.example.com", "AAAA"],
      ["nat64.example.com", "AAAA"],
      ["shared.example.com", "A"],
    ] as const;
    for (const [name, type] of names) {
      it(`and ${name} has none`, async () => assertNoAddress(await agent.resolve(name, { type })));
    }
    it("and is given only the public one of two", async () => {
      assertAddresses(await agent.resolve("half.example.com"), SITE4);
    });
    it("and does not get there with the address in hand, on any port", async () => {
      await world.host.listen(9000);
      for (const [address, name] of [
        ["10.1.2.3", "rfc1918.example.com"],
        ["127.0.0.1", "loopback.example.com"],
        [OWN_PUBLIC4, "own.example.com"],
        [HOST4, "own.example.com"],
      ] as const) {
        const watched = await world.during(async () => {
          assertNotReached(await agent.https(name, { address }));
          assertNotReached(await agent.http(name, { address }));
          assert.equal(await agent.send({ address, port: 9000 }, "hello"), "failed: ECONNREFUSED");
        });
        assert.equal(watched.packets(address), 0);
      }
    });
    it("and gets there when its rule says `private: true`", async () => {
      assertAddresses(await agent.resolve("private.example.com"), PRIVATE4);
      assertReached(await agent.https("private.example.com"), "private.example.com", PRIVATE4);
    });
  });

  describe("knows the address of a listed name, where others are, too", () => {
    const others = [
      "neighbour.example.net",
      "evil.example.net",
      "denied.example.org",
      "c2VjcmV0.good.example.com",
    ];
    for (const name of others) {
      it(`and does not get to ${name} there by its server name or its Host`, async () => {
        await agent.resolve("good.example.com");
        const watched = await world.during(async () => {
          assertNotReached(await agent.https(name, { address: SITE4 }));
          const page = await agent.http(name, { address: SITE4 });
          assert.match(page, /^HTTP\/1\.1 403 /);
        });
        assert.deepEqual(watched.seen, []);
      });
    }
    it("and is told of the rule that denies one of them", async () => {
      const page = await agent.http("denied.example.org", { address: SITE4 });
      assert.match(page, /"rule":"not-that"/);
      assertNoSuchName(await agent.resolve("denied.example.org"));
    });
    it("and does not get to a listed name on a port of another rule", async () => {
      assertReached(await agent.https("second.example.com"), "second.example.com");
      const watched = await world.during(() => agent.send({ address: SITE4, port: 8443 }, "hello"));
      assert.equal(watched.packets(SITE4, "tcp 8443"), 0);
    });
    it("and does not get to a listed name at an address that is not of it", async () => {
      const watched = await world.during(() => agent.https("good.example.com", { address: ELSEWHERE4 }));
      assertNotReached(watched.value);
      assert.equal(watched.packets(ELSEWHERE4), 0);
    });
  });

  describe("asks the explicit proxy", () => {
    const connectTo = (name: string, port: number) =>
      `CONNECT ${name}:${port} HTTP/1.1\r\nHost: ${name}:${port}\r\n\r\n`;
    it("and reaches listed names by tunnel and by whole URL", async () => {
      const url = await agent.send(
        PROXY,
        "GET http://good.example.com/ HTTP/1.1\r\nHost: good.example.com\r\n\r\n",
      );
      assertReached(url, "good.example.com");
      const proxy = ["-sSk", "-x", "http://127.0.0.1:18901"];
      const { stdout, stderr } = await world.as(AGENT_UID, ["curl", ...proxy, "https://good.example.com/"]);
      assertReached(stdout + stderr, "good.example.com");
    });
    it("and is refused with 403 what is not listed, and nothing leaves", async () => {
      const watched = await world.during(() => agent.send(PROXY, connectTo("evil.example.net", 443)));
      assert.match(watched.value, /^HTTP\/1\.1 403 /);
      assert.deepEqual(watched.seen, []);
    });
    it("and is refused a listed name on another port, an address, and what is private", async () => {
      for (const [name, port] of [
        ["good.example.com", 22],
        [SITE4, 443],
        ["rfc1918.example.com", 443],
      ] as const) {
        assert.match(await agent.send(PROXY, connectTo(name, port)), /^HTTP\/1\.1 403 /, name);
      }
    });
    it("and cannot go to another name inside a tunnel", async () => {
      const watched = await world.during(() =>
        world.as(AGENT_UID, [
          "curl",
          "-sSk",
          "-x",
          "http://127.0.0.1:18901",
          "--connect-to",
          "evil.example.net:443:good.example.com:443",
          "https://evil.example.net/",
        ]),
      );
      assertNotReached(watched.value.stdout);
      assert.deepEqual(
        watched.seen.filter(({ kind }) => kind === "request"),
        [],
      );
    });
  });

  describe("is refused, and there is one id for it", () => {
    const flowOf = async (refusal: string | undefined) => {
      const find = async () => (await world.flows()).find((flow) => flow.refusal === refusal);
      await eventually(async () => (await find()) !== undefined, true);
      return find();
    };
    it("in the error of DNS and in the log", async () => {
      const found = await agent.resolve("evil.example.net");
      assert.ok(found.kind === "answer");
      const flow = await flowOf(refusalIn(found.extendedError?.text ?? ""));
      assert.deepEqual(
        [flow?.host, flow?.verdict, flow?.reason, flow?.scope],
        ["evil.example.net", "refuse", "default", "agent"],
      );
    });
    it("in the 403, with what the owner can do, and in the log", async () => {
      const page = await agent.http("neighbour.example.net", { address: SITE4 });
      const body = JSON.parse(page.slice(page.indexOf("\r\n\r\n"))) as Readonly<Record<string, unknown>>;
      assert.deepEqual(
        [body["host"], body["port"], body["reason"], body["rule"]],
        ["neighbour.example.net", 80, "default", null],
      );
      assert.ok(String(body["help"]).includes(String(body["id"])));
      const flow = await flowOf(String(body["id"]));
      assert.deepEqual(
        [flow?.host, flow?.destination, flow?.destinationPort],
        ["neighbour.example.net", SITE4, 80],
      );
    });
    it("in the log when TLS left no room for it", async () => {
      await agent.https("neighbour.example.net", { address: SITE4 });
      const find = async () =>
        (await world.flows()).some(
          (flow) =>
            flow.host === "neighbour.example.net" && flow.destinationPort === 443 && flow.refusal !== null,
        );
      assert.equal(await eventually(find, true), true);
    });
  });
});
