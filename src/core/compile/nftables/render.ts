/** Ruleset in, nft text out: the whole table for a first load, or for reading. */
import { formatInterval, type Intervals4, type Intervals6 } from "../../net/prefix-set.ts";
import { divertChains } from "./divert.ts";
import { type Chain, declare, type NftObject, type Ruleset } from "./ruleset.ts";
import { leaseName, TABLE } from "./table.ts";
import { comment, name, type Nft, nft, quoted } from "./text.ts";

/** After conntrack (-200), before DNAT (-100): the packet is known and still as it was sent. */
export const HOOK_PRIORITY = -150;

/**
 * Returns a file that `nft -f` loads anywhere: our table is deleted and made anew in one transaction, nobody
 * else's is named. `notes` become comment lines at the top. With a seal the generation is one that was confirmed.
 */
export function renderRuleset(
  ruleset: Ruleset,
  notes: readonly string[],
  seal: string | null = null,
): string {
  const lines = [
    ...notes.map((note) => `# ${note.replaceAll(/[^\x20-\x7e]/g, "?")}`),
    `table inet ${TABLE}`,
    `delete table inet ${TABLE}`,
    `table inet ${TABLE} {`,
    ...(seal === null ? [] : indent([leaseDeclaration(ruleset.generation, seal, nft``)])),
    ...ruleset.objects.flatMap((object) => indent(objectLines(object))),
    ...ruleset.chains.flatMap((chain) => indent(chainLines(chain))),
    ...(ruleset.gated ? divertChains() : []).flatMap((chain) => indent(chainLines(chain))),
    ...baseChains(ruleset).flatMap((chain) => indent(chainLines(chain))),
    "}",
    "",
  ];
  return lines.join("\n");
}

/** Returns the set of a lease with its elements (none: the generation was confirmed) and its seal. */
export function leaseDeclaration(generation: number, seal: string, elements: Nft): Nft {
  const filled = elements === "" ? elements : nft` elements = { ${elements} };`;
  return nft`set ${name(leaseName(generation))} { typeof meta nfproto; flags timeout; ${comment(seal)};${filled} }`;
}

/** The two chains the kernel calls; all they do is to go to the generation in force. */
export function baseChains(ruleset: Ruleset): Chain[] {
  const head = (hook: Nft): Nft => nft`type filter hook ${hook} priority ${HOOK_PRIORITY}; policy accept;`;
  return [
    {
      name: "prerouting",
      about: "every packet that enters",
      rules: [head(nft`prerouting`), nft`goto ${name(ruleset.entry.prerouting)}`],
    },
    {
      name: "output",
      about: "every packet that this host sends",
      rules: [head(nft`output`), nft`goto ${name(ruleset.entry.output)}`],
    },
  ];
}

export function chainLines(chain: Chain): string[] {
  return [
    `chain ${name(chain.name)} { # ${plain(chain.about)}`,
    ...chain.rules.map((rule) => `  ${rule}`),
    "}",
  ];
}

function objectLines(object: NftObject): string[] {
  const elements = elementTexts(object);
  const text = declare(object);
  if (elements.length === 0) return [text];
  const open = text.replace(/ \}$/, "");
  return [open, "  elements = {", ...elements.map((element) => `    ${element},`), "  }", "}"];
}

/** Returns the elements an object starts with, each as nft text. */
export function elementTexts(object: NftObject): string[] {
  switch (object.kind) {
    case "verdicts":
      return [...object.elements];
    case "admitted":
      return [...object.marks];
    case "prefixes":
      return intervalTexts(object.intervals, object.family);
    case "interfaces":
      return object.known.map((one) => quoted(one));
    case "counter":
    case "meter":
    case "pins":
    case "web-pins":
    case "resolvers":
    case "alive":
    case "short-memory":
    case "first-lines":
    case "line-limit":
    case "room":
    case "pace":
    case "brief-tcp":
      return [];
  }
}

export function intervalTexts(intervals: Intervals4 | Intervals6, family: 4 | 6): string[] {
  return Array.from(intervals.first as ArrayLike<number | bigint>, (first, at) => {
    const last = intervals.last[at] ?? first;
    return family === 4
      ? formatInterval({ family: 4, value: Number(first) }, { family: 4, value: Number(last) })
      : formatInterval({ family: 6, value: BigInt(first) }, { family: 6, value: BigInt(last) });
  });
}

function indent(lines: readonly string[]): string[] {
  return [...lines.map((line) => `  ${line}`), ""];
}

/** The same text as a comment statement carries, without its quotes. */
function plain(text: string): string {
  return comment(text).slice("comment ".length).replaceAll('"', "");
}
