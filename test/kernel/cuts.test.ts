// A change of policy ends what it forbids within a second, whoever talks, and leaves the rest.
import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import { HOST4, HOST6 } from "../support/host/host.ts";
import {
  CONTAINER4,
  CUT_MS,
  type CutWorld,
  lastHeardMs,
  OTHER4,
  PEER4,
  PEER6,
  startCutWorld,
} from "./cut-world.ts";
import type { Talker } from "./talker.ts";

type Mode = "observe" | "enforce";
interface Wanted {
  readonly inbound?: readonly string[];
  readonly outbound?: readonly string[];
  readonly inMode?: Mode;
  readonly scopes?: string;
}

/** `outbound: ["tcp 9000 45.33.32.156"]`, `inbound: ["udp/9000"]`. */
function policy({ inbound = [], outbound = [], inMode = "enforce", scopes = "" }: Wanted): string {
  const outLines = outbound.map((rule, at) => {
    const [protocol, port, to] = rule.split(" ");
    return `  - {id: out${at}, allow: ["${to}"], port: ${port}, protocol: ${protocol}, scope: [agent${scopes === "" ? "" : ", cell"}], why: a rule of this test}\n`;
  });
  const inLines = inbound.map(
    (rule, at) => `  - {id: in${at}, allow: ${rule}, from: any, why: a rule of this test}\n`,
  );
  return `version: 1
mode: {inbound: ${inMode}, outbound: enforce}
scopes: {agent: {user: openclaw}${scopes}}
inbound:${inLines.length === 0 ? " []" : ""}
${inLines.join("")}
outbound:${outLines.length === 0 ? " []" : ""}
${outLines.join("")}
${scopes === "" ? "" : "accept_risk:\n  - {scope: cell, reason: a namespace of this test, by: me, expires: 2099-01-01}\n"}`;
}

const EVERY_MS = 20;

