/**
 * What to tell the kernel so that one generation follows another: propose (candidate beside previous, under a
 * lease) and settle (one generation alone).
 *
 * INVARIANT: the transaction that turns the hooks changes no map that judges. A packet on another CPU may walk
 * the old rules while it already sees the new elements, or the new rules before their maps are in place: what
 * the hooks will go to is staged before, and what they went to is swept after.
 */
import { divertChains } from "./divert.ts";
import { markOf, SCOPE_GATE } from "./mark.ts";
import { olderName } from "./outbound.ts";
import { chainLines, elementTexts, HOOK_PRIORITY, leaseDeclaration } from "./render.ts";
import { declare, type NftObject, type Ruleset } from "./ruleset.ts";
import { leaseName, TABLE } from "./table.ts";
import { hex32, name, type Nft, nft } from "./text.ts";

/** What of our table the kernel holds now, by name. */
export interface LiveTable {
  readonly chains: ReadonlySet<string>;
  readonly sets: ReadonlySet<string>;
  readonly maps: ReadonlySet<string>;
}

export interface Proposal {
  readonly candidate: Ruleset;
  /** The generation in force now; null when Seawall was off. */
  readonly previous: number | null;
  readonly leaseSeconds: number;
  /** Written into the kernel beside the generation, so that it can be told whose it is. */
  readonly seal: string;
  /** Static sets that the kernel holds already, whole. */
  readonly loaded: ReadonlySet<string>;
}

export const LEASE_SECONDS_MIN = 5;
export const LEASE_SECONDS_MAX = 3_600;

/** Transactions to load in this order; only `turn` changes what is judged. */
export interface Proposed {
  readonly stage: string;
  readonly turn: string;
}

/**
 * Returns what puts the candidate in force for the lease. While the lease holds elements the candidate judges;
 * after it the previous generation does, with nobody alive. Nothing of the previous is touched. Elements stand in
 * declarations, never in `add element`: nft reads every large set of the machine before it adds one.
 */
export function propose(proposal: Proposal): Proposed {
  const { candidate, previous, loaded } = proposal;
  const stage = [
    `table inet ${TABLE} {`,
    `  ${leased(proposal)}`,
    ...candidate.objects
      .filter((object) => !loaded.has(object.name))
      .map((object) => `  ${declareFilled(withOlder(object, candidate.generation, previous))}`),
    ...candidate.chains.flatMap((chain) => chainLines(chain).map((line) => `  ${line}`)),
    "}",
    ...(candidate.gated ? divert() : []),
    "",
  ];
  const turn = [`table inet ${TABLE} {`, ...baseHeads(), "}", ...hooks(candidate, previous), ""];
  return { stage: stage.join("\n"), turn: turn.join("\n") };
}

/** Transactions to load in this order; only `turn` changes what is judged. */
export interface Settled {
  readonly turn: string;
  readonly sweep: string;
}

/** What of shared objects a generation needs, and what others needed. */
export interface SharedObjects {
  /** Null when it is not known: then no shared object is forgotten. */
  readonly needed: ReadonlySet<string> | null;
  readonly others: readonly string[];
}

/** Returns what makes a generation the only one in force, and what forgets all others after it. */
export function settle(live: LiveTable, generation: number, shared: SharedObjects): Settled {
  const turn = [
    ...["prerouting", "output"].flatMap((hook) => [
      `flush chain inet ${TABLE} ${hook}`,
      `add rule inet ${TABLE} ${hook} goto ${name(`g${generation}/${hook}`)}`,
    ]),
    `flush map inet ${TABLE} ${name(olderName(generation))}`,
  ];
  return { turn: `${turn.join("\n")}\n`, sweep: sweep(live, generation, shared) };
}

