// What no command ends, seawalld ends: a lease that ran out, a rule that expired, a confirm that was killed.
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { after, before, describe, it, type TestContext } from "node:test";
import { eventually } from "../support/host/eventually.ts";
import { HOST4 } from "../support/host/host.ts";
import { SEAWALL } from "../support/host/seawall.ts";
import { CUT_MS, type CutWorld, lastHeardMs, OTHER4, PEER4, startCutWorld } from "./cut-world.ts";
import type { Talker } from "./talker.ts";

const LEASE_SECONDS = 6;
const EXPIRES_MS = 8_000;
/** What a step of the daemon adds to the limit of a command. */
const STEP_MS = 1_000;
const policy = (...rules: readonly string[]): string => `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {user: openclaw}}
inbound: []
outbound:
  - {id: always, allow: ["${OTHER4}"], port: 443, protocol: udp, why: a rule of this test}
${rules.map((rule) => `  - {${rule}, port: 443, protocol: udp, why: a rule of this test}\n`).join("")}`;
const PASSING = `id: passing, allow: ["${PEER4}"]`;

describe("seawalld", () => {
  let world: CutWorld;
  let agent: Talker;
  let daemon: ChildProcess;
  let opened = 0;
  const startDaemon = async (): Promise<void> => {
    daemon = world.host.start([...SEAWALL, "daemon"]);
    let said = "";
    daemon.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    daemon.stdout?.resume();
    await eventually(async () => said.includes("reading the kernel's log"), true, 30_000);
  };
  before(async () => {
    world = await startCutWorld();
    agent = world.agent();
    await world.internet.ask({ do: "udp", key: "always", address: OTHER4, port: 443 });
    await world.internet.ask({ do: "talk", key: "always", everyMs: 20 });
    await startDaemon();
    await world.seawall.enforce(policy());
    await agent.ask({
      do: "udp",
      key: "always",
      address: HOST4,
      port: 0,
      peer: { address: OTHER4, port: 443 },
    });
    await agent.ask({ do: "send", key: "always", text: "hello" });
  });
  after(() => world?.stop());

  /** A flow that only `passing` allows, in which the agent only listens. */
  const open = async (): Promise<string> => {
    opened += 1;
    const key = `passing ${opened}`;
    if (opened === 1) {
      await world.internet.ask({ do: "udp", key: "passing", address: PEER4, port: 443 });
      await world.internet.ask({ do: "talk", key: "passing", everyMs: 20 });
    }
    await agent.ask({ do: "udp", key, address: HOST4, port: 0, peer: { address: PEER4, port: 443 } });
    await agent.ask({ do: "send", key, text: "hello" });
    assert.ok(await agent.hears(key));
    return key;
  };
  const told = async (context: TestContext, key: string, fromMs: number): Promise<void> => {
    const ms = await lastHeardMs(agent, key, fromMs);
    context.diagnostic(`${key}: ${ms} ms after`);
    assert.ok(ms <= CUT_MS + STEP_MS, `${ms} ms`);
    assert.ok(await agent.hears("always"), "what is allowed lives");
    assert.equal((await agent.state("always")).missing, 0);
  };

  it("ends what only a candidate admitted, when its lease has run out", async (context) => {
    const path = await world.seawall.policy(policy(PASSING));
    await world.seawall.ok("apply", path, "--confirm-within", `${LEASE_SECONDS}s`);
    const key = await open();
    const { confirmBy } = await world.seawall.status();
    const deadlineMs = Date.parse(confirmBy ?? "");
    await eventually(async () => Date.now() > deadlineMs, true, LEASE_SECONDS * 2_000);
    await told(context, key, deadlineMs);
  });

  it("ends what an expired rule admitted, also where only the other side talks", async (context) => {
    const expiresMs = Date.now() + EXPIRES_MS;
    await world.seawall.enforce(policy(`${PASSING}, expires: "${new Date(expiresMs).toISOString()}"`));
    const key = await open();
    await eventually(async () => Date.now() > expiresMs, true, EXPIRES_MS * 2);
    await told(context, key, expiresMs);
  });

  it("ends what a confirm left, and the confirm says that it left it", async (context) => {
    await world.seawall.enforce(policy(PASSING));
    const key = await open();
    daemon.kill("SIGKILL");
    await world.host.shell("pkill -9 -f '[m]ain.ts daemon' || true");
    await world.seawall.ok("apply", await world.seawall.policy(policy()));
    // Stands for a confirm that was killed between its two steps.
    await world.host.shell("mkdir /run/aside && mv /var/lib/seawall/history/*.resolved /run/aside/");
    const { stderr } = await world.seawall.run("confirm", "--console");
    assert.match(stderr, /warning: .*end with the next packet of the side that began them/);
    assert.ok(await agent.hears(key));
    await world.host.shell("mv /run/aside/*.resolved /var/lib/seawall/history/");
    const fromMs = Date.now();
    await startDaemon();
    await told(context, key, fromMs + STEP_MS);
  });
});
