// Noise does not hide what is done in it: the first lines of each end, kind and source are everybody's own.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually } from "../../support/host/eventually.ts";
import { type Daemon, startDaemon } from "../../support/host/daemon.ts";
import { type Host, HOST4, HOST6, startHost } from "../../support/host/host.ts";
import { SEAWALL_WORDS, type SeawallOnHost, seawallOn } from "../../support/host/seawall.ts";
import type { Noise, Sent } from "./in-namespace/noise.ts";

const AGENT_UID = 4242;
const NOISE = fileURLToPath(new URL("./in-namespace/noise.ts", import.meta.url));
const RECORDED_LIMIT_MS = 60_000;
const TIMES = 20;

const POLICY = `version: 1
mode: enforce
scopes: {agent: {user: ${AGENT_UID}}}
inbound:
  - allow: ssh
    from: any
    why: administration of this host
outbound:
  - allow: 192.0.2.1
    port: 7000
    why: the only place that it may reach
`;

interface NotShown {
  readonly total: number;
  readonly lines: readonly {
    readonly direction: string;
    readonly place: string;
    readonly verdict: string;
    readonly counted: number;
    readonly recorded: number;
    readonly notShown: number;
  }[];
}

type Row = readonly [name: string, noise: Omit<Noise, "real" | "sources">];

const many = (length: number, end: (at: number) => { address: string; port: number }) =>
  Array.from({ length }, (_, at) => end(at));
const address4 = (at: number) => `20.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}`;
const address6 = (at: number) => `2001:4860:${(at >> 8).toString(16)}::${(at & 255).toString(16)}`;

/** The real end of each row has a port of its own, from 4400 on. */
const AGENT_ROWS: readonly Row[] = [
  ["one destination", { family: 4, rounds: 14_320, ends: [{ address: "8.8.8.8", port: 9 }] }],
  [
    "one destination over IPv6",
    { family: 6, rounds: 6_000, ends: [{ address: "2001:4860::8888", port: 9 }] },
  ],
  [
    "14,320 addresses",
    { family: 4, rounds: 1, ends: many(14_320, (at) => ({ address: address4(at), port: 9 })) },
  ],
  [
    "14,320 addresses over IPv6",
    { family: 6, rounds: 1, ends: many(14_320, (at) => ({ address: address6(at), port: 9 })) },
  ],
  [
    "20,000 ports of the same address",
    { family: 4, rounds: 1, ends: many(20_000, (at) => ({ address: "8.8.8.8", port: 20_000 + at })) },
  ],
  [
    "the same port of 5,000 addresses, again and again",
    { family: 4, rounds: 4, ends: many(5_000, (at) => ({ address: address4(at), port: 4_406 })) },
  ],
];

let host: Host;
let seawall: SeawallOnHost;
let daemon: Daemon;
before(async () => {
  host = await startHost();
  await host.shell("mkdir -p /etc/seawall");
  seawall = seawallOn(host);
  daemon = await startDaemon(host);
  await seawall.enforce(POLICY);
});
after(async () => {
  await daemon?.kill();
  await host?.stop();
});

const NOISE_ARGV = [process.execPath, NOISE];
const wish = (noise: Noise) => ({ deadlineMs: 120_000, input: JSON.stringify(noise) });

async function asAgent(noise: Noise): Promise<Sent> {
  const as = ["setpriv", `--reuid=${AGENT_UID}`, `--regid=${AGENT_UID}`, "--clear-groups"];
  const { code, stdout, stderr } = await host.run([...as, ...NOISE_ARGV], wish(noise));
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Sent;
}

async function asStranger(noise: Noise): Promise<Sent> {
  const { code, stdout, stderr } = await host.upstream.run(NOISE_ARGV, wish(noise));
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Sent;
}

/** How many lines of the log have this text in them. */
async function count(text: string): Promise<number> {
  const flows = `${SEAWALL_WORDS} flows --json --limit 100000 2>/dev/null`;
  return Number(await host.shell(`${flows} | grep -c '${text}' || true`, { deadlineMs: 60_000 }));
}

async function found(text: string, wanted: number): Promise<number> {
  return eventually(() => count(text), wanted, RECORDED_LIMIT_MS);
}

async function log(): Promise<NotShown> {
  return (JSON.parse(await seawall.ok("status", "--json")) as { log: NotShown }).log;
}

