// Attack: a gate is taken over and says to seawalld what no gate says, or more than anybody can hear.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/host/eventually.ts";
import type { Agent } from "./agent.ts";
import { assertReached } from "./expect.ts";
import { type Linked, startHostile, takeOver, type Tell } from "./hostile.ts";
import { AGENT_UID, GATE_UID, OTHER_UID, startWorld, type World } from "./world.ts";
import { SITE4 } from "./zone.ts";

const POLICY = `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {user: openclaw}, second: {user: other}}
inbound: []
outbound:
  - {id: site, allow: good.example.com, port: [80, 443], why: a rule of this test}
  - {id: high, allow: good.example.com, port: 8080, why: a rule of this test}
  - {id: theirs, allow: second.example.com, scope: second, port: 8443, why: a rule of this test}
`;
/** LIMIT: what seawalld may need more while it is flooded. */
const MORE_BYTES_MAX = 160 * 1024 * 1024;
const FLOOD_MS = 1_500;
/** Messages of a flood of pins, a hundred addresses each: nft, which an apply starts, reads every element. */
const PIN_MESSAGES = 30;

describe("a gate that is taken over", () => {
  let world: World;
  let tell: Tell;
  let agent: Agent;
  const elements = () =>
    world.host.shell("nft list table inet seawall | sed -n '/set \\(web\\|name\\)/,/}/p'");

  before(async () => {
    world = await startWorld();
    await world.seawall.enforce(POLICY);
    agent = world.agent(AGENT_UID);
    assertReached(await agent.https("good.example.com"), "good.example.com");
    tell = startHostile(world, GATE_UID, GATE_UID);
  });
  after(() => world.stop());

  describe("and says what nobody says", () => {
    const frames: readonly (readonly [string, string | Buffer, number | null])[] = [
      ["bytes that are no JSON", Buffer.from([0xff, 0xfe, 0, 1, 2]), null],
      ["JSON that is no message", "[]", null],
      ["a message of a kind that there is not", '{"kind":"setup","id":1}', null],
      ["a message with more in it", '{"kind":"pong","id":1,"__proto__":{"x":1},"more":1}', null],
      [
        "a pin for longer than any",
        JSON.stringify({
          kind: "pin",
          id: 1,
          scope: "agent",
          host: "good.example.com",
          addresses: ["151.101.7.1"],
          seconds: 1e9,
        }),
        null,
      ],
      [
        "a pin for no time",
        JSON.stringify({
          kind: "pin",
          id: 1,
          scope: "agent",
          host: "good.example.com",
          addresses: ["151.101.7.1"],
          seconds: 0,
        }),
        null,
      ],
      [
        "a pin of a thousand addresses",
        JSON.stringify({
          kind: "pin",
          id: 1,
          scope: "agent",
          host: "good.example.com",
          addresses: Array.from({ length: 1_000 }, (_, at) => `151.101.7.${at % 250}`),
          seconds: 90,
        }),
        null,
      ],
      ["a thousand arrays in each other", "[".repeat(60_000), null],
      ["a frame that is longer than any", "x", 0xffff_ffff],
      ["a frame just too long", "x".repeat(65_537), null],
    ];
    for (const [what, content, header] of frames) {
      it(`is cut off after ${what}, and seawalld goes on`, async () => {
        await takeOver(world, tell);
        const base64 = Buffer.from(content).toString("base64");
        assert.equal(await tell({ do: "frame", base64, header }), "cut");
        assert.ok(!(await elements()).includes("151.101.7."));
        assert.equal(await world.signal("CONT", "daemon"), 1);
      });
    }
    it("and the real gate has its place again", async () => {
      assert.equal(
        await eventually(
          async () => (await agent.resolve("good.example.com", { waitMs: 500 })).kind,
          "answer",
        ),
        "answer",
      );
      assertReached(await agent.https("good.example.com"), "good.example.com", SITE4);
    });
  });

  describe("and says more than anybody can hear", () => {
    const memory = async () => {
      const text = await world.host.shell("grep VmRSS /proc/$(pgrep -f '[m]ain.ts daemon')/status");
      return Number(/(\d+) kB/.exec(text)?.[1]) * 1_024;
    };
    const pins = Array.from({ length: PIN_MESSAGES }, (_, at) => {
      const address = (more: number) => `${60 + at}.${more}.9.9`;
      const addresses = Array.from({ length: 100 }, (__, more) => address(more));
      return JSON.stringify({
        kind: "pin",
        id: at,
        scope: "agent",
        host: "good.example.com",
        addresses,
        seconds: 90,
      });
    });
    const unlisted = [
      JSON.stringify({
        kind: "pin",
        id: 1,
        scope: "agent",
        host: "x.net",
        addresses: ["1.1.1.1"],
        seconds: 90,
      }),
    ];
    const decision = {
      verdict: "refuse",
      observed: false,
      rule: null,
      reason: "default",
      why: "x".repeat(500),
    };
    const reports = [
      JSON.stringify({
        kind: "report",
        report: {
          door: "tls",
          scope: "agent",
          host: "h".repeat(200),
          address: null,
          port: 443,
          protocol: "tcp",
          decision,
          id: null,
        },
      }),
    ];
    const floods = [
      ["pins of all the internet", pins, false],
      ["wishes that are refused, without hearing the answers", unlisted, true],
      ["reports of what never was", reports, false],
    ] as const;
    for (const [what, texts, deaf] of floods) {
      it(`${what}: seawalld answers, does not grow, and the operator's commands work`, async () => {
        await takeOver(world, tell);
        const atFirst = await memory();
        const flooding = tell<number>({ do: "flood", texts, forMs: FLOOD_MS, deaf });
        const status = await world.seawall.status();
        assert.equal(status.state, "enforcing");
        const during = await memory();
        const count = await flooding;
        const atLast = await memory();
        assert.ok(count > 100, `only ${count} were sent`);
        assert.ok(
          Math.max(during, atLast) - atFirst < MORE_BYTES_MAX,
          `${count} messages: ${atFirst} ${during} ${atLast}`,
        );
        await tell({ do: "leave" });
        const pinned = async () => (await agent.https("good.example.com")).includes("REACHED");
        assert.equal(await eventually(pinned, true), true, world.said());
      });
    }
    it("and the operator still changes the policy", async () => {
      await world.seawall.enforce(
        `${POLICY}  - {id: more, allow: more.example.net, why: a rule of this test}\n`,
      );
      assertReached(await agent.https("good.example.com"), "good.example.com");
    });
    it("and another scope is not the poorer for it", async () => {
      const other = world.agent(OTHER_UID);
      const reach = async () => (await other.https("second.example.com", { port: 8443 })).includes("REACHED");
      assert.equal(await eventually(reach, true), true, world.said());
    });
  });

  it("is nobody but the user of the gates: another user does not link, even in their group", async () => {
    for (const [uid, gid] of [
      [OTHER_UID, OTHER_UID],
      [AGENT_UID, AGENT_UID],
      [OTHER_UID, GATE_UID],
    ] as const) {
      const other = startHostile(world, uid, gid);
      const linking = other<Linked>({ do: "link", forMs: 1_500 });
      await world.signal("KILL", "gate");
      const { linked, code } = await linking;
      assert.equal(linked, false);
      if (gid !== GATE_UID) assert.equal(code, "EACCES");
    }
  });
});
