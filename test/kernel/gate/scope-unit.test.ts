// An agent in a unit: known by a slice of ours, whatever becomes of its own cgroup. The cgroups are the machine's, so
// the scope has a name that no other test has.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { cgroupMount } from "../../../src/edge/host/scope-cgroup.ts";
import { fileURLToPath } from "node:url";
import { run } from "../../support/host/command.ts";
import { eventually } from "../../support/host/eventually.ts";
import { type Reaper, startReaper } from "../../support/host/reaper.ts";
import { type Agent, agentOf } from "./agent.ts";
import { assertAddresses, assertNoSuchName, assertNotReached, assertReached } from "./expect.ts";
import { asker } from "./line-client.ts";
import { AGENT_UID, OTHER_UID, startWorld, type World } from "./world.ts";
import { ELSEWHERE4, ELSEWHERE6, METADATA, OTHER_RESOLVER4, OTHER_RESOLVER6, SITE4, SITE6 } from "./zone.ts";

const ROUNDS = 20;
const SCOPE = `u${process.pid}`;
const PARENT = `${cgroupMount().directory}/seawall.slice`;
const SLICE = `${PARENT}/seawall-${SCOPE}.slice`;
const STRAY = `${PARENT}/seawall-stray${process.pid}.slice`;
const AGENT_SCRIPT = fileURLToPath(new URL("./in-namespace/agent.ts", import.meta.url));
const POLICY = `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {${SCOPE}: {unit: openclaw.service}}
inbound: []
outbound:
  - {id: site, allow: good.example.com, port: [80, 443, 8080], scope: ${SCOPE}, why: a rule of this test}
accept_risk:
  - {scope: ${SCOPE}, reason: the unit is made by this test, by: me, expires: 2099-01-01}
`;
/** Where packets of the unit may never arrive: address, and protocol and port as the internet counts them. */
const NEVER = [
  { address: ELSEWHERE4, port: 443, over: "tcp" },
  { address: ELSEWHERE4, port: 443, over: "udp" },
  { address: ELSEWHERE6, port: 80, over: "tcp" },
  { address: ELSEWHERE6, port: 5_353, over: "udp" },
  { address: OTHER_RESOLVER4, port: 53, over: "udp" },
  { address: OTHER_RESOLVER6, port: 53, over: "tcp" },
  { address: SITE4, port: 443, over: "udp" },
  { address: SITE6, port: 22, over: "tcp" },
] as const;
/** Sends at once, and says what a listed page said. */
const BURST = [
  "for i in 1 2 3 4 5 6 7 8; do",
  ...NEVER.filter(({ address }) => !address.includes(":")).map(
    ({ address, port, over }) => `(echo x >/dev/${over}/${address}/${port}) 2>/dev/null`,
  ),
  "done",
  "curl -s -m 8 http://good.example.com/",
].join("\n");

let world: World;
let reapers: readonly Reaper[];

before(async () => {
  reapers = [
    startReaper(`seawall.slice/seawall-${SCOPE}.slice`),
    startReaper(STRAY.replace(/^.*seawall.slice/, "seawall.slice")),
  ];
  world = await startWorld();
});
after(async () => {
  await world?.stop();
  for (const reaper of reapers) await reaper.finish();
  // Another test on this machine may have a slice in it.
  await run(["rmdir", "--ignore-fail-on-non-empty", PARENT]);
});

/** Enters a cgroup, which is made when it is not there, before it becomes `argv` as this user. */
const within = (cgroup: string, uid: number, argv: readonly string[]): string[] => [
  "sh",
  "-euc",
  `mkdir -p '${cgroup}'; echo $$ >'${cgroup}/cgroup.procs'; exec setpriv --reuid=${uid} --regid=${uid} --clear-groups "$@"`,
  "enter",
  ...argv,
];
/** Not the user of the built-in scope `agent`: the slice alone holds it. */
const agentIn = (cgroup: string, uid = OTHER_UID): Agent =>
  agentOf(asker(world.host.start(within(cgroup, uid, [process.execPath, AGENT_SCRIPT]))));

