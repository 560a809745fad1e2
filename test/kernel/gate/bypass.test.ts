// The ways around a gate, each tried by the agent and, as proof that it is one, by a user whom nothing holds.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { HOST4, HOST6 } from "../../support/host/host.ts";
import type { Agent } from "./agent.ts";
import { assertNotReached, assertReached } from "./expect.ts";
import { AGENT_UID, OTHER_UID, startWorld, type World } from "./world.ts";
import {
  ELSEWHERE4,
  ELSEWHERE6,
  METADATA,
  OTHER_RESOLVER4,
  OTHER_RESOLVER6,
  OWN_PUBLIC4,
  RESOLVER,
  SITE4,
  SITE6,
} from "./zone.ts";

const POLICY = `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {user: openclaw}}
inbound: []
outbound:
  - {id: site, allow: good.example.com, port: [80, 443], why: a rule of this test}
`;
const NAME = "good.example.com";
const LOCAL_PORT = 7_777;
const LOCAL_ANSWER = "a service of this host";
const DOOR_PORTS = [18_943, 18_953, 18_980];

interface Way {
  readonly name: string;
  readonly address: string;
  /** As the counters of the internet name it; everything for the address when absent. */
  readonly packets?: string;
  readonly go: (who: Agent) => Promise<unknown>;
}

const page = (address: string) =>
  `GET / HTTP/1.1\r\nHost: ${address.includes(":") ? `[${address}]` : address}\r\n\r\n`;
const query = (name: string) => `/dns-query?name=${name}`;

const WAYS: readonly Way[] = [ELSEWHERE4, ELSEWHERE6]
  .flatMap((address): Way[] => [
    {
      name: `HTTP to the address ${address}`,
      address,
      go: (who) => who.send({ address, port: 80 }, page(address)),
    },
    {
      name: `TLS to the address ${address}`,
      address,
      go: (who) => who.send({ address, port: 443 }, page(address), { tls: null }),
    },
    {
      name: `TLS to ${address} with the name of a listed site`,
      address,
      go: (who) => who.https(NAME, { address }),
    },
    {
      name: `TLS on another port of ${address}`,
      address,
      go: (who) => who.https(NAME, { address, port: 8443 }),
    },
    {
      name: `ssh's port of ${address}`,
      address,
      go: (who) => who.send({ address, port: 22 }, "SSH-2.0-x\r\n"),
    },
    { name: `QUIC to ${address}`, address, go: (who) => who.datagram({ address, port: 443 }) },
    { name: `ICMP to ${address}`, address, go: (who) => who.ping(address) },
    { name: `NTP to ${address}`, address, go: (who) => who.datagram({ address, port: 123 }) },
  ])
  .concat(
    [SITE4, SITE6].flatMap((address): Way[] => [
      {
        name: `QUIC to the address of a listed site, ${address}`,
        address,
        packets: "udp 443",
        go: (who) => who.datagram({ address, port: 443 }),
      },
      {
        name: `TLS over a port that no rule names at ${address}`,
        address,
        packets: "tcp 8443",
        go: (who) => who.https(NAME, { address, port: 8443 }),
      },
      {
        name: `ICMP to the address of a listed site, ${address}`,
        address,
        packets: address.includes(":") ? "ipv6-icmp" : "icmp",
        go: (who) => who.ping(address),
      },
    ]),
    [OTHER_RESOLVER4, OTHER_RESOLVER6].flatMap((address): Way[] => [
      {
        name: `DNS over TLS at ${address}`,
        address,
        go: (who) => who.https("dns.google", { address, port: 853 }),
      },
      { name: `DNS over QUIC at ${address}`, address, go: (who) => who.datagram({ address, port: 853 }) },
      {
        name: `DNS over HTTPS at ${address}`,
        address,
        go: (who) => who.https("dns.google", { address, path: query("evil.example.net") }),
      },
      {
        name: `DNS over HTTPS at ${address} in the name of a listed site`,
        address,
        go: (who) => who.https(NAME, { address, path: query("evil.example.net") }),
      },
      {
        name: `multicast DNS sent to ${address}`,
        address,
        go: (who) => who.datagram({ address, port: 5353 }),
      },
    ]),
    {
      name: "its own resolver on a port that is none of DNS",
      address: RESOLVER,
      packets: "tcp 8443",
      go: (who) => who.https(NAME, { address: RESOLVER, port: 8443 }),
    },
    {
      name: "the metadata service",
      address: METADATA,
      go: (who) => who.send({ address: METADATA, port: 80 }, page(METADATA)),
    },
  );

