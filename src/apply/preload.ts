/** Large sets are filled before the transaction that uses them, in pieces, so that nobody waits long for the kernel. */
import { SeawallError } from "../core/base/error.ts";
import { name } from "../core/compile/nftables/text.ts";
import type { NftObject, Ruleset } from "../core/compile/nftables/ruleset.ts";
import { declare } from "../core/compile/nftables/ruleset.ts";
import { TABLE } from "../core/compile/nftables/table.ts";
import { loadTransaction } from "../edge/kernel/nft.ts";
import type { Intervals } from "../edge/kernel/netlink/interval-elements.ts";
import { openSetElements } from "../edge/kernel/set-elements.ts";

/** Smaller sets travel in the transaction itself. */
export const PRELOAD_INTERVALS_MIN = 2_000;

/**
 * Fills the large sets that the kernel does not hold yet; nothing refers to them until the candidate does. Returns
 * the static sets of the ruleset that the kernel then holds, whole.
 * INVARIANT: a set that a rule refers to is whole. A large one that no rule refers to may be what a killed load
 * left behind, and is made anew; a small one came in one transaction.
 */
export async function preload(ruleset: Ruleset, live: ReadonlySet<string>): Promise<ReadonlySet<string>> {
  const sets = ruleset.objects.filter((object) => object.kind === "prefixes");
  const large = sets.filter((set) => set.intervals.first.length >= PRELOAD_INTERVALS_MIN);
  const missing = large.filter((set) => !live.has(set.name) || forget(set.name));
  const loaded = new Set([...large, ...sets.filter((set) => live.has(set.name))].map((set) => set.name));
  if (missing.length === 0) return loaded;
  loadTransaction(
    [`table inet ${TABLE} {`, ...missing.map((set) => `  ${declare(set)}`), "}", ""].join("\n"),
  );
  const elements = openSetElements();
  try {
    for (const set of missing) {
      await elements.loadIntervalSet({ table: TABLE, set: set.name, ...intervalsOf(set) }, live.size === 0);
    }
  } finally {
    elements.close();
  }
  return loaded;
}

/** Deletes a set unless a rule refers to it (the kernel then refuses); returns whether it is gone. */
function forget(set: string): boolean {
  try {
    loadTransaction(`delete set inet ${TABLE} ${name(set)}\n`);
    return true;
  } catch (cause) {
    if (cause instanceof SeawallError && cause.code === "SEAWALL_NFT_REFUSED") return false;
    throw cause;
  }
}

function intervalsOf(set: PrefixesObject): Intervals {
  return set.family === 4 ? { family: 4, intervals: set.intervals } : { family: 6, intervals: set.intervals };
}

type PrefixesObject = Extract<NftObject, { readonly kind: "prefixes" }>;
