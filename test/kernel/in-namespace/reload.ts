/** Steady packets while the policy is applied and confirmed again and again. Prints what was misjudged. */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseIp } from "../../../src/core/net/ip.ts";
import { nftOutput } from "../../support/wire/nft.ts";
import { ipBytes } from "../../support/wire/packet.ts";
import { makeProber, type Seen } from "../../support/wire/probe.ts";
import { buildWorld } from "../../support/wire/world.ts";

export interface ReloadReport {
  readonly reloads: number;
  readonly packets: number;
  readonly misjudged: readonly string[];
  readonly pinSurvived: boolean;
  readonly meterSurvived: boolean;
  readonly counted: number;
  readonly sentToCounted: number;
}

const RELOADS = Number(process.argv[2] ?? 20);
/** 10,000 packets a second. */
const BATCH_PACKETS = 100;
const BATCH_MS = 10;
const CLI = join(import.meta.dirname, "..", "..", "..", "src", "cli", "main.ts");
const folder = mkdtempSync(join(tmpdir(), "seawall-reload-"));
const env = {
  ...process.env,
  SEAWALL_STATE_DIR: join(folder, "state"),
  SEAWALL_RUN_DIR: join(folder, "run"),
};

const policy = (more: string): string => `version: 1
mode: {inbound: enforce, outbound: observe}
scopes: {agent: {user: 4242}}
inbound:
  - {id: ssh, allow: ssh, from: any, why: administration with keys only}
  - {id: hook, allow: 9000, from: any, rate: 60/day, why: a web hook that is rarely called}
  - {id: abuse, deny: any, from: 198.51.100.0/24, why: abuse report 4711}
${more}
outbound:
  - {id: names, allow: api.example.com, why: a name whose addresses are pinned}
`;
const files = ["", "  - {id: more, allow: 5000, from: any, why: a rule that comes and goes}"].map(
  (more, at) => {
    const path = join(folder, `policy-${at}.yaml`);
    writeFileSync(path, policy(more));
    return path;
  },
);

const prober = makeProber(buildWorld());
const bytes = (text: string): Uint8Array => {
  const ip = parseIp(text);
  if (ip === undefined) throw new Error(text);
  return ipBytes(ip);
};
const rows: readonly (readonly [string, number, Seen])[] = [
  ["8.8.8.8", 22, "accept"],
  ["8.8.8.8", 23, "refuse"],
  ["198.51.100.7", 22, "refuse"],
  ["2620:fe::9", 22, "accept"],
  ["2620:fe::9", 18789, "refuse"],
];
const judge = (source: string, port: number): Seen =>
  prober.inbound({
    interface: "eth0",
    source: bytes(source),
    destination: bytes(source.includes(":") ? "2001:db8:113::10" : "203.0.113.10"),
    protocol: "tcp",
    port,
  });

await seawall("apply", files[0] ?? "");
await seawall("confirm", "--console");
const pins = /set (seen4_[0-9a-f]+) /.exec(nftOutput(["list", "sets", "inet"]))?.[1] ?? "";
execFileSync("nft", ["add", "element", "inet", "seawall", pins, "{ 8.8.4.4 timeout 1h }"]);
const meterFirst = judge("8.8.8.8", 9000);
const counterBefore = counterOf("count_ssh");

const misjudged: string[] = [];
let packets = 0;
let sentToCounted = 0;
let done = false;
const load = (async () => {
  while (!done) {
    for (let at = 0; at < BATCH_PACKETS; at += 1) {
      const [source, port, expected] = rows[packets % rows.length] ?? ["8.8.8.8", 22, "accept"];
      const seen = judge(source, port);
      if (seen !== expected) misjudged.push(`${source} -> ${port}: ${seen}, not ${expected}`);
      packets += 1;
      if (port === 22 && expected === "accept") sentToCounted += 1;
    }
    await sleep(BATCH_MS);
  }
})();
for (let round = 1; round <= RELOADS; round += 1) {
  await seawall("apply", files[round % 2] ?? "");
  await seawall("confirm", "--console");
}
done = true;
await load;

const report: ReloadReport = {
  reloads: RELOADS,
  packets,
  misjudged: misjudged.slice(0, 10),
  pinSurvived: nftOutput(["list", "set", "inet", "seawall", pins]).includes("8.8.4.4"),
  meterSurvived:
    meterFirst === "accept" &&
    nftOutput(["list", "set", "inet", "seawall", "rate4_hook_60perday"]).includes("8.8.8.8"),
  counted: counterOf("count_ssh") - counterBefore,
  sentToCounted,
};
rmSync(folder, { recursive: true, force: true });
console.log(JSON.stringify(report));

function counterOf(name: string): number {
  return Number(/packets (\d+)/.exec(nftOutput(["list", "counter", "inet", "seawall", name]))?.[1]);
}

async function seawall(...args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString("utf8");
  });
  const code = await new Promise<number | null>((end) => child.on("close", end));
  if (code !== 0) throw new Error(`seawall ${args.join(" ")} ended with ${code}: ${said}`);
}
