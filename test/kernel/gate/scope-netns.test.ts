// Agents in a network namespace of ip-netns(8) behind a veth pair, with UFW on.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Agent } from "./agent.ts";
import { assertNotReached, assertReached } from "./expect.ts";
import { CORE_RULES, coreRows, HOST_SERVICE_PORT } from "./scope-rows.ts";
import { type ScopeWorld, startScopeWorld } from "./scope-world.ts";
import { ELSEWHERE4, ELSEWHERE6, SITE4, THIRD4 } from "./zone.ts";
import { SEAWALL } from "../../support/host/seawall.ts";

const policy = (mode: "observe" | "enforce"): string => `version: 1
mode: {inbound: observe, outbound: ${mode}}
scopes: {agent: {netns: cell}, second: {netns: annex}}
inbound: []
outbound:${CORE_RULES("agent")}
  - {id: third, allow: third.example.com, port: [80, 443], scope: second, why: a rule of this test}
accept_risk:
  - {scope: agent, reason: a namespace of this test, by: me, expires: 2099-01-01}
  - {scope: second, reason: a namespace of this test, by: me, expires: 2099-01-01}
`;
const GATEWAY = "10.77.1.1";
const HAMMERED = [ELSEWHERE4, ELSEWHERE6].flatMap((address) => [
  { address, port: 80, over: "tcp" as const },
  { address, port: 443, over: "udp" as const },
]);

let world: ScopeWorld;
let cell: Agent;
let annex: Agent;
let free: Agent;
let bridged: Agent;

/** A namespace, its way out through the host, and the way back to it. */
const wire = (name: string, near: string, at: number): string => `
ip netns add ${name}
ip link add ${near} type veth peer name eth0 netns ${name}
ip addr add 10.77.${at}.1/24 dev ${near}
ip -6 addr add 2001:db8:77:${at}::1/64 dev ${near} nodad
ip link set ${near} up
ip -n ${name} link set lo up
ip -n ${name} addr add 10.77.${at}.2/24 dev eth0
ip -n ${name} -6 addr add 2001:db8:77:${at}::2/64 dev eth0 nodad
ip -n ${name} link set eth0 up
ip -n ${name} route add default via 10.77.${at}.1
ip -n ${name} -6 route add default via 2001:db8:77:${at}::1
ip netns exec ${name} sysctl -qw net.ipv4.ping_group_range='0 2147483647'
ip -n upstream route add 10.77.${at}.0/24 via 203.0.113.10
ip -n upstream -6 route add 2001:db8:77:${at}::/64 via 2001:db8:1::10
ufw route allow in on ${near} >/dev/null
`;

before(async () => {
  world = await startScopeWorld({ docker: false });
  await world.host.shell(wire("cell", "veth-cell", 1));
  await world.host.shell(wire("annex", "veth-annex", 2));
  await world.host.shell(wire("free", "veth-free", 3));
  // Named as Docker names the bridge of a network.
  await world.host.shell(wire("bridged", "br-0123456789ab", 4));
  await world.host.listen(HOST_SERVICE_PORT);
  [cell, annex, free, bridged] = [
    world.inNamespace("cell"),
    world.inNamespace("annex"),
    world.inNamespace("free"),
    world.inNamespace("bridged"),
  ];
});
after(() => world?.stop());

describe("before any policy", () => {
  it("every namespace reaches everything, so the rows below can fail", async () => {
    for (const agent of [cell, annex, free, bridged]) {
      for (const address of [ELSEWHERE4, ELSEWHERE6])
        assertReached(await agent.http("evil.example.net", { address }), "evil.example.net");
      assertReached(await agent.https("good.example.com"), "good.example.com");
    }
  });
});