function of(shown: NotShown, direction: string, place: string, verdict: string) {
  const line = shown.lines.find(
    (one) => one.direction === direction && one.place === place && one.verdict === verdict,
  );
  return line ?? { counted: 0, recorded: 0, notShown: 0 };
}

/** Waits until nothing is on its way from the kernel to the log any more. */
async function settled(): Promise<NotShown> {
  let last = -1;
  await eventually(
    async () => {
      const now = (await log()).lines.reduce((sum, { recorded }) => sum + recorded, 0);
      const isSame = now === last;
      last = now;
      await new Promise((resolve) => setTimeout(resolve, 600));
      return isSame;
    },
    true,
    RECORDED_LIMIT_MS,
  );
  return log();
}

describe("the agent's noise", () => {
  for (const [at, [name, noise]] of AGENT_ROWS.entries()) {
    it(`to ${name} hides none of ${TIMES} connections`, async () => {
      const earlier = of(await settled(), "outbound", "agent", "refuse");
      const real = {
        address: noise.family === 4 ? "8.8.8.8" : "2001:4860::8888",
        port: 4_400 + at + (noise.family === 6 ? 100 : 0),
        times: TIMES,
        source: null,
      };
      // The last row is about the port of the noise itself.
      const port = at === AGENT_ROWS.length - 1 ? 4_406 : real.port;
      const sent = await asAgent({ ...noise, sources: [], real: { ...real, port } });
      assert.equal(sent.connections, TIMES);
      const isReal = `"destination":"${real.address}","destinationPort":${port},`;
      assert.equal(await found(isReal, TIMES), TIMES);
      const afterwards = of(await settled(), "outbound", "agent", "refuse");
      const counted = afterwards.counted - earlier.counted;
      assert.equal(counted, sent.datagrams + sent.connections, "the counter is exact");
      assert.equal(afterwards.notShown, afterwards.counted - afterwards.recorded);
    });
  }

  it("is said: what was sent less what is in the log is what is not shown", async () => {
    const shown = await settled();
    const { counted, notShown } = of(shown, "outbound", "agent", "refuse");
    assert.equal(notShown, counted - (await count('"scope":"agent","verdict":"refuse"')));
    assert.ok(notShown > 10_000, `${notShown} are not shown`);
    const { stderr } = await seawall.run("flows", "--limit", "1");
    assert.match(stderr, new RegExp(`^${shown.total.toLocaleString("en")} packets are not in the log`, "m"));
    assert.match(
      await seawall.ok("status"),
      new RegExp(
        `outbound agent: ${notShown.toLocaleString("en")} of ${counted.toLocaleString("en")} that were refused`,
      ),
    );
  });
});

/** The real source of each row, and the noise of another. */
const STRANGER_ROWS: readonly (readonly [
  name: string,
  family: 4 | 6,
  sources: readonly string[],
  ends: Noise["ends"],
  rounds: number,
])[] = [
  ["one stranger", 4, ["198.51.100.7"], [{ address: HOST4, port: 9 }], 14_320],
  [
    "one stranger, to 20,000 ports",
    4,
    ["198.51.100.8"],
    many(20_000, (at) => ({ address: HOST4, port: 20_000 + at })),
    1,
  ],
  ["one stranger over IPv6", 6, ["2001:db8:77::1"], [{ address: HOST6, port: 9 }], 14_320],
  [
    "200 addresses of one /64",
    6,
    Array.from({ length: 200 }, (_, at) => `2001:db8:66::${(at + 1).toString(16)}`),
    [{ address: HOST6, port: 9 }],
    14_320,
  ],
];

describe("the noise of", () => {
  for (const [at, [name, family, sources, ends, rounds]] of STRANGER_ROWS.entries()) {
    it(`${name} hides none of ${TIMES} connections of another`, async () => {
      const source = family === 4 ? `198.51.101.${at + 1}` : `2001:db8:88:${at + 1}::1`;
      for (const one of [...sources, source]) await host.upstream.own(one);
      const earlier = of(await settled(), "inbound", "world", "refuse");
      const real = { address: family === 4 ? HOST4 : HOST6, port: 9, times: TIMES, source };
      const sent = await asStranger({ family, ends, rounds, sources, real });
      assert.equal(await found(`"source":"${source}"`, TIMES), TIMES);
      const afterwards = of(await settled(), "inbound", "world", "refuse");
      assert.equal(
        afterwards.counted - earlier.counted,
        sent.datagrams + sent.connections,
        "the counter is exact",
      );
    });
  }
});