describe("before any policy", () => {
  it("a process in a slice of this name reaches everything, so the rows below can fail", async () => {
    const { value, packets } = await world.during(async () => {
      const result = await world.host.run(
        within(`${SLICE}/before.service`, OTHER_UID, ["bash", "-c", BURST]),
      );
      await world.host.shell(`rmdir '${SLICE}/before.service' '${SLICE}'`);
      return result.stdout;
    });
    assertReached(value, "good.example.com");
    assert.ok(packets(ELSEWHERE4, "udp 443") >= 8 && packets(OTHER_RESOLVER4, "udp 53") >= 8);
  });
});

describe("a unit that runs beside our slice", () => {
  const beside = `${cgroupMount().directory}/system${process.pid}.slice`;
  it("is NOT CONTAINED, with the command that attaches it", async () => {
    const outside = agentIn(`${beside}/openclaw.service`);
    await outside.ping("127.0.0.1");
    await world.seawall.enforce(POLICY);
    const { containmentSeen } = (await world.seawall.status()) as unknown as {
      containmentSeen: {
        scopes: { scope: string; grade: string; reasons: { id: string; cure: string }[] }[];
      };
    };
    const found = containmentSeen.scopes.find(({ scope }) => scope === SCOPE);
    assert.deepEqual(
      [found?.grade, found?.reasons.map(({ id }) => id)],
      ["not-contained", ["outside-slice"]],
    );
    assert.match(found?.reasons[0]?.cure ?? "", /^seawall attach openclaw.service --scope /);
    await world.host.shell(`xargs -r kill -9 <'${beside}/openclaw.service/cgroup.procs'`);
    const gone = async () =>
      (await world.host.run(["rmdir", `${beside}/openclaw.service`, beside])).code === 0;
    assert.equal(await eventually(gone, true), true);
  });
});

describe("an agent in a unit below our slice", () => {
  let agent: Agent;
  before(async () => {
    await world.seawall.enforce(POLICY);
    agent = agentIn(`${SLICE}/openclaw.service`);
  });
  for (const type of ["A", "AAAA"] as const) {
    it(`reaches what is listed over TLS, HTTP and another port (${type})`, async () => {
      assertReached(await agent.https("good.example.com", { type }), "good.example.com");
      assertReached(await agent.http("good.example.com", { type }), "good.example.com");
      assertReached(await agent.http("good.example.com", { type, port: 8080 }), "good.example.com");
    });
  }
  it("is told that an unlisted name does not exist, whatever server it asks, and nobody is asked", async () => {
    const { packets, asked } = await world.during(async () => {
      assertNoSuchName(await agent.resolve("evil.example.net"));
      for (const server of [OTHER_RESOLVER4, OTHER_RESOLVER6])
        assertNoSuchName(await agent.resolve("evil.example.net", { server, over: "tcp" }));
      assertAddresses(await agent.resolve("good.example.com", { server: OTHER_RESOLVER4 }), SITE4);
    });
    assert.equal(packets(OTHER_RESOLVER4) + packets(OTHER_RESOLVER6), 0);
    assert.ok(
      asked.every((one) => one.startsWith("good.example.com ")),
      asked.join(),
    );
  });
  it("sends no packet to an address of no rule, to the metadata service, or for a neighbour's name", async () => {
    const { value, packets, seen } = await world.during(async () => [
      await agent.http("evil.example.net", { address: ELSEWHERE4 }),
      await agent.https("good.example.com", { address: ELSEWHERE6 }),
      await agent.http("x", { address: METADATA }),
      await agent.https("neighbour.example.net", { address: SITE4 }),
      await agent.ping(ELSEWHERE4),
    ]);
    for (const page of value) assertNotReached(page);
    assert.equal(packets(ELSEWHERE4) + packets(ELSEWHERE6) + packets(METADATA), 0);
    assert.deepEqual(seen, []);
  });
  it("is held as any user, root too, and in a cgroup further below", async () => {
    const { packets } = await world.during(async () => {
      for (const uid of [0, AGENT_UID]) {
        const other = agentIn(`${SLICE}/openclaw.service/deeper`, uid);
        assertNotReached(await other.http("evil.example.net", { address: ELSEWHERE4 }));
        assertReached(await other.https("good.example.com"), "good.example.com");
      }
    });
    assert.equal(packets(ELSEWHERE4), 0);
  });
  it("outside the slice a user that was held inside is nobody's agent", async () => {
    assertReached(await world.agent(OTHER_UID).http("evil.example.net"), "evil.example.net");
  });
});

