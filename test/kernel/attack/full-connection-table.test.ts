// A full connection table keeps everybody out before any rule is asked. Nobody gets enough of it to fill the smallest.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually } from "../../support/host/eventually.ts";
import { HOST4, HOST6 } from "../../support/host/host.ts";
import { AGENT_UID, startWorld, type World } from "../gate/world.ts";
import type { Filled, Filling } from "./in-namespace/fill.ts";

/** The table that Linux makes on a machine with 512 MB; this kernel's is the machine's and is not changed by a test. */
const TABLE_ENTRIES = 4_096;
/** What has to be left of it while somebody fills it. */
const SPARE = 512;
const FILL = fileURLToPath(new URL("./in-namespace/fill.ts", import.meta.url));
const SSH_TRIES = 5;
const FILLED_LIMIT_MS = 120_000;

const POLICY = `version: 1
mode: MODE
scopes: {agent: {user: ${AGENT_UID}}}
inbound:
  - allow: ssh
    from: any
    why: administration of this host
  - allow: 8080
    from: any
    why: a site that everybody may see
outbound:
  - allow: api.example.com
    why: a name, so that its gate answers questions
  - allow: [127.0.0.1, "::1"]
    port: 7000
    why: a service on this host
  - allow: [203.0.113.1, "2001:db8:1::1"]
    port: 7001
    protocol: udp
    why: a place that takes datagrams
`;

let world: World;
before(async () => {
  world = await startWorld();
  for (const port of [22, 7000, 8080]) await world.host.listen(port);
});
after(async () => {
  await world?.stop();
});

/** Entries that the kernel keeps track of in the host's namespace. */
async function entries(): Promise<number> {
  return Number(await world.host.shell("cat /proc/sys/net/netfilter/nf_conntrack_count"));
}

interface Over {
  readonly direction: string;
  readonly place: string;
  readonly refused: number;
}

async function overShare(place: string): Promise<number> {
  const status = JSON.parse(await world.seawall.ok("status", "--json")) as { log: { overShare: Over[] } };
  return status.log.overShare.find((one) => one.place === place)?.refused ?? 0;
}

/** Fills, looks while it is held, and lets go. */
async function during(
  filling: Filling,
  from: "agent" | "stranger",
  look: (filled: Filled) => Promise<void>,
): Promise<void> {
  const argv = [process.execPath, FILL, JSON.stringify(filling)];
  const as = ["setpriv", `--reuid=${AGENT_UID}`, `--regid=${AGENT_UID}`, "--clear-groups"];
  const child = from === "agent" ? world.host.start([...as, ...argv]) : world.host.upstream.start(argv);
  let said = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => void (said += text));
  try {
    await eventually(async () => said.includes("\n"), true, FILLED_LIMIT_MS);
    await look(JSON.parse(said) as Filled);
  } finally {
    child.stdin?.end();
    await eventually(async () => child.exitCode !== null || child.signalCode !== null, true);
  }
}

async function assertSshComesIn(): Promise<void> {
  for (let tried = 0; tried < SSH_TRIES; tried += 1) {
    const target = tried % 2 === 0 ? HOST4 : HOST6;
    assert.equal(await world.host.upstream.connect({ to: target, port: 22 }, 10_000), "connected");
  }
}

const AGENT_ROWS: readonly (readonly [name: string, filling: Omit<Filling, "sources">])[] = [
  ["questions to 6,000 servers", { what: "servers", count: 6_000, address: "20.0", port: 53 }],
  [
    "questions to 6,000 servers over IPv6",
    { what: "servers", count: 6_000, address: "2001:4860::", port: 53 },
  ],
  [
    "datagrams from 5,000 sockets to where it may",
    { what: "sockets", count: 5_000, address: "203.0.113.1", port: 7_001 },
  ],
  [
    "datagrams from 5,000 sockets to where it may over IPv6",
    { what: "sockets", count: 5_000, address: "2001:db8:1::1", port: 7_001 },
  ],
  [
    "datagrams from 5,000 sockets to where it may not",
    { what: "sockets", count: 5_000, address: "20.1.2.3", port: 9 },
  ],
  [
    "1,500 connections on this host",
    { what: "connections", count: 1_500, address: "127.0.0.1", port: 7_000 },
  ],
  [
    "1,500 connections on this host over IPv6",
    { what: "connections", count: 1_500, address: "::1", port: 7_000 },
  ],
];

const MODES = ["observe", "enforce"];

// First, because what a flood leaves behind counts for two minutes.
for (const mode of MODES) {
  it(`in ${mode}, 200 connections of the agent at once are no trouble`, async () => {
    await world.seawall.enforce(POLICY.replace("MODE", mode));
    const wish: Filling = { what: "connections", count: 200, address: "127.0.0.1", port: 7_000, sources: [] };
    await during(wish, "agent", async ({ opened }) => assert.equal(opened, 200));
  });
}

for (const mode of MODES) {
  describe(`in ${mode}, the agent's`, () => {
    before(() => world.seawall.enforce(POLICY.replace("MODE", mode)));

    for (const [name, filling] of AGENT_ROWS) {
      it(`${name} leave room for SSH in a table of ${TABLE_ENTRIES}`, async () => {
        await during({ ...filling, sources: [] }, "agent", async () => {
          const now = await entries();
          assert.ok(now < TABLE_ENTRIES - SPARE, `${now} entries`);
          await assertSshComesIn();
        });
      });
    }

    it("excess is counted and said", async () => {
      assert.ok((await overShare("agent")) > 0);
      assert.match(await world.seawall.ok("status"), /^limit {6}outbound agent: [\d,]+ packets were over/m);
      const flows = await world.seawall.ok("flows", "--json", "--verdict", "refuse", "--limit", "300");
      assert.match(flows, /"reason":"limit"/);
    });
  });
}

describe("one stranger's", () => {
  before(() => world.seawall.enforce(POLICY.replace("MODE", "enforce")));

  for (const [name, address, sources] of [
    ["connections", HOST4, ["198.51.100.7"]],
    ["connections from a /64", HOST6, ["2001:db8:66::1", "2001:db8:66::2", "2001:db8:66::3"]],
  ] as const) {
    it(`1,800 ${name} to an open port leave room for SSH`, async () => {
      for (const source of sources) await world.host.upstream.own(source);
      const earlier = await overShare("world");
      const wish: Filling = { what: "connections", count: 1_800, address, port: 8_080, sources };
      await during(wish, "stranger", async ({ opened }) => {
        assert.ok(opened >= 1_000 && opened < 1_100, `${opened} connections`);
        const now = await entries();
        assert.ok(now < TABLE_ENTRIES - SPARE, `${now} entries`);
        await assertSshComesIn();
      });
      assert.ok((await overShare("world")) > earlier);
    });
  }

  it("500 connections at once to an open port are no trouble", async () => {
    await world.host.upstream.own("198.51.100.9");
    const wish: Filling = {
      what: "connections",
      count: 500,
      address: HOST4,
      port: 8_080,
      sources: ["198.51.100.9"],
    };
    await during(wish, "stranger", async ({ opened }) => assert.equal(opened, 500));
  });
});
