/** Loads rules whose names once met and prints as JSON what became of a packet to each port. */
import { compileNftables } from "../../../../src/core/compile/nftables/compile.ts";
import { renderRuleset } from "../../../../src/core/compile/nftables/render.ts";
import { policyOf } from "../../../support/policy.ts";
import { nftLoad } from "../../../support/wire/nft.ts";
import { makeProber, type Seen } from "../../../support/wire/probe.ts";
import { buildWorld } from "../../../support/wire/world.ts";
import { address } from "./craft.ts";

export interface Arrival {
  readonly interface: string;
  readonly from: string;
  readonly to: string;
  readonly port: number;
}

const [policy, arrivals] = process.argv.slice(2);
if (policy === undefined || arrivals === undefined)
  throw new Error("the policy and the arrivals, as arguments");
const prober = makeProber(
  buildWorld([
    { name: "eth0", addresses: ["203.0.113.10"] },
    { name: "lan0", addresses: ["192.168.77.1"], behind: ["192.168.77.9"] },
    { name: "lan1", addresses: ["192.168.78.1"], behind: ["192.168.78.9"] },
    { name: "docker0", addresses: ["172.17.0.1"], behind: ["172.17.0.2"] },
  ]),
);
const compiled = compileNftables(policyOf(policy), {
  generation: 1,
  accounts: { uidOf: () => 4242, subuidsOf: () => [] },
});
if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics));
nftLoad(renderRuleset(compiled.ruleset, []));
const seen: Seen[] = (JSON.parse(arrivals) as readonly Arrival[]).map(({ from, to, ...rest }) =>
  prober.inbound({ ...rest, source: address(from), destination: address(to), protocol: "tcp" }),
);
process.stdout.write(`${JSON.stringify(seen)}\n`);