describe("UFW keeps namespaces from the gate", () => {
  for (const mode of ["enforce", "observe"] as const) {
    it(`apply is refused (${mode}), and nothing is left`, async () => {
      const others = await world.host.othersTables();
      const { text, help } = await world.refusedApply(policy(mode));
      assert.match(text, /scope `agent`: a question from inside it does not reach the gate/);
      assert.match(help, /^ufw allow in on veth-cell /);
      assert.equal((await world.seawall.status()).state, "off");
      assert.equal(await world.host.othersTables(), others);
      assertReached(await cell.http("evil.example.net"), "evil.example.net");
    });
  }
  it("apply is refused without a daemon even to watch: nobody could try whether the gate is reached", async () => {
    const path = await world.seawall.policy(policy("observe"));
    const env = { SEAWALL_RUN_DIR: "/run/without-daemon" };
    const { code, stderr } = await world.host.run([...SEAWALL, "apply", path], { env });
    assert.notEqual(code, 0);
    assert.match(stderr, /no seawalld runs that keeps the name gate[\s\S]*try: sudo seawall daemon &\n/);
  });
  it("after the command of each scope, and nothing else, it works", async () => {
    await world.host.shell((await world.refusedApply(policy("enforce"))).help);
    const { text, help } = await world.refusedApply(policy("enforce"));
    assert.match(text, /scope `second`/);
    assert.match(help, /^ufw allow in on veth-annex /);
    await world.host.shell(help);
    await world.seawall.enforce(policy("enforce"));
  });
});

describe("an agent in a namespace", () => {
  coreRows(() => ({ world, agent: cell, gateway: GATEWAY }), { six: true });
});

describe("two scopes by namespace", () => {
  it("each reaches its own names only, and what is pinned for one is not for the other", async () => {
    assertReached(await annex.https("third.example.com"), "third.example.com");
    const { value, packets } = await world.during(async () => [
      await cell.https("third.example.com", { address: THIRD4 }),
      await cell.http("third.example.com", { address: THIRD4 }),
      await annex.https("good.example.com", { address: SITE4 }),
    ]);
    for (const page of value) assert.match(page, /ECONNREFUSED/);
    assert.equal(packets(THIRD4) + packets(SITE4), 0);
  });
  it("neither reaches the other, nor its gate", async () => {
    await annex.listen({ address: "10.77.2.2", port: 4_000 }, "REACHED annex");
    assert.match(await cell.send({ address: "10.77.2.2", port: 4_000 }, "x"), /ECONNREFUSED/);
    for (const port of [18_943, 18_953, 18_980, 19_002, 19_022, 19_042])
      for (const agent of [cell, annex])
        for (const address of [GATEWAY, "10.77.2.1"])
          assert.match(
            await agent.http("good.example.com", { address, port }),
            /ECONNREFUSED/,
            `${address} ${port}`,
          );
  });
  it("a namespace that no scope names is untouched", async () => {
    assertReached(await free.http("evil.example.net"), "evil.example.net");
  });
  it("so are containers: no docker scope is enforced", async () => {
    assertReached(await bridged.http("evil.example.net"), "evil.example.net");
  });
});

describe("what others do to the rules", () => {
  it("`ufw reload` opens nothing", async () => {
    await cell.startHammer({ key: "cell", targets: HAMMERED, everyMs: 10 });
    const { packets } = await world.during(async () => {
      await world.host.ufw.reload();
      await world.host.ufw.reload();
    });
    assert.ok(Number(await cell.end("cell")) > 50);
    assert.equal(packets(ELSEWHERE4) + packets(ELSEWHERE6), 0);
    assertReached(await cell.https("good.example.com"), "good.example.com");
  });
  it("a namespace that is made anew behind the same interface name is held from its first packet", async () => {
    await world.host.shell("ip netns del cell; ip link del veth-cell 2>/dev/null || true");
    await world.host.shell(wire("cell", "veth-cell", 1).replace(/^ip -n upstream.*$/gm, ""));
    const again = world.inNamespace("cell");
    const { value, packets } = await world.during(async () => [
      await again.http("evil.example.net", { address: ELSEWHERE4 }),
      await again.http("evil.example.net", { address: ELSEWHERE6 }),
    ]);
    for (const page of value) assertNotReached(page);
    assert.equal(packets(ELSEWHERE4) + packets(ELSEWHERE6), 0);
    assertReached(await again.https("good.example.com"), "good.example.com");
  });
});
