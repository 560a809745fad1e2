// Panic: the agent is cut off at once, whatever it has open, and stays so. Pause: it is only watched, until the kernel
// says otherwise by itself.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/host/eventually.ts";
import { HOST4 } from "../../support/host/host.ts";
import { restart } from "../../support/host/restart.ts";
import type { Agent } from "./agent.ts";
import { assertNoSuchName, assertNotReached, assertReached } from "./expect.ts";
import { AGENT_UID, startWorld, type World } from "./world.ts";
import { ELSEWHERE4, SITE4 } from "./zone.ts";

/** LIMIT: how long a connection may live after the panic; a busy machine is in it. */
const CUT_MS = 2_000;
const OWNER4 = "198.51.100.77";
const SERVICE = 9_000;
const POLICY = `version: 1
mode: enforce
scopes: {agent: {user: openclaw}}
inbound:
  - {id: ssh, allow: ssh, from: any, why: a rule of this test}
  - {id: service, allow: ${SERVICE}, from: any, why: a rule of this test}
outbound:
  - {id: keep, allow: good.example.com, port: [80, 443, 8080], why: a rule of this test}
accept_risk:
  - {scope: agent, reason: the agent of this test is no more than a uid, by: me, expires: 2099-01-01}
`;

describe("panic and pause", () => {
  let world: World;
  let agent: Agent;
  before(async () => {
    world = await startWorld();
    agent = world.agent(AGENT_UID);
    for (const port of [22, SERVICE]) await world.host.listen(port);
    await world.seawall.enforce(POLICY);
  });
  after(() => world.stop());

  const knock = (port: number) => world.host.upstream.connect({ from: OWNER4, to: HOST4, port });
  const open = async (key: string, address: string, name: string, port: 443 | 8080) => {
    const tls = port === 443 ? { name } : null;
    const host = port === 443 ? name : `${name}:${port}`;
    assert.equal(await agent.openStream({ key, address, port, tls, host }), true, key);
  };
  const isOpen = async (key: string) => (await agent.stream(key)).open;
  const assertCut = async (key: string, limitMs = CUT_MS) =>
    assert.equal(await eventually(() => isOpen(key), false, limitMs), false, `${key} lives on`);
  const assertCutOff = async () => {
    const { packets } = await world.during(async () => {
      assertNotReached(await agent.https("good.example.com", { address: SITE4 }));
      assertNotReached(await agent.http("good.example.com", { address: SITE4, port: 8_080 }));
      assertNotReached(await agent.https("evil.example.net", { address: ELSEWHERE4 }));
    });
    assert.equal(packets(SITE4) + packets(ELSEWHERE4), 0);
    assert.equal(await knock(22), "connected");
    assert.equal(await knock(SERVICE), "refused");
    assert.equal((await world.seawall.status()).state, "panic");
  };

  it("panic cuts what the agent has open and all that it begins; SSH stays, nothing else comes in", async () => {
    assert.ok((await agent.resolve("good.example.com")).kind === "answer");
    await open("by the gate", SITE4, "good.example.com", 443);
    await open("direct", SITE4, "good.example.com", 8_080);
    assert.equal(await knock(SERVICE), "connected");
    assert.match(await world.seawall.ok("panic"), /^cut off: agent; /);
    await assertCut("by the gate");
    await assertCut("direct");
    await assertCutOff();
  });

  it("panic holds against apply, rollback and down", async () => {
    for (const words of [["apply", await world.seawall.policy(POLICY)], ["rollback"], ["down", "--yes"]]) {
      const result = await world.seawall.run(...words);
      assert.equal(result.code, 2, words.join(" "));
      assert.match(result.stderr, /seawall panic --off/);
    }
    assert.match(await world.seawall.ok("panic"), /^a panic holds already/);
    await assertCutOff();
  });

  it("panic holds over the end of every process, a restart, and a new daemon", async () => {
    const result = await restart(world.host);
    assert.equal(result.code, 0, result.stderr);
    await assertCutOff();
    await world.startDaemon();
    await assertCutOff();
  });

  it("panic --off brings back what was in force before it", async () => {
    await world.seawall.ok("panic", "--off");
    assertReached(await agent.https("good.example.com"), "good.example.com");
    assert.equal(await knock(SERVICE), "connected");
    assertNoSuchName(await agent.resolve("evil.example.net"));
    assert.equal((await world.seawall.status()).state, "enforcing");
    const again = await world.seawall.run("panic", "--off");
    assert.equal(again.code, 2);
    assert.match(again.stderr, /no panic to end/);
  });

  it("panic --off needs no daemon: names are refused until one runs, the rest is as before", async () => {
    await world.seawall.ok("panic");
    await world.signal("KILL", "daemon", "gate");
    await world.seawall.ok("panic", "--off");
    assert.equal((await world.seawall.status()).state, "enforcing");
    assert.equal(await knock(SERVICE), "connected");
    assertNotReached(await agent.https("good.example.com", { address: SITE4 }));
    await world.startDaemon();
    const reached = async () => (await agent.https("good.example.com")).includes("REACHED");
    assert.equal(await eventually(reached, true, 15_000), true);
  });

  it("panic takes the place of a change that waits, and --off does not bring that back", async () => {
    await world.seawall.ok(
      "apply",
      await world.seawall.policy(POLICY.replace("good.example", "evil.example")),
    );
    await world.seawall.ok("panic");
    await assertCutOff();
    await world.seawall.ok("panic", "--off");
    assertReached(await agent.https("good.example.com"), "good.example.com");
  });

  it("panic works on a full disk, and says what the next start does not know", async () => {
    const state = "/var/lib/seawall";
    await world.host.shell(
      `cp -a ${state} /run/kept; mount -t tmpfs -o size=$(($(du -sk ${state} | cut -f1) + 8192))k,mode=700 tmpfs ${state}; cp -a /run/kept/. ${state}; cat /dev/zero >${state}/filler 2>/dev/null || true`,
    );
    const result = await world.seawall.run("panic");
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stderr, /warning: .*next start loads what was in force before/);
    assert.match(result.stdout, /BUT NOT AFTER A RESTART: the next start loads what was in force before$/m);
    assert.doesNotMatch(result.stdout, /after every start/);
    await assertCutOff();
    const { stdout: loads } = await world.host.run(["grep", "-c", " panic", `${state}/boot/ruleset.nft`]);
    assert.equal(loads.trim(), "0", "what the next start loads is no panic, as it was said");
    // seawalld may have its log open there.
    await world.host.shell(`umount -l ${state}`);
    await world.seawall.ok("panic", "--off");
    assert.equal((await world.seawall.status()).state, "enforcing", "what was confirmed before it is back");
    assert.equal(await knock(SERVICE), "connected");
    assert.equal(await knock(7_777), "refused");
    await world.seawall.enforce(POLICY);
  });

  it("pause lets the agent out and goes on watching; guards and inbound stay", async () => {
    await world.seawall.ok("pause", "--for", "10m");
    assertReached(await agent.https("evil.example.net"), "evil.example.net");
    assert.equal(await knock(7_777), "refused");
    const isLogged = async () =>
      (await world.flows()).some(({ host, observed }) => observed && host === "evil.example.net");
    assert.equal(await eventually(isLogged, true), true, "it is logged as what would be refused");
    const refused = await world.seawall.run("confirm", "--console");
    assert.equal(refused.code, 2);
    await world.seawall.ok("pause", "--off");
    assertNoSuchName(await agent.resolve("evil.example.net"));
    assertReached(await agent.https("good.example.com"), "good.example.com");
  });

  it("pause ends by itself with everything dead: what it let out is cut, the rest of the policy is as before", async () => {
    await world.seawall.ok("pause", "--for", "10s");
    assert.ok((await agent.resolve("evil.example.net")).kind === "answer");
    await open("let out", ELSEWHERE4, "evil.example.net", 8_080);
    await world.signal("KILL", "daemon", "gate");
    await assertCut("let out", 15_000);
    const { packets } = await world.during(() => agent.https("evil.example.net", { address: ELSEWHERE4 }));
    assert.equal(packets(ELSEWHERE4), 0);
    assert.equal((await world.seawall.status()).state, "enforcing");
    await world.startDaemon();
    await eventually(async () => (await agent.https("good.example.com")).includes("REACHED"), true, 15_000);
  });

  it("pause is refused where nothing outbound is enforced, for too long, and for no time at all", async () => {
    for (const time of ["9h", "1s", "soon"]) {
      const result = await world.seawall.run("pause", "--for", time);
      assert.equal(result.code, 2, time);
      assert.match(result.stderr, /from 10s to 8h/);
    }
    await world.seawall.enforce(
      POLICY.replace("mode: enforce", "mode: {inbound: enforce, outbound: observe}"),
    );
    const result = await world.seawall.run("pause", "--for", "10m");
    assert.equal(result.code, 2);
    assert.match(result.stderr, /nothing to pause/);
  });

  it("panic during a first change that waits: --off leaves Seawall off, and not with what nobody confirmed", async () => {
    await world.seawall.ok("down", "--yes");
    await world.seawall.ok("apply", await world.seawall.policy(POLICY));
    await world.seawall.ok("panic");
    await assertCutOff();
    await world.seawall.ok("panic", "--off");
    assert.equal((await world.seawall.status()).state, "off");
    assert.equal(await knock(SERVICE), "connected");
  });
});
