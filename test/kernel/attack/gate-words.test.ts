// Attack: a gate is taken over and lies in what it tells: into the log, onto the operator's terminal, behind an id that is
// approved, and to the operator who changes the policy.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/host/eventually.ts";
import type { Agent } from "../gate/agent.ts";
import { assertReached } from "../gate/expect.ts";
import { startHostile, takeOver, type Tell } from "../gate/hostile.ts";
import { AGENT_UID, GATE_UID, startWorld, type World } from "../gate/world.ts";

const POLICY = `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {user: openclaw}, second: {user: other}}
inbound: []
outbound:
  - {id: site, allow: good.example.com, port: [80, 443], why: a rule of this test}
  - {id: theirs, allow: second.example.com, scope: second, port: 8443, why: a rule of this test}
`;
const NARROWER = POLICY.replace("port: [80, 443]", "port: 443");
const WORDS = 3_000;
const TROUBLE = "no door \u001b[2J\u202e\u0007 opens";

interface Said {
  readonly host?: string | null;
  readonly address?: string | null;
  readonly scope?: string;
  readonly rule?: string | null;
  readonly reason?: string;
  readonly id?: string | null;
}

/** A report as a gate tells it, with what is different about it. */
function report({
  scope = "agent",
  host = "a.example.net",
  address = null,
  rule = null,
  ...rest
}: Said): string {
  const { reason = "default", id = null } = rest;
  const decision = { verdict: "refuse", observed: false, rule, reason, why: "w" };
  const told = { door: "dns", scope, host, address, port: 53, protocol: "udp", decision, id };
  return JSON.stringify({ kind: "report", report: told });
}

