/** The rules of a generation as they were, where somebody changed them: maps, pins, counters and meters stay. */
import { divertChains } from "./divert.ts";
import { baseChains } from "./render.ts";
import type { Chain, Ruleset } from "./ruleset.ts";
import { TABLE } from "./table.ts";
import { name } from "./text.ts";
import type { LiveTable } from "./transaction.ts";

/**
 * Returns one transaction after which the chains of our table are those of this generation and no others. No map
 * and no set is touched, so nothing that judges is empty for a moment.
 */
export function rewriteChains(ruleset: Ruleset, live: LiveTable): string {
  const chains = [...ruleset.chains, ...(ruleset.gated ? divertChains() : []), ...baseChains(ruleset)];
  const own = new Set(chains.map((chain) => chain.name));
  const strays = [...live.chains].filter((title) => !own.has(title) && isDeletable(title));
  return [
    `table inet ${TABLE} {`,
    ...chains.map((chain) => `  chain ${name(chain.name)} {${headOf(chain)} }`),
    "}",
    ...[...chains.map((chain) => chain.name), ...strays].map(
      (title) => `flush chain inet ${TABLE} ${name(title)}`,
    ),
    ...chains.flatMap((chain) =>
      rulesOf(chain).map((rule) => `add rule inet ${TABLE} ${name(chain.name)} ${rule}`),
    ),
    ...strays.map((title) => `delete chain inet ${TABLE} ${name(title)}`),
    "",
  ].join("\n");
}

/** The chains of another generation are still what its map leads to; the next change sweeps them with it. */
function isDeletable(title: string): boolean {
  return !/^g\d+\//.test(title) && /^[a-zA-Z][a-zA-Z0-9_./-]{0,127}$/.test(title);
}

function headOf(chain: Chain): string {
  const head = chain.rules.find((rule) => rule.startsWith("type "));
  return head === undefined ? "" : ` ${head}`;
}

function rulesOf(chain: Chain): readonly string[] {
  return chain.rules.filter((rule) => !rule.startsWith("type "));
}
