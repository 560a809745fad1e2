// What keeps names from being decided is in `status` within seconds, with who and what helps; and it goes when it is over.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/host/eventually.ts";
import { assertReached } from "./expect.ts";
import type { Agent } from "./agent.ts";
import { AGENT_UID, OTHER_UID, startWorld, type World } from "./world.ts";
import { RESOLVER, SITE4 } from "./zone.ts";

const POLICY = `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {user: openclaw}}
inbound: []
outbound:
  - {id: keep, allow: [good.example.com, second.example.com, third.example.com, evil.example.net], port: [80, 443, 8080], why: a rule of this test}
  - {id: below, allow: "*.example.org", port: [80, 443], why: a rule of this test}
`;
const DNS_PORT = 18_953;
const SEEN_MS = 60_000;

interface Said {
  readonly gate: string;
  readonly gateTrouble: readonly {
    readonly kind: string;
    readonly scope: string | null;
    readonly stops: boolean;
    readonly said: string;
    readonly help: string | null;
    readonly since: string;
  }[];
}

describe("what keeps names from being decided", () => {
  let world: World;
  let agent: Agent;
  before(async () => {
    world = await startWorld();
    await world.seawall.enforce(POLICY);
    agent = world.agent(AGENT_UID);
  });
  after(() => world.stop());

  const json = async () => JSON.parse(await world.seawall.ok("status", "--json")) as Said;
  const screen = () => world.seawall.ok("status");
  /** Waits until a trouble is told, and returns it. */
  const told = async (words: RegExp) => {
    const find = async () => (await json()).gateTrouble.find(({ said }) => words.test(said));
    assert.ok(
      await eventually(async () => (await find()) !== undefined, true, SEEN_MS),
      JSON.stringify(await json()),
    );
    const text = await screen();
    assert.doesNotMatch(text, /answers: names are decided/);
    assert.match(text, /^names {10}/m);
    for (const line of text.split("\n").filter((one) => /^(names|gate) /.test(one)))
      assert.ok(line.length <= 80, line);
    const found = await find();
    assert.ok(found !== undefined);
    return { ...found, text };
  };
  const over = async () => {
    assert.ok(
      await eventually(async () => (await json()).gateTrouble.length === 0, true, 2 * SEEN_MS),
      JSON.stringify(await json()),
    );
    assert.ok(await eventually(async () => (await json()).gate, "answers", SEEN_MS));
    assert.match(await screen(), /answers: names are decided/);
  };

  it("nothing does: names are decided, and nothing else is said", async () => {
    await over();
    assertReached(await agent.https("good.example.com"), "good.example.com", SITE4);
    await over();
  });

  describe("a door that somebody else holds", () => {
    for (const [what, script] of [
      [
        "over UDP",
        `const take = () => { const s = require("dgram").createSocket("udp4"); s.on("error", () => { s.close(); setTimeout(take, 2); }); s.bind(${DNS_PORT}, "127.0.0.1"); }; take();`,
      ],
      [
        "over TCP at every address",
        `const take = () => { const s = require("net").createServer(); s.on("error", () => setTimeout(take, 2)); s.listen(18943, "0.0.0.0"); }; take();`,
      ],
    ] as const) {
      it(`is told with its uid and program: ${what}`, async () => {
        const squatter = world.host.start([
          "setpriv",
          `--reuid=${OTHER_UID}`,
          `--regid=${OTHER_UID}`,
          "--clear-groups",
          process.execPath,
          "-e",
          script,
        ]);
        assert.equal(await world.signal("KILL", "gate"), 1);
        const { said, scope, stops, text } = await told(/is not the gate's/);
        assert.equal(scope, "agent");
        assert.equal(stops, true);
        assert.match(
          said,
          new RegExp(
            `(DNS|TLS) on 127\\.0\\.0\\.1 port (${DNS_PORT}|18943) is not the gate's: uid ${OTHER_UID} \\(other\\), \\S*node, pid \\d+ holds it`,
          ),
        );
        assert.equal((await json()).gate, "silent");
        assert.match(text, /NAMES FAIL/);
        assert.match(world.said(), /names: agent: .* is not the gate's: uid 4243/);
        const pid = /pid (\d+)/.exec(said)?.[1];
        await world.host.shell(`kill -KILL ${pid}`);
        squatter.kill("SIGKILL");
        await over();
        assertReached(await agent.https("good.example.com"), "good.example.com", SITE4);
      });
    }

    it("is told when it is shut later, without anybody else", async (context) => {
      const { code } = await world.host.run([
        "ss",
        "-K",
        "-l",
        "-t",
        "-n",
        "src",
        "127.0.0.1",
        "sport",
        "=",
        "18980",
      ]);
      if (code !== 0) return context.skip("this kernel ends no listening socket");
      // Another gate takes the place within seconds, so what was told may be over when it is read.
      const isTold = async () =>
        /names: agent: HTTP on 127\.0\.0\.1 port 18980 is shut; another gate takes/.test(world.said());
      assert.ok(await eventually(isTold, true, SEEN_MS), world.said());
      await over();
    });
  });

  describe("the resolver", () => {
    const ask = async (name: string) => (await agent.resolve(name, { waitMs: 8_000 })).kind;

    it("that does not answer is told by its address, and again well once it does", async () => {
      await world.setMoods({ [RESOLVER]: { silent: true } });
      await ask("api.example.org");
      const { stops, said } = await told(/resolver 203\.0\.113\.1 does not answer: \d+ questions in a row/);
      assert.equal(stops, true);
      assert.doesNotMatch(said, /no resolver/);
      await world.setMoods({});
      await ask("deep.api.example.org");
      await over();
    });

    it("that refuses is told by what it says", async () => {
      await world.setMoods({ [RESOLVER]: { rcode: 5 } });
      await ask("one.example.org");
      const { stops } = await told(/the last \d+ answers of resolver 203\.0\.113\.1 say REFUSED/);
      assert.equal(stops, true);
      await world.setMoods({});
      await ask("third.example.com");
      await over();
    });

    it("with a zone id is told to be left out; alone, that there is none", async () => {
      await world.host.shell(`printf 'nameserver %s\\n' fe80::1%eth0 ${RESOLVER} >/etc/resolv.conf`);
      const beside = await told(
        /resolver fe80::1%eth0 of \/etc\/resolv\.conf is not asked: it has a zone id/,
      );
      assert.equal(beside.stops, false);
      assert.equal((await json()).gate, "answers");
      await world.host.shell("echo 'nameserver fe80::1%eth0' >/etc/resolv.conf");
      const alone = await told(/there is no resolver to ask/);
      assert.equal(alone.stops, true);
      assert.equal((await json()).gate, "silent");
      await world.host.shell(`echo 'nameserver ${RESOLVER}' >/etc/resolv.conf`);
      await over();
    });
  });

  describe("a pin that fails", () => {
    it("because its set is full is counted and told", async () => {
      const set = /web4_[0-9a-f]{10}/.exec(await world.host.shell("nft list sets inet"))?.[0];
      assert.ok(set !== undefined);
      const elements = Array.from(
        { length: 16_384 },
        (_, at) => `100.${at >> 14}.${(at >> 8) & 63}.${at & 255} . 443`,
      );
      await world.host.shell("cat >/run/fill.nft", {
        input: `flush set inet seawall ${set}\nadd element inet seawall ${set} { ${elements.join(", ")} }\n`,
      });
      await world.host.shell("nft -f /run/fill.nft");
      // An address that is pinned is not pinned again, so this is a name that leads to another one.
      await agent.resolve("evil.example.net");
      const { said, scope, stops } = await told(
        new RegExp(`^\\d+ pins failed: the kernel's set ${set} takes no more addresses`),
      );
      assert.equal(scope, "agent");
      assert.equal(stops, true);
      assert.ok(Number(/^\d+/.exec(said)?.[0]) >= 1);
      await world.host.shell(`nft flush set inet seawall ${set}`);
      assert.ok(
        (await eventually(
          async () => {
            await agent.resolve("evil.example.net");
            return (await json()).gateTrouble.length;
          },
          0,
          180_000,
        )) === 0,
      );
    });

    it("because the kernel has another set is told, also before anybody asks; with no daemon nothing is", async () => {
      const was = (await world.host.shell("ls /var/lib/seawall/history/*.resolved"))
        .trim()
        .split("\n")
        .at(-1);
      await world.host.shell(`cp ${was} /run/was.resolved`);
      // What a version that names sets in another way would derive.
      await world.seawall.ok(
        "apply",
        await world.seawall.policy(POLICY.replace("second.example.com", "more.example.com")),
      );
      const other = (await world.host.shell("ls /var/lib/seawall/history/*.resolved"))
        .trim()
        .split("\n")
        .at(-1);
      await world.host.shell(`cp ${other} /run/other.resolved`);
      await world.seawall.ok("rollback");
      await world.signal("KILL", "daemon", "gate");
      await world.host.shell(`cp /run/other.resolved ${was}`);
      await world.startDaemon();
      await told(/^the kernel has no set web[46]_[0-9a-f]{10}/);
      await agent.resolve("good.example.com");
      const { help } = await told(/^\d+ pins failed: the kernel has no set web4_/);
      assert.match(help ?? "", /seawall apply/);
      assert.equal((await json()).gate, "silent");
      await world.signal("KILL", "daemon");
      assert.deepEqual((await json()).gateTrouble, []);
      assert.match(await screen(), /NONE RUNS/);
      await world.host.shell(`cp /run/was.resolved ${was}`);
      await world.startDaemon();
      await over();
      assertReached(await agent.https("good.example.com"), "good.example.com", SITE4);
    });
  });

  it("a seawalld that stands still is told to be silent, and what it said before is not shown as now", async () => {
    assert.equal(await world.signal("STOP", "daemon"), 1);
    const { text } = await told(/seawalld has said nothing for \d+ s/);
    assert.match(text, /is\s+not\s+known/);
    await world.signal("CONT", "daemon");
    await over();
  });
});