describe(`over ${ROUNDS} restarts of the unit under load`, () => {
  const pages: string[] = [];
  let packets: (address: string, what?: string) => number;
  let asked: readonly string[];
  before(async () => {
    const steady = agentIn(`${SLICE}/steady.service`);
    await steady.startHammer({ key: "never", targets: NEVER, everyMs: 10 });
    const watched = await world.during(async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const leaf = `${SLICE}/again.service`;
        const { stdout } = await world.host.run(within(leaf, OTHER_UID, ["bash", "-c", BURST]));
        pages.push(stdout);
        // systemd removes the cgroup of a unit that stopped, and makes another one at its next start.
        await world.host.shell(`until rmdir '${leaf}'; do sleep 0.02; done 2>/dev/null`);
      }
      return Number(await steady.end("never"));
    });
    assert.ok(watched.value > ROUNDS * 10);
    ({ packets, asked } = watched);
  });
  it("what is listed works after each", () => {
    assert.equal(pages.length, ROUNDS);
    for (const page of pages) assertReached(page, "good.example.com");
  });
  for (const { address, port, over } of NEVER) {
    it(`no packet came to ${address} ${over} ${port}`, () =>
      assert.equal(packets(address, `${over} ${port}`), 0));
  }
  it("no name that is not listed was asked for upstream", () => {
    assert.deepEqual(
      asked.filter((one) => !one.startsWith("good.example.com ")),
      [],
    );
  });
});

describe("below seawall.slice, and in no slice that the rules know", () => {
  const isRefused = async (agent: Agent): Promise<void> => {
    const { value, packets } = await world.during(async () => [
      await agent.http("evil.example.net", { address: ELSEWHERE4 }),
      await agent.https("good.example.com", { address: SITE4 }),
      await agent.datagram({ address: ELSEWHERE6, port: 443 }),
      (await agent.resolve("good.example.com", { waitMs: 500 })).kind,
    ]);
    assert.match(value[0] ?? "", /ECONNREFUSED/);
    assert.match(value[1] ?? "", /ECONNREFUSED/);
    assert.equal(value[3], "failed");
    assert.equal(packets(ELSEWHERE4) + packets(ELSEWHERE6) + packets(SITE4), 0);
  };
  it("a stray is refused everything, a listed name too", () => isRefused(agentIn(`${STRAY}/x.service`)));
  it("the slice itself, made anew, is closed until the next apply and held after it", async () => {
    const ours = await world.host.shell(`cat $(find '${SLICE}' -name cgroup.procs) | tr '\\n' ' '`);
    if (ours.trim() !== "") await world.host.shell(`kill -KILL ${ours}`);
    await sleep(100);
    await world.host.shell(
      `until find '${SLICE}' -depth -type d -exec rmdir {} + ; do sleep 0.05; done 2>/dev/null; mkdir '${SLICE}'`,
    );
    const agent = agentIn(`${SLICE}/openclaw.service`);
    await isRefused(agent);
    await world.seawall.enforce(POLICY);
    assertReached(await agent.https("good.example.com"), "good.example.com");
    assertNotReached(await agent.http("evil.example.net", { address: ELSEWHERE4 }));
  });
});