describe("an agent whose names are enforced does not get out by", () => {
  let world: World;
  let agent: Agent;
  let free: Agent;
  before(async () => {
    world = await startWorld();
    await world.seawall.enforce(POLICY);
    agent = world.agent(AGENT_UID);
    free = world.agent(OTHER_UID);
    for (const address of ["127.0.0.1", "::1", HOST4, HOST6, OWN_PUBLIC4]) {
      await free.listen({ address, port: LOCAL_PORT }, LOCAL_ANSWER);
    }
    // The names are pinned: what follows is tried beside an open door.
    assertReached(await agent.https(NAME), NAME, SITE4);
    assertReached(await agent.https(NAME, { type: "AAAA" }), NAME, SITE6);
  });
  after(() => world.stop());

  for (const { name, address, packets, go } of WAYS) {
    it(name, async () => {
      const unheld = await world.during(() => go(free));
      assert.notEqual(unheld.packets(address, packets), 0, "nobody gets out this way, so it proves nothing");
      const held = await world.during(() => go(agent));
      assert.equal(held.packets(address, packets), 0, JSON.stringify(held.seen));
    });
  }

  for (const address of ["127.0.0.1", "::1", HOST4, HOST6, OWN_PUBLIC4]) {
    it(`a service of this host at ${address}`, async () => {
      assert.equal(await free.send({ address, port: LOCAL_PORT }, "x"), LOCAL_ANSWER);
      assert.doesNotMatch(await agent.send({ address, port: LOCAL_PORT }, "x"), new RegExp(LOCAL_ANSWER));
    });
  }

  const seenAt = (texts: readonly string[]) =>
    world.during(async () => {
      for (const text of texts) assertNotReached(await agent.send({ address: SITE4, port: 80 }, text));
    });

  it("TLS without a server name, or with an address as one, to a listed site", async () => {
    const watched = await world.during(async () => {
      assertNotReached(await agent.send({ address: SITE4, port: 443 }, page(SITE4), { tls: null }));
      assertNotReached(await agent.send({ address: SITE4, port: 443 }, "x".repeat(600)));
    });
    assert.deepEqual(watched.seen, []);
    assert.equal(watched.packets(SITE4), 0);
  });

  it("HTTP that names no host, two, an address, or another in its request line", async () => {
    const watched = await seenAt([
      "GET / HTTP/1.0\r\n\r\n",
      `GET / HTTP/1.1\r\nHost: ${NAME}\r\nHost: evil.example.net\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: ${NAME}, evil.example.net\r\n\r\n`,
      page(SITE4),
      `GET http://evil.example.net/ HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: ${NAME}:22\r\n\r\n`,
      `CONNECT evil.example.net:443 HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost : ${NAME}\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: ${NAME}\0.evil.example.net\r\n\r\n`,
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ]);
    assert.deepEqual(watched.seen, []);
  });

  it("a second request on a connection that was let through", async () => {
    const first = `GET /first HTTP/1.1\r\nHost: ${NAME}\r\n`;
    const second = "GET /second HTTP/1.1\r\nHost: evil.example.net\r\n\r\n";
    const watched = await world.during(async () => {
      for (const text of [
        `${first}\r\n${second}`,
        `${first}Content-Length: 5\r\n\r\nhello${second}`,
        `${first}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${second}`,
        `${first}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${second}`,
        `${first}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${second}`,
        `${first}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n${second}`,
      ]) {
        await agent.send({ address: SITE4, port: 80 }, text);
      }
    });
    const paths = watched.seen.flatMap((one) => (one.kind === "request" ? [one.path] : []));
    assert.ok(paths.every((path) => path === "/first") && paths.length > 0, JSON.stringify(watched.seen));
  });

  it("the doors of the gate, which serve only what the kernel brings to them", async () => {
    for (const address of ["127.0.0.1", "::1", HOST4, HOST6]) {
      for (const port of DOOR_PORTS) {
        const watched = await world.during(async () => {
          assertNotReached(await agent.http(NAME, { address, port }));
          assertNotReached(await agent.https(NAME, { address, port }));
        });
        assert.deepEqual(watched.seen, []);
      }
    }
  });
  it("asking the gate's DNS door directly", async () => {
    const watched = await world.during(() =>
      agent.resolve("evil.example.net", { server: "127.0.0.1", port: 18_953, waitMs: 500 }),
    );
    assert.deepEqual(watched.asked, []);
  });
  it("the proxy on an address that is none of the loopback, or as a user of no scope", async () => {
    const wish = `GET http://${NAME}/ HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`;
    assertNotReached(await agent.send({ address: HOST4, port: 18_901 }, wish));
  });
  it("a resolver in its own environment, a socket of the host, or the gate's link", async () => {
    for (const path of ["/run/seawall/gate.sock", "/run/seawall/control.sock"]) {
      const script = `require("net").connect(${JSON.stringify(path)}).on("error", (e) => console.log(e.code)).on("connect", () => setTimeout(() => console.log("open"), 300)).on("close", () => process.exit())`;
      const { stdout } = await world.as(AGENT_UID, [process.execPath, "-e", script]);
      assert.equal(stdout.trim(), "EACCES", path);
    }
  });
});
