/** What else is on this machine that would make the rules mean less than they say. Asked before every apply. */
import { SeawallError } from "../core/base/error.ts";
import { foreignStamps } from "../core/compile/nftables/foreign-mark.ts";
import { INNER_INTERFACES } from "../core/policy/zone-word.ts";
import type { ResolvedPolicy } from "../core/policy/resolved.ts";
import { findProgram, runSync } from "../edge/host/command.ts";
import { hasLegacyTables } from "../edge/host/legacy-tables.ts";
import { foreignRuleset } from "../edge/kernel/nft.ts";

/** Refuses where the world enters by an interface that is not judged, or where others write our bits of the mark. */
export function refuseSurroundings(policy: ResolvedPolicy, uplinks: readonly string[]): void {
  refuseUnjudgedUplink(policy, uplinks);
  refuseForeignStamps();
}

/** Bridges and tailnets are inside by name; one that carries the default route is not. */
export function refuseUnjudgedUplink(policy: ResolvedPolicy, uplinks: readonly string[]): void {
  const zones = policy.zones.flatMap((zone) => zone.interfaces);
  const uplink = uplinks.find((name) => matchesAny(name, INNER_INTERFACES) && !matchesAny(name, zones));
  if (uplink === undefined) return;
  throw new SeawallError(
    "SEAWALL_SCOPE",
    `the default route leaves by \`${uplink}\`, which by its name is taken for a bridge of containers and is not judged`,
    { still: "nothing was changed", help: `name it in the policy: zones: {uplink: ${uplink}}` },
  );
}

/** SECURITY: a stamp that somebody else writes into our bits would let a connection pass unjudged. */
function refuseForeignStamps(): void {
  const texts = [foreignRuleset()];
  const programs = ["iptables-save", "ip6tables-save"];
  if (hasLegacyTables()) programs.push("iptables-legacy-save", "ip6tables-legacy-save");
  for (const program of programs) {
    if (findProgram(program) !== undefined) texts.push(runSync(program, []).stdout);
  }
  const [stamp] = foreignStamps(texts.join("\n"));
  if (stamp === undefined) return;
  throw new SeawallError(
    "SEAWALL_SCOPE",
    `another program writes the upper eight bits of the connection mark, which hold Seawall's stamp: \`${stamp}\``,
    { still: "nothing was changed", help: "give that program other bits (0x00ffffff)" },
  );
}

function matchesAny(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}
