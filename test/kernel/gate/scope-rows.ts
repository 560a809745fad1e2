/** What every agent in a network of its own is held to, whatever made that network. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { HOST4, HOST6 } from "../../support/host/host.ts";
import type { Agent } from "./agent.ts";
import { assertAddresses, assertNoSuchName, assertNotReached, assertReached } from "./expect.ts";
import type { ScopeWorld } from "./scope-world.ts";
import { ELSEWHERE4, ELSEWHERE6, METADATA, OTHER_RESOLVER4, OTHER_RESOLVER6, SITE4, SITE6 } from "./zone.ts";

/** A service of the host itself, on every address of it. */
export const HOST_SERVICE_PORT = 9_777;

/** Long enough for BUSY to send each of its kinds. */
export const BUSY_MS = 2_000;
/** Sends from its first moment on. */
export const BUSY = `while :; do
echo x | /bin/busybox nc -w 1 ${ELSEWHERE4} 80
/bin/busybox ping -c 1 -W 1 ${ELSEWHERE4}
/bin/busybox ping -c 1 -W 1 ${ELSEWHERE6}
/bin/busybox nslookup evil.example.net 8.8.8.8
done >/dev/null 2>&1`;

export interface Place {
  readonly world: ScopeWorld;
  readonly agent: Agent;
  /** The host's address in that network. */
  readonly gateway: string;
  /** Where the name server that the agent is given is; the resolver of the world when absent. */
  readonly server?: string;
}

/** Rows for an agent whose policy is CORE_RULES. */
export const CORE_RULES = (scope: string): string => `
  - {id: site-${scope}, allow: good.example.com, port: [80, 443], scope: ${scope}, why: a rule of this test}
  - {id: high-${scope}, allow: good.example.com, port: 8080, scope: ${scope}, why: a rule of this test}`;

/** Defines them. `six`: the network has IPv6 that leads outside. */
export function coreRows(place: () => Place, { six }: { readonly six: boolean }): void {
  listedRows(place, six);
  nameRows(place, six);
  addressRows(place, six);
  hostRows(place);
}

/** Defines the row of a container that is started while the policy is in force, in this Docker network. */
export function laterRow(world: () => ScopeWorld, network: string): void {
  it("is held from its first packet", async () => {
    const { packets, asked } = await world().during(async () => {
      await world().container("early", network, [], BUSY);
      const agent = await world().inContainer("early");
      assertReached(await agent.https("good.example.com"), "good.example.com");
      await sleep(BUSY_MS);
      await world().host.shell("docker rm -f early");
    });
    assert.equal(packets(ELSEWHERE4) + packets(ELSEWHERE6) + packets("8.8.8.8"), 0);
    assert.deepEqual(
      asked.filter((one) => !one.startsWith("good.")),
      [],
    );
  });
}

function listedRows(place: () => Place, six: boolean): void {
  const types = six ? (["A", "AAAA"] as const) : (["A"] as const);
  for (const type of types) {
    it(`reaches what is listed over TLS, HTTP and another port (${type})`, async () => {
      const { agent } = place();
      assertReached(await agent.https("good.example.com", { type }), "good.example.com");
      assertReached(await agent.http("good.example.com", { type }), "good.example.com");
      assertReached(await agent.http("good.example.com", { type, port: 8080 }), "good.example.com");
    });
  }
  it("refuses a neighbour on the same address by its name in TLS and in the Host header", async () => {
    const { world, agent } = place();
    const { value, seen } = await world.during(async () => [
      await agent.https("neighbour.example.net", { address: SITE4 }),
      await agent.http("neighbour.example.net", { address: SITE4 }),
    ]);
    for (const page of value) assertNotReached(page);
    assert.deepEqual(seen, []);
  });
}

function nameRows(place: () => Place, six: boolean): void {
  it("is told at once that an unlisted name does not exist, and nobody is asked", async () => {
    const { world, agent, server } = place();
    const over = server === undefined ? {} : { server };
    const { value, asked } = await world.during(() => agent.resolve("evil.example.net", over));
    assertNoSuchName(value);
    assert.deepEqual(asked, []);
  });
  const servers = six ? [OTHER_RESOLVER4, OTHER_RESOLVER6] : [OTHER_RESOLVER4];
  for (const server of servers) {
    it(`is answered by the gate whatever it asks ${server}, over UDP and TCP`, async () => {
      const { world, agent } = place();
      const { packets, asked } = await world.during(async () => {
        assertNoSuchName(await agent.resolve("evil.example.net", { server }));
        assertNoSuchName(await agent.resolve("evil.example.net", { server, over: "tcp" }));
        assertAddresses(await agent.resolve("good.example.com", { server }), SITE4);
        assertAddresses(await agent.resolve("good.example.com", { server, over: "tcp" }), SITE4);
      });
      assert.equal(packets(server), 0);
      assert.ok(
        asked.every((one) => one.startsWith("good.example.com ")),
        asked.join(),
      );
    });
  }
}

function addressRows(place: () => Place, six: boolean): void {
  for (const address of six ? [ELSEWHERE4, ELSEWHERE6] : [ELSEWHERE4]) {
    it(`sends no packet to ${address}: TCP, UDP, TLS with a listed name, ping`, async () => {
      const { world, agent } = place();
      const { value, packets } = await world.during(async () => [
        await agent.send({ address, port: 80 }, "GET / HTTP/1.1\r\n\r\n"),
        await agent.https("good.example.com", { address }),
        await agent.send({ address, port: 22 }, "x"),
        await agent.send({ address, port: 853 }, "x"),
        await agent.datagram({ address, port: 443 }),
        await agent.ping(address),
      ]);
      for (const page of value) assert.doesNotMatch(page, /REACHED|answer/);
      assert.match(value[0] ?? "", /ECONNREFUSED/);
      assert.equal(packets(address), 0);
    });
  }
  it("sends nothing else to the address of a listed name: QUIC, ssh, a port of no rule", async () => {
    const { world, agent } = place();
    const { packets } = await world.during(async () => {
      for (const address of six ? [SITE4, SITE6] : [SITE4]) {
        await agent.datagram({ address, port: 443 });
        await agent.send({ address, port: 22 }, "x");
        await agent.send({ address, port: 8443 }, "x");
        await agent.ping(address);
      }
    });
    assert.equal(packets(SITE4) + packets(SITE6), 0);
  });
  it("does not reach the metadata service", async () => {
    const { world, agent } = place();
    const { packets } = await world.during(() => agent.http("metadata", { address: METADATA }));
    assert.equal(packets(METADATA), 0);
  });
}

function hostRows(place: () => Place): void {
  it("does not reach services of the host: by its address in this network, by its public ones", async () => {
    const { agent, gateway } = place();
    for (const address of [gateway, HOST4, HOST6]) {
      const page = await agent.send({ address, port: HOST_SERVICE_PORT }, "hello");
      assert.match(page, /^failed: E(CONNREFUSED|NETUNREACH|HOSTUNREACH)/, `${address}: ${page}`);
    }
  });
  it("does not reach the doors of any gate when it goes there by itself", async () => {
    const { agent, gateway } = place();
    for (const port of [18_900, 18_901, 18_943, 18_953, 18_980, 19_002, 19_022, 19_042, 19_062]) {
      const page = await agent.send(
        { address: gateway, port },
        "GET / HTTP/1.1\r\nHost: good.example.com\r\n\r\n",
      );
      assert.match(page, /^failed: ECONNREFUSED/, `${port}: ${page}`);
    }
    const found = await agent.resolve("good.example.com", { server: gateway, port: 18_953, waitMs: 500 });
    assert.equal(found.kind, "failed");
  });
}
