/** An allow and an accepted risk that end while packets flow: the kernel and `evaluate` turn at the same moment. */
import { compileNftables } from "../../../src/core/compile/nftables/compile.ts";
import { renderRuleset } from "../../../src/core/compile/nftables/render.ts";
import { parseIp } from "../../../src/core/net/ip.ts";
import { checkPolicy } from "../../../src/core/policy/check.ts";
import { evaluator } from "../../../src/core/policy/evaluate.ts";
import { nftLoad } from "../../support/wire/nft.ts";
import { ipBytes } from "../../support/wire/packet.ts";
import { makeProber } from "../../support/wire/probe.ts";
import { buildWorld } from "../../support/wire/world.ts";

export interface ExpiryReport {
  /** By port: packets that passed and that were refused. */
  readonly passed: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>;
  readonly surprises: readonly string[];
}

/** A port that an allow opens for a time, one that an accepted risk does, one that is always open. */
const PORTS = [22, 18_789, 443] as const;
const LASTS_MS = 2_000;
const WATCHED_AFTER_MS = 500;

const prober = makeProber(buildWorld());
const endMs = (Math.floor(Date.now() / 1_000) + 1) * 1_000 + LASTS_MS;
const end = new Date(endMs).toISOString();
const text = `version: 1
inbound:
  - {allow: [ssh], from: any, expires: "${end}", why: open for a little while}
  - {allow: [443, 18789], from: any, why: always open but for the guard}
accept_risk:
  - {guard: gateway, reason: open for a little while, by: the test, expires: "${end}"}
`;
const check = checkPolicy(text, {
  nowMs: Date.now(),
  readSets: () => ({ sets: new Map(), diagnostics: [] }),
});
if (check.policy === null) throw new Error(JSON.stringify(check.diagnostics));
const compiled = compileNftables(check.policy, {
  generation: 1,
  accounts: { uidOf: () => undefined, subuidsOf: () => [] },
});
if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics));
nftLoad(renderRuleset(compiled.ruleset, []));
const judge = evaluator(check.policy);
const from = parseIp("9.9.9.9");
const destination = parseIp("203.0.113.10");
if (from === undefined || destination === undefined) throw new Error("addresses");
const ends = { source: ipBytes(from), destination: ipBytes(destination) };
const passed: Record<string, number> = {};
const refused: Record<string, number> = {};
const surprises: string[] = [];
const verdictAt = (port: number, nowMs: number): string =>
  judge({ direction: "inbound", from, zone: "world", protocol: "tcp", port, fromPort: null }, nowMs).verdict;
while (Date.now() < endMs + WATCHED_AFTER_MS) {
  for (const port of PORTS) {
    const before = verdictAt(port, Date.now());
    const seen = prober.inbound({ interface: "eth0", ...ends, protocol: "tcp", port });
    const after = verdictAt(port, Date.now());
    const tally = seen === "accept" ? passed : refused;
    tally[port] = (tally[port] ?? 0) + 1;
    if (before === after && seen !== before) surprises.push(`${port}: seen ${seen}, not ${before}`);
  }
  // Short sleeps: the machine has other work.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
}
const report: ExpiryReport = { passed, refused, surprises: surprises.slice(0, 10) };
process.stdout.write(`${JSON.stringify(report)}\n`);
