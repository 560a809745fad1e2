// `seawall probe`: one attempt from the agent's place, and who decided it.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startWorld, type World } from "./gate/world.ts";

const policy = (mode: "observe" | "enforce"): string => `version: 1
mode: {inbound: observe, outbound: ${mode}}
scopes: {agent: {user: openclaw}}
inbound: []
outbound:
  - {id: site, allow: good.example.com, port: [80, 443], why: a rule of this test}
`;

let world: World;
before(async () => {
  world = await startWorld();
});
after(() => world.stop());

describe("seawall probe", () => {
  before(() => world.seawall.enforce(policy("enforce")));

  for (const { what, target, code, verdict, by, reason } of [
    {
      what: "a listed name is reached",
      target: "good.example.com:443",
      code: 0,
      verdict: "reached",
      by: null,
      reason: null,
    },
    {
      what: "a listed name over HTTP is reached",
      target: "good.example.com:80",
      code: 0,
      verdict: "reached",
      by: null,
      reason: null,
    },
    {
      what: "a name that is not listed is refused by the gate",
      target: "evil.example.net:443",
      code: 1,
      verdict: "refused",
      by: "gate",
      reason: "default",
    },
    {
      what: "an address is refused by the kernel",
      target: "45.33.32.156:443",
      code: 1,
      verdict: "refused",
      by: "kernel",
      reason: "default",
    },
    {
      what: "an IPv6 address is refused by the kernel",
      target: "[2600:3c01::f03c:91ff]:443",
      code: 1,
      verdict: "refused",
      by: "kernel",
      reason: "default",
    },
    {
      what: "another port of a listed name is refused by the kernel",
      target: "good.example.com:22",
      code: 1,
      verdict: "refused",
      by: "kernel",
      reason: "default",
    },
    {
      what: "the metadata service is refused by its guard",
      target: "169.254.169.254:80",
      code: 1,
      verdict: "refused",
      by: "kernel",
      reason: "guard",
    },
  ] as const) {
    it(what, async () => {
      const result = await world.seawall.run("probe", target, "--as", "agent", "--json");
      const probed = JSON.parse(result.stdout) as Record<string, unknown>;
      const { verdict: gotVerdict, by: gotBy, reason: gotReason, id } = probed;
      assert.deepEqual(
        { code: result.code, verdict: gotVerdict, by: gotBy, reason: gotReason },
        { code, verdict, by, reason },
      );
      assert.equal(
        typeof id === "string",
        verdict === "refused",
        "a refusal has an id, and nothing else has one",
      );
    });
  }

  it("text that is no target is refused before anything is tried", async () => {
    const { code, stderr } = await world.seawall.run("probe", "good.example.com");
    assert.equal(code, 2);
    assert.match(stderr, /say what to reach/);
  });
});

describe("seawall probe while outbound is only watched", () => {
  before(() => world.seawall.enforce(policy("observe")));

  it("reaches what enforce would refuse, and says so", async () => {
    const { code, stdout } = await world.seawall.run("probe", "45.33.32.156:443");
    assert.equal(code, 0);
    assert.match(stdout, /^REACHED, only watched: 45\.33\.32\.156:443 from `agent`/);
    assert.match(stdout, /^enforce {3}would refuse it: default$/m);
  });
});