describe("a change of policy", () => {
  let world: CutWorld;
  let agent: Talker;
  before(async () => {
    world = await startCutWorld();
    agent = world.agent();
  });
  after(() => world?.stop());

  /** Puts a policy in force and returns when its confirm had returned. */
  const enforce = async (wanted: Wanted): Promise<number> => {
    await world.seawall.enforce(policy(wanted));
    return Date.now();
  };
  const told = (context: TestContext, what: string, ms: number): void => {
    context.diagnostic(`${what}: ${ms} ms after the confirm had returned`);
    assert.ok(ms <= CUT_MS, `${what}: ${ms} ms`);
  };

  it("TCP that the agent began, where only the other side talks", async (context) => {
    await enforce({ outbound: [`tcp 9000 ${PEER4}`] });
    await world.internet.ask({ do: "listen", key: "out-server", address: PEER4, port: 9000 });
    await agent.ask({ do: "connect", key: "out", address: PEER4, port: 9000 });
    await world.internet.ask({ do: "talk", key: "out-server", everyMs: EVERY_MS });
    assert.ok(await agent.hears("out"));
    const from = await enforce({});
    told(context, "last byte", await lastHeardMs(agent, "out", from));
    assert.notEqual(await agent.ends("out"), null, "the agent's process is told");
    assert.notEqual(await world.internet.ends("out-server"), null, "the peer is told");
  });

  it("TCP that is silent: both sides are told", async () => {
    await enforce({ outbound: [`tcp 9001 ${PEER4}`], inbound: ["9002"] });
    await world.internet.ask({ do: "listen", key: "idle-server", address: PEER4, port: 9001 });
    await agent.ask({ do: "connect", key: "idle", address: PEER4, port: 9001 });
    await world.root.ask({ do: "listen", key: "idle-in", address: HOST4, port: 9002 });
    await world.internet.ask({ do: "connect", key: "idle-client", address: HOST4, port: 9002, from: PEER4 });
    await enforce({});
    assert.notEqual(await agent.ends("idle", CUT_MS * 3), null);
    assert.notEqual(await world.internet.ends("idle-server", CUT_MS * 3), null);
    assert.notEqual(await world.root.ends("idle-in", CUT_MS * 3), null);
    assert.notEqual(await world.internet.ends("idle-client", CUT_MS * 3), null);
  });

  for (const [family, to, from] of [
    ["IPv4", HOST4, PEER4],
    ["IPv6", HOST6, PEER6],
  ] as const) {
    it(`TCP and UDP over ${family} that the world began, where only the host talks`, async (context) => {
      await enforce({ inbound: ["tcp/9003", "udp/9004"] });
      const [tcp, udp] = [`${family} tcp`, `${family} udp`];
      await world.root.ask({ do: "listen", key: tcp, address: to, port: 9003 });
      await world.internet.ask({ do: "connect", key: tcp, address: to, port: 9003, from });
      await world.root.ask({ do: "udp", key: udp, address: to, port: 9004 });
      await world.internet.ask({
        do: "udp",
        key: udp,
        address: from,
        port: 0,
        peer: { address: to, port: 9004 },
      });
      await world.internet.ask({ do: "send", key: udp, text: "more, please" });
      for (const key of [tcp, udp]) {
        await world.root.ask({ do: "talk", key, everyMs: EVERY_MS });
        assert.ok(await world.internet.hears(key));
      }
      const at = await enforce({});
      for (const key of [tcp, udp]) told(context, key, await lastHeardMs(world.internet, key, at));
    });
  }

  for (const inMode of ["enforce", "observe"] as const) {
    it(`QUIC to an agent that only listens (inbound: ${inMode})`, async (context) => {
      const key = `quic ${inMode}`;
      await enforce({ outbound: [`udp 443 ${PEER4}`], inMode });
      await quic(world, agent, key, PEER4);
      const at = await enforce({ inMode });
      told(context, key, await lastHeardMs(agent, key, at));
    });
  }

  it("what a peer still sends after the agent's process has exited", async (context) => {
    await enforce({ outbound: [`tcp 9010 ${PEER4}`, `udp 443 ${PEER4}`] });
    const brief = world.agent();
    await world.internet.ask({ do: "listen", key: "deaf", address: PEER4, port: 9010, deaf: true });
    await brief.ask({ do: "connect", key: "deaf", address: PEER4, port: 9010 });
    await brief.ask({ do: "send", key: "deaf", text: "secret ", times: 2_000_000 });
    brief.exit();
    await world.host.shell(`until ss -Htno state fin-wait-1 dst ${PEER4} | grep -q .; do sleep 0.02; done`);
    const at = await enforce({});
    const { received } = await world.internet.state("deaf");
    assert.equal(received, 0);
    await world.host.upstream.run(["nft", "-f", "-"], { input: COUNT_SECRETS });
    await world.internet.ask({ do: "read", key: "deaf" });
    assert.notEqual(await world.internet.ends("deaf"), null, "the peer is told");
    const counted = (await world.host.upstream.run(["nft", "list", "counter", "inet", "seen", "secrets"]))
      .stdout;
    assert.match(counted, /packets 0 /);
    context.diagnostic(`looked at ${Date.now() - at} ms after the confirm had returned`);
  });

  it("what is forwarded: from a scope by namespace, and to a container of the host", async (context) => {
    const scopes = ", cell: {netns: cell}";
    await world.host.shell(
      "ip link set vethcell nomaster; ip addr flush dev " +
        "br-0123456789ab; ip addr add 172.30.0.1/24 dev vethcell",
    );
    await enforce({ outbound: [`udp 443 ${PEER4}`], inbound: ["tcp/9020", "udp/9021"], scopes });
    await quic(world, world.container, "cell", PEER4);
    const at = await enforce({ inbound: ["tcp/9020", "udp/9021"], scopes });
    told(context, "from the scope", await lastHeardMs(world.container, "cell", at));
    await world.host.shell(
      "ip addr flush dev vethcell; ip link set vethcell master br-0123456789ab; ip addr add 172.30.0.1/24 dev br-0123456789ab",
    );
    await enforce({ inbound: ["tcp/9020", "udp/9021"] });
    await world.container.ask({ do: "udp", key: "served", address: CONTAINER4, port: 9021 });
    await world.internet.ask({
      do: "udp",
      key: "served",
      address: PEER4,
      port: 0,
      peer: { address: CONTAINER4, port: 9021 },
    });
    await world.internet.ask({ do: "send", key: "served", text: "more, please" });
    await world.container.ask({ do: "talk", key: "served", everyMs: EVERY_MS });
    assert.ok(await world.internet.hears("served"));
    const later = await enforce({ inbound: ["tcp/9020"] });
    told(context, "to the container", await lastHeardMs(world.internet, "served", later));
  });

  it("and it leaves what is allowed, without a loss, and everybody else's bits of the mark", async () => {
    await world.host.shell(FOREIGN_MARKS);
    const allowed = [`udp 443 ${OTHER4}`, `tcp 9031 ${OTHER4}`];
    await enforce({ outbound: [...allowed, `udp 443 ${PEER4}`], inbound: ["9032"] });
    await quic(world, agent, "kept", OTHER4);
    await quic(world, agent, "marked", PEER4);
    await world.internet.ask({ do: "listen", key: "kept-tcp", address: OTHER4, port: 9031 });
    await agent.ask({ do: "connect", key: "kept-tcp", address: OTHER4, port: 9031 });
    await world.root.ask({ do: "listen", key: "kept-in", address: HOST4, port: 9032 });
    await world.internet.ask({ do: "connect", key: "kept-in", address: HOST4, port: 9032, from: PEER4 });
    // Not the agent's, and to a port that the policy says nothing of.
    await world.internet.ask({ do: "listen", key: "root-out", address: PEER4, port: 9033 });
    await world.root.ask({ do: "connect", key: "root-out", address: PEER4, port: 9033 });
    for (const [talker, key] of [
      [world.internet, "kept-tcp"],
      [world.root, "kept-in"],
      [world.internet, "root-out"],
    ] as const) {
      await talker.ask({ do: "talk", key, everyMs: EVERY_MS });
    }
    const at = await enforce({ outbound: allowed, inbound: ["9032"] });
    await lastHeardMs(agent, "marked", at);
    for (const [talker, key] of [
      [agent, "kept"],
      [agent, "kept-tcp"],
      [world.internet, "kept-in"],
      [world.root, "root-out"],
    ] as const) {
      assert.ok(await talker.hears(key), `${key} lives`);
      const { missing, ended } = await talker.state(key);
      assert.deepEqual({ missing, ended }, { missing: 0, ended: null }, key);
    }
    const foreign = 0x00_ff_ff_ff;
    const marks = [await world.markOf(9031), await world.markOf(9032), await world.markOf(9033)];
    for (const mark of marks) assert.equal((mark ?? 0) & foreign, 0xca6c, `mark ${mark?.toString(16)}`);
    const endedMark = (await world.markOf((await agent.state("marked")).port)) ?? 0;
    assert.equal(endedMark & foreign, 0xca6c);
    assert.equal(endedMark >>> 28, 0, "no generation admits it");
  });

  it("a rollback ends what only the candidate admitted, and `down` takes our stamps off", async (context) => {
    await enforce({ inbound: ["9032"] });
    await world.seawall.ok("apply", await world.seawall.policy(policy({ outbound: [`udp 443 ${PEER4}`] })));
    await quic(world, agent, "candidate", PEER4);
    await world.seawall.ok("rollback");
    told(context, "rolled back", await lastHeardMs(agent, "candidate", Date.now()));
    await world.seawall.ok("down");
    const marks = await world.host.shell("conntrack -L 2>/dev/null | grep -o 'mark=[0-9]*' | sort -u");
    for (const line of marks.trim().split("\n")) {
      assert.equal(Number(line.slice(5)) >>> 24, 0, line);
    }
    assert.match(marks, /mark=51820/, "others' bits stay");
  });
});

/** The agent sends one datagram and then only listens, while its peer goes on. */
async function quic(world: CutWorld, agent: Talker, key: string, peer: string): Promise<void> {
  await world.internet.ask({ do: "udp", key, address: peer, port: 443 }).catch(() => undefined);
  const local = world.container === agent ? CONTAINER4 : HOST4;
  await agent.ask({ do: "udp", key, address: local, port: 0, peer: { address: peer, port: 443 } });
  await agent.ask({ do: "send", key, text: "hello" });
  await world.internet.ask({ do: "talk", key, everyMs: EVERY_MS });
  assert.ok(await agent.hears(key), `${key} is fed`);
}

const COUNT_SECRETS = `table inet seen {
  counter secrets { }
  chain in { type filter hook input priority 0; tcp dport 9010 @ih,0,8 >= 0 counter name secrets; }
}
`;

/** As wg-quick has it in the low bits. */
const FOREIGN_MARKS = `nft -f - <<'END'
table inet others {
  chain in { type filter hook prerouting priority -160; ct state new ct mark set ct mark or 0xca6c; }
  chain out { type filter hook output priority -160; ct state new ct mark set ct mark or 0xca6c; }
}
END`;
