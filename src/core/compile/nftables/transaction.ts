/**
 * What to tell the kernel so that one generation follows another: propose (candidate beside previous, under a
 * lease) and settle (one generation alone).
 *
 * INVARIANT: the transaction that turns the hooks changes no map that judges. A packet on another CPU may walk
 * the old rules while it already sees the new elements, or the new rules before their maps are in place: what
 * the hooks will go to is staged before, and what they went to is swept after.
 */
import type { Chain, NftObject, Ruleset } from "./ruleset.ts";
import { declare } from "./ruleset.ts";
import { chainLines, elementTexts, HOOK_PRIORITY } from "./render.ts";
import { comment, hex32, name, type Nft, nft } from "./text.ts";
import { SCOPES_MAX } from "../../policy/resolve.ts";
import { markOf } from "./mark.ts";
import { LEASE_SET, TABLE } from "./table.ts";
import { admittedName } from "./outbound.ts";

/** What of our table the kernel holds now, by name. */
export interface LiveTable {
  readonly chains: ReadonlySet<string>;
  readonly sets: ReadonlySet<string>;
  readonly maps: ReadonlySet<string>;
  readonly counters: ReadonlySet<string>;
}

export interface Proposal {
  readonly candidate: Ruleset;
  /** The generation in force now; null when Seawall was off. */
  readonly previous: number | null;
  readonly leaseSeconds: number;
  /** Written into the kernel beside the generation, so that it can be told whose it is. */
  readonly seal: string;
  /** Sets whose elements are loaded beforehand, in pieces. */
  readonly preloaded: ReadonlySet<string>;
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
 * after it the previous generation does, with nobody alive. Nothing of the previous is touched.
 */
export function propose(live: LiveTable | null, proposal: Proposal): Proposed {
  const { candidate, previous, leaseSeconds } = proposal;
  const objects = candidate.objects.filter((object) => !has(live, object));
  const stage = [
    `table inet ${TABLE} {`,
    ...(live?.sets.has(LEASE_SET) === true
      ? []
      : [`  set ${LEASE_SET} { typeof meta nfproto; flags timeout; }`]),
    `  counter ${sealName(candidate.generation)} { ${comment(proposal.seal)}; }`,
    ...objects.map((object) => `  ${declareFilled(object, proposal.preloaded)}`),
    ...candidate.chains
      .filter((chain) => !isLive(live, chain))
      .flatMap((chain) => chainLines(chain).map((line) => `  ${line}`)),
    "}",
    admitOlder(candidate, previous),
    `flush set inet ${TABLE} ${LEASE_SET}`,
    `add element inet ${TABLE} ${LEASE_SET} { ipv4 timeout ${leaseSeconds}s, ipv6 timeout ${leaseSeconds}s }`,
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

/** Returns what makes a generation the only one in force, and what forgets all others after it. */
export function settle(live: LiveTable, generation: number, needed: ReadonlySet<string> | null): Settled {
  const own = `g${generation}/`;
  const turn = [
    ...["prerouting", "output"].flatMap((hook) => [
      `flush chain inet ${TABLE} ${hook}`,
      `add rule inet ${TABLE} ${hook} goto ${name(`${own}${hook}`)}`,
    ]),
    `flush map inet ${TABLE} ${name(admittedName(generation))}`,
    `add element inet ${TABLE} ${name(admittedName(generation))} { ${ownStamps(generation)} }`,
  ];
  return { turn: `${turn.join("\n")}\n`, sweep: sweep(live, generation, needed) };
}

/** Deletes what belongs to other generations, and shared objects that this one does not need. */
function sweep(live: LiveTable, generation: number, needed: ReadonlySet<string> | null): string {
  const stale = (title: string): boolean => /^g\d+\//.test(title) && !title.startsWith(`g${generation}/`);
  const shared = (title: string): boolean =>
    needed !== null && !needed.has(title) && /^(count_|prefixes[46]_|rate[46]_|name[46]_)/.test(title);
  const chains = [...live.chains].filter(stale);
  const maps = [...live.maps].filter(stale);
  const sets = [...live.sets].filter((title) => shared(title) || stale(title));
  const counters = [...live.counters].filter(
    (title) => shared(title) || (title.startsWith("seal_g") && title !== sealName(generation)),
  );
  const lines = [
    `flush set inet ${TABLE} ${LEASE_SET}`,
    ...chains.map((title) => `flush chain inet ${TABLE} ${name(title)}`),
    ...maps.map((title) => `flush map inet ${TABLE} ${name(title)}`),
    ...maps.map((title) => `delete map inet ${TABLE} ${name(title)}`),
    ...chains.map((title) => `delete chain inet ${TABLE} ${name(title)}`),
    ...sets.map((title) => `delete set inet ${TABLE} ${name(title)}`),
    ...counters.map((title) => `delete counter inet ${TABLE} ${name(title)}`),
  ];
  return `${lines.join("\n")}\n`;
}

export const OFF = `table inet ${TABLE}\ndelete table inet ${TABLE}\n`;

export function sealName(generation: number): Nft {
  return name(`seal_g${generation}`);
}

/** Where connections from before the first apply go until it is confirmed. */
export function unstampedName(generation: number): string {
  return `g${generation}/unstamped`;
}

/** Before confirm the candidate cuts no older connection: stamps of the previous generation pass too. */
function admitOlder(candidate: Ruleset, previous: number | null): string {
  const map = name(admittedName(candidate.generation));
  const older =
    previous === null
      ? nft`0x00000000 : jump ${name(unstampedName(candidate.generation))}`
      : ownStamps(previous);
  return `add element inet ${TABLE} ${map} { ${older} }`;
}

/** Every stamp of a generation that passes unjudged, whatever the number of its scopes. */
function ownStamps(generation: number): Nft {
  const scopes = Array.from(
    { length: SCOPES_MAX + 1 },
    (_, scope) => nft`${hex32(markOf(generation, scope))} : accept`,
  );
  return nft`${scopes}`;
}

function hooks(candidate: Ruleset, previous: number | null): string[] {
  return (["prerouting", "output"] as const).flatMap((hook) => [
    `flush chain inet ${TABLE} ${hook}`,
    `add rule inet ${TABLE} ${hook} meta nfproto @${LEASE_SET} goto ${name(candidate.entry[hook])}`,
    ...(previous === null ? [] : [`add rule inet ${TABLE} ${hook} goto ${name(`g${previous}/${hook}`)}`]),
  ]);
}

function baseHeads(): string[] {
  return (["prerouting", "output"] as const).map(
    (hook) => `  chain ${hook} { type filter hook ${hook} priority ${HOOK_PRIORITY}; policy accept; }`,
  );
}

function declareFilled(object: NftObject, preloaded: ReadonlySet<string>): string {
  const text = declare(object);
  const elements = preloaded.has(object.name) ? [] : elementTexts(object);
  if (elements.length === 0) return text;
  return text.replace(/ \}$/, ` elements = { ${elements.join(", ")} } }`);
}

function has(live: LiveTable | null, object: NftObject): boolean {
  if (live === null) return false;
  return live.sets.has(object.name) || live.maps.has(object.name) || live.counters.has(object.name);
}

function isLive(live: LiveTable | null, chain: Chain): boolean {
  return live?.chains.has(chain.name) === true;
}