describe("a gate that is taken over and lies", () => {
  let world: World;
  let tell: Tell;
  let agent: Agent;
  const say = (text: string) =>
    tell<string>({ do: "frame", base64: Buffer.from(text).toString("base64"), header: null });
  /** On a machine under load seawalld may end a gate that is slow to answer; then another one lies. */
  const lie = async (text: string) => {
    const said = await say(text).catch(() => "cut");
    if (said !== "cut") return said;
    await takeOverAnew([]);
    return say(text);
  };
  const flowsOf = async (host: string) => (await world.flows()).filter((flow) => flow.host === host);
  const daemonCount = async (what: string) => (await world.host.shell(what)).trim();

  /** seawalld ends the one before by now: it was taken over. */
  const takeOverAnew = async (trouble: readonly string[] | null) => {
    tell = startHostile(world, GATE_UID, GATE_UID);
    await tell({ do: "answer", trouble });
    await takeOver(world, tell);
  };

  before(async () => {
    world = await startWorld();
    await world.seawall.enforce(POLICY);
    agent = world.agent(AGENT_UID);
    assertReached(await agent.https("good.example.com"), "good.example.com");
    tell = startHostile(world, GATE_UID, GATE_UID);
    await takeOver(world, tell);
  });
  after(() => world.stop());

  describe("into the log", () => {
    const invented: readonly (readonly [string, Said])[] = [
      ["a host with an escape sequence", { host: "a\u001b[2J.example.net" }],
      ["a host with a line end", { host: "a.example.net\n9  forged" }],
      ["a host that changes the direction", { host: "\u202egood.example.com" }],
      ["a host that is no name", { host: "-" }],
      ["a host in another spelling", { host: "EVIL.example.net" }],
      ["a host that is YAML", { host: "x, port: 22}\n  - {allow: any" }],
      ["an address that is none", { host: null, address: "1.2.3" }],
      ["an address in another spelling", { host: null, address: "::FFFF:1.2.3.4" }],
      ["a scope that there is not", { scope: "invented" }],
      ["a rule that there is not", { rule: "invented" }],
      ["a rule of another scope", { rule: "theirs" }],
      ["a reason that there is not", { reason: "invented" }],
    ];
    for (const [what, said] of invented) {
      it(`does not get ${what}`, async () => {
        const marker = `after-${what.replaceAll(/[^a-z]+/g, "-")}.example.org`;
        assert.equal(await lie(report(said)), "open");
        await lie(report({ host: marker }));
        await eventually(async () => (await flowsOf(marker)).length, 1);
        const all = JSON.stringify(await world.flows());
        for (const text of ["2J", "forged", "\u202e", "invented", "EVIL", "port: 22", '1.2.3"', "FFFF"])
          assert.ok(!all.includes(text), text);
        assert.equal((await world.flows()).filter((flow) => flow.rule === "theirs").length, 0);
      });
    }

    it("gets no id of its choice: seawalld makes each, so an id that was shown is never another target's", async () => {
      await lie(report({ host: "api.trusted.example" }));
      await eventually(async () => (await flowsOf("api.trusted.example")).length, 1);
      const [shown] = await flowsOf("api.trusted.example");
      const id = shown?.refusal ?? "";
      assert.match(id, /^sw-[a-km-np-z2-9]{20}$/);
      await lie(report({ host: "evil.attacker.example", id }));
      await eventually(async () => (await flowsOf("evil.attacker.example")).length, 1);
      assert.notEqual((await flowsOf("evil.attacker.example"))[0]?.refusal, id);
      const policy = await world.seawall.policy(POLICY);
      const done = await world.seawall.ok(
        "approve",
        id,
        "--why",
        "a reason of this test",
        "--policy",
        policy,
        "--dry-run",
      );
      assert.match(done, /\+.*api\.trusted\.example/);
      assert.doesNotMatch(done, /attacker/);
    });

    it("gets no table to grow for ever: thousands of invented scopes and rules leave no word", async () => {
      const texts = Array.from({ length: 500 }, (_, at) =>
        report({
          host: `h${at}.example.net`,
          rule: `r${at}-${"x".repeat(250)}`,
          scope: `s${at}-${"y".repeat(250)}`,
        }),
      );
      const known = (await world.flows()).length;
      let sent = 0;
      while (sent < WORDS) sent += await tell<number>({ do: "flood", texts, forMs: 500, deaf: false });
      await say(report({ host: "last.example.org" }));
      await eventually(async () => (await flowsOf("last.example.org")).length, 1);
      assert.equal((await world.flows()).length, known + 1, `${sent} were told`);
      assert.match(world.said(), /reports of the gate are of no rule, scope or host that there is/);
      assert.doesNotMatch(world.said(), /yyyy|xxxx/);
    });

    it("and the operator's screens hold nothing that a terminal obeys", async () => {
      for (const words of [["flows"], ["status"], ["flows", "--json"]]) {
        assert.doesNotMatch(await world.seawall.ok(...words), /[^\n\P{C}]|[\u2028\u2029]/u, words.join(" "));
      }
      assert.doesNotMatch(world.said(), /[^\n\P{C}]/u);
    });
  });

  describe("out of turn", () => {
    const twice = JSON.stringify({ kind: "hello", pid: 1, version: "0.1.0" });
    for (const [what, text] of [
      ["a second greeting, so that twenty thousand of them cost nothing", twice],
      ["an answer to no ping", JSON.stringify({ kind: "pong" })],
      ["an answer to no setup", JSON.stringify({ kind: "ready", id: 99, trouble: ["x"] })],
    ] as const) {
      it(`is cut off after ${what}`, async () => {
        await takeOver(world, tell);
        // One of them may be due at this moment; the others are not.
        const sent = await tell<number>({ do: "flood", texts: [text], forMs: 1_000, deaf: false });
        assert.equal(await say(text), "cut", `${sent} were sent`);
        assert.equal(await world.signal("CONT", "daemon"), 1);
      });
    }

    it("is cut off after a frame of nothing", async () => {
      await takeOver(world, tell);
      assert.equal(await tell({ do: "frame", base64: "", header: 0 }), "cut");
    });
  });

  describe("to the operator", () => {
    for (const [how, trouble] of [
      ["says that its doors do not open", [TROUBLE]],
      ["does not answer", null],
    ] as const) {
      it(`keeps no policy from being put in force when it ${how}: a fresh one is asked`, async () => {
        await takeOverAnew(trouble);
        await world.seawall.enforce(how.startsWith("says") ? NARROWER : POLICY);
        assert.equal((await world.seawall.status()).state, "enforcing");
        assert.match(world.said(), /a fresh one takes its place/);
        assert.doesNotMatch(world.said(), /[^\n\P{C}]/u);
        const reached = async () => (await agent.https("good.example.com")).includes("REACHED");
        assert.equal(await eventually(reached, true), true, world.said());
      });
    }

    it("keeps nobody from panic, from its end, and from taking everything down", async () => {
      await takeOverAnew(null);
      await world.seawall.ok("panic");
      assert.equal((await world.seawall.status()).state, "panic");
      await world.seawall.ok("panic", "--off");
      await takeOverAnew(null);
      await world.seawall.ok("down", "--yes");
      assert.equal((await world.seawall.status()).state, "off");
      // What is not needed any more is ended, also when it does not listen.
      const links = () => daemonCount("ss -xH state connected | grep -c gate.sock || true");
      assert.equal(await eventually(links, "0"), "0");
    });
  });
});