/** Deletes what belongs to other generations, and shared objects that this one does not need. */
function sweep(live: LiveTable, generation: number, { needed, others }: SharedObjects): string {
  const stale = (title: string): boolean => /^g\d+\//.test(title) && !title.startsWith(`g${generation}/`);
  const unneeded = (title: string): boolean => needed !== null && !needed.has(title);
  const shared = (title: string): boolean =>
    /^((prefixes|rate|name|seen|web|box|room|pace)[46]|first|room)_/.test(title) && unneeded(title);
  const chains = [...live.chains].filter(stale);
  const maps = [...live.maps].filter(stale);
  const sets = [...live.sets].filter((title) => stale(title) || shared(title));
  const counters = others.filter((title) => title.startsWith("count_") && unneeded(title));
  const limits = others.filter((title) => title.startsWith("limit_") && unneeded(title));
  const lines = [
    ...chains.map((title) => `flush chain inet ${TABLE} ${name(title)}`),
    ...maps.map((title) => `flush map inet ${TABLE} ${name(title)}`),
    ...maps.map((title) => `delete map inet ${TABLE} ${name(title)}`),
    ...chains.map((title) => `delete chain inet ${TABLE} ${name(title)}`),
    ...sets.map((title) => `delete set inet ${TABLE} ${name(title)}`),
    // Added first, because it may never have been loaded, and a deletion of nothing would refuse all of this.
    ...counters.flatMap((title) => [
      `add counter inet ${TABLE} ${name(title)}`,
      `delete counter inet ${TABLE} ${name(title)}`,
    ]),
    ...limits.flatMap((title) => [
      `add limit inet ${TABLE} ${name(title)} { rate 1/second; }`,
      `delete limit inet ${TABLE} ${name(title)}`,
    ]),
  ];
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

export const OFF = `table inet ${TABLE}\ndelete table inet ${TABLE}\n`;

/** Where connections from before the first apply go until it is confirmed. */
export function unstampedName(generation: number): string {
  return `g${generation}/unstamped`;
}

function leased({ candidate, leaseSeconds, seal }: Proposal): Nft {
  const elements = nft`ipv4 timeout ${leaseSeconds}s, ipv6 timeout ${leaseSeconds}s`;
  return leaseDeclaration(candidate.generation, seal, elements);
}

/** Before confirm the candidate cuts no older connection: stamps of the previous generation pass too. */
function withOlder(object: NftObject, generation: number, previous: number | null): NftObject {
  if (object.name !== olderName(generation) || object.kind !== "admitted") return object;
  const marks =
    previous === null
      ? [nft`0x00000000 : jump ${name(unstampedName(generation))}`]
      : Array.from({ length: SCOPE_GATE + 1 }, (_, scope) => nft`${hex32(markOf(previous, scope))} : accept`);
  return { ...object, marks };
}

function hooks(candidate: Ruleset, previous: number | null): string[] {
  const lease = name(leaseName(candidate.generation));
  return (["prerouting", "output"] as const).flatMap((hook) => [
    `flush chain inet ${TABLE} ${hook}`,
    `add rule inet ${TABLE} ${hook} meta nfproto @${lease} goto ${name(candidate.entry[hook])}`,
    ...(previous === null ? [] : [`add rule inet ${TABLE} ${hook} goto ${name(`g${previous}/${hook}`)}`]),
  ]);
}

function baseHeads(): string[] {
  return (["prerouting", "output"] as const).map(
    (hook) => `  chain ${hook} { type filter hook ${hook} priority ${HOOK_PRIORITY}; policy accept; }`,
  );
}

/** Made anew each time, in one transaction: they are the same for every policy, and whole whatever was there. */
function divert(): string[] {
  const chains = divertChains();
  return [
    `table inet ${TABLE} {`,
    ...chains.flatMap(({ name: title, rules }) => {
      const head = rules.find((rule) => rule.startsWith("type "));
      return [`  chain ${name(title)} {${head === undefined ? "" : ` ${head}`} }`];
    }),
    "}",
    ...chains.flatMap(({ name: title, rules }) => [
      `flush chain inet ${TABLE} ${name(title)}`,
      ...rules
        .filter((rule) => !rule.startsWith("type "))
        .map((rule) => `add rule inet ${TABLE} ${name(title)} ${rule}`),
    ]),
  ];
}

function declareFilled(object: NftObject): string {
  const text = declare(object);
  const elements = elementTexts(object);
  if (elements.length === 0) return text;
  return text.replace(/ \}$/, ` elements = { ${elements.join(", ")} }; }`);
}
