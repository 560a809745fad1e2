// Fills the connection table and ends what a policy forbids of it. Prints what that took.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cutForbidden } from "../../../src/apply/cut.ts";
import type { Tuple } from "../../../src/core/event/decode/conntrack.ts";
import { openConntrack } from "../../../src/edge/kernel/conntrack.ts";
import { writeResolvedPolicy } from "../../../src/edge/state/resolved-policy.ts";
import { policyOf } from "../../support/policy.ts";
import { linkUp } from "./nft.ts";

export interface ManyReport {
  readonly entries: number;
  readonly forbidden: number;
  readonly ended: number;
  readonly wronglyEnded: number;
  readonly trouble: string | null;
  readonly ms: number;
  /** A second time, when nothing is left to do. */
  readonly againMs: number;
  readonly grownMiB: number;
}

const HERE = "203.0.113.10";
const FOREIGN_BITS = 0xca6c;
const entries = Number(process.argv[2]);
const state = mkdtempSync(join(tmpdir(), "seawall-cuts-"));
process.on("exit", () => rmSync(state, { recursive: true, force: true }));
mkdirSync(join(state, "history"), { recursive: true });

linkUp("lo");
execFileSync("ip", ["link", "add", "eth0", "type", "veth", "peer", "name", "far"]);
execFileSync("ip", ["addr", "add", `${HERE}/24`, "dev", "eth0"]);
linkUp("eth0");
linkUp("far");
execFileSync("ip", ["route", "add", "default", "via", "203.0.113.1"]);

const table = openConntrack();
let forbidden = 0;
for (let at = 0; at < entries; at += 1) {
  const kind = at % 5;
  // A fifth each: the agent's, allowed and not; the world's, allowed and not; and the host's own.
  const isForbidden = kind === 1 || kind === 3;
  if (isForbidden) forbidden += 1;
  const stamp = kind < 2 ? 0x3100_0000 : kind < 4 ? 0x3000_0000 : 0;
  const added = table.addEstablished(tupleOf(kind, at), { seconds: 600, mark: (stamp | FOREIGN_BITS) >>> 0 });
  if (added.kind !== "added") throw new Error(`entry ${at}: ${JSON.stringify(added)}`);
}
const policy = policyOf(`version: 1
mode: enforce
scopes: {agent: {user: 4242}}
inbound:
  - {allow: 9000, from: any, why: a rule of this test}
outbound:
  - {allow: [198.51.100.0/24], port: 443, why: a rule of this test}
`);
writeResolvedPolicy(state, 7, policy);

const beforeBytes = process.memoryUsage.rss();
let began = performance.now();
const { ended, trouble } = cutForbidden(state, { id: 7, generation: 4 }, Date.now());
const ms = performance.now() - began;
const grownMiB = (process.memoryUsage.rss() - beforeBytes) / 2 ** 20;
began = performance.now();
cutForbidden(state, { id: 7, generation: 4 }, Date.now());
const againMs = performance.now() - began;

let wronglyEnded = 0;
table.dumpWanted(
  () => true,
  ({ mark, original }) => {
    const isEnded = mark >>> 28 === 0 && mark >>> 24 !== 0;
    const isAllowed =
      original.source === HERE
        ? original.destination.startsWith("198.51.100.") || original.destinationPort === 8443
        : original.destinationPort === 9000;
    if (isEnded === isAllowed || (mark & 0xff_ffff) !== FOREIGN_BITS) wronglyEnded += 1;
  },
);
table.close();
const report: ManyReport = { entries, forbidden, ended, wronglyEnded, trouble, ms, againMs, grownMiB };
console.log(JSON.stringify(report));

function tupleOf(kind: number, at: number): Tuple {
  const port = 10_000 + (at % 50_000);
  const far = `100.${64 + ((at >>> 16) & 63)}.${(at >>> 8) & 255}.${at & 255}`;
  const outbound = (destination: string, destinationPort: number): Tuple => ({
    protocol: 6,
    source: HERE,
    sourcePort: port,
    destination,
    destinationPort,
  });
  if (kind === 0) return outbound(`198.51.100.${1 + (Math.trunc(at / 50_000) % 250)}`, 443);
  if (kind === 1) return outbound(far, 443);
  if (kind === 4) return outbound(far, 8443);
  return {
    protocol: 6,
    source: far,
    sourcePort: port,
    destination: HERE,
    destinationPort: kind === 2 ? 9000 : 9001,
  };
}
