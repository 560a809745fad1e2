/**
 * Writes forged packets into a namespace and prints, as JSON, which of them got past Seawall: the same packets
 * first without it (to show that they would get through) and then with it.
 */
import { writeFileSync } from "node:fs";
import { compileNftables } from "../../../../src/core/compile/nftables/compile.ts";
import { renderRuleset } from "../../../../src/core/compile/nftables/render.ts";
import { policyOf } from "../../../support/policy.ts";
import { nftLoad, nftOutput } from "../../../support/wire/nft.ts";
import { buildWorld } from "../../../support/wire/world.ts";
import { ALLOWED_PORT, type Forgery, FORGERIES } from "./forgery.ts";

export interface Fate {
  readonly name: string;
  /** Packets that reached input or forward of the host. */
  readonly without: number;
  readonly with: number;
}

/** Counts what gets past prerouting and routing, to the host or through it, but for the port that is allowed. */
const WITNESS = `table inet witness {
  counter reached { }
  chain input { type filter hook input priority -190; goto count; }
  chain forward { type filter hook forward priority -190; goto count; }
  chain count { iifname != "eth0" return; tcp dport ${ALLOWED_PORT} return; counter name reached; }
}
`;
/** What a careless operator may have switched on: the kernel then stops less by itself. */
const SYSCTLS = [
  "conf/all/route_localnet",
  "conf/all/accept_local",
  "conf/all/accept_source_route",
  "conf/eth0/accept_source_route",
];

const [eth0] = buildWorld();
if (eth0 === undefined) throw new Error("a world has an uplink");
for (const sysctl of SYSCTLS) writeFileSync(`/proc/sys/net/ipv4/${sysctl}`, "1");
nftLoad(WITNESS);

const text = process.argv[2];
if (text === undefined) throw new Error("the policy is the first argument");
const compiled = compileNftables(policyOf(text), {
  generation: 1,
  accounts: { uidOf: () => 4242, subuidsOf: () => [] },
});
if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics));
const ruleset = renderRuleset(compiled.ruleset, []);

const without = FORGERIES.map(count);
nftLoad(ruleset);
const fates: Fate[] = FORGERIES.map((forgery, index) => ({
  name: forgery.name,
  without: without[index] ?? 0,
  with: count(forgery, index + FORGERIES.length),
}));
process.stdout.write(`${JSON.stringify(fates)}\n`);

/** What conntrack learned from one run must not help the next: every forgery has addresses of its own. */
function count(forgery: Forgery, index: number): number {
  nftOutput(["reset", "counter", "inet", "witness", "reached"]);
  for (const bytes of forgery.packets(index)) eth0?.write(bytes);
  eth0?.drain();
  const listed = nftOutput(["-j", "list", "counter", "inet", "witness", "reached"]);
  const objects = (JSON.parse(listed) as { nftables: { counter?: { packets: number } }[] }).nftables;
  return objects.find(({ counter }) => counter !== undefined)?.counter?.packets ?? 0;
}
