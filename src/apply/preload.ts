/** Large sets are filled before the transaction that uses them, in pieces, so that nobody waits long for the kernel. */
import type { NftObject, Ruleset } from "../core/compile/nftables/ruleset.ts";
import { declare } from "../core/compile/nftables/ruleset.ts";
import { TABLE } from "../core/compile/nftables/table.ts";
import type { LiveTable } from "../core/compile/nftables/transaction.ts";
import { loadTransaction } from "../edge/kernel/nft.ts";
import type { Intervals } from "../edge/kernel/netlink/interval-elements.ts";
import { openSetElements } from "../edge/kernel/set-elements.ts";

/** Smaller sets travel in the transaction itself. */
export const PRELOAD_INTERVALS_MIN = 2_000;

export interface Preloaded {
  readonly sets: ReadonlySet<string>;
  readonly live: LiveTable | null;
}

/**
 * Fills the large sets that the kernel does not hold yet; nothing refers to them until the candidate does.
 * INVARIANT: a set named by its content is either referred to and whole, or may be deleted.
 */
export async function preload(ruleset: Ruleset, live: LiveTable | null): Promise<Preloaded> {
  const large = ruleset.objects.filter(isLarge);
  const missing = large.filter((set) => live?.sets.has(set.name) !== true);
  if (missing.length === 0) return { sets: new Set(large.map((set) => set.name)), live };
  loadTransaction(
    [`table inet ${TABLE} {`, ...missing.map((set) => `  ${declare(set)}`), "}", ""].join("\n"),
  );
  const elements = openSetElements();
  try {
    for (const set of missing) {
      await elements.loadIntervalSet({ table: TABLE, set: set.name, ...intervalsOf(set) });
    }
  } finally {
    elements.close();
  }
  const empty: LiveTable = { chains: new Set(), sets: new Set(), maps: new Set(), counters: new Set() };
  const sets = new Set([...(live ?? empty).sets, ...missing.map((set) => set.name)]);
  return { sets: new Set(large.map((set) => set.name)), live: { ...(live ?? empty), sets } };
}

function intervalsOf(set: PrefixesObject): Intervals {
  return set.family === 4 ? { family: 4, intervals: set.intervals } : { family: 6, intervals: set.intervals };
}

type PrefixesObject = Extract<NftObject, { readonly kind: "prefixes" }>;

function isLarge(object: NftObject): object is PrefixesObject {
  return object.kind === "prefixes" && object.intervals.first.length >= PRELOAD_INTERVALS_MIN;
}
