/** One tier of one zone or scope: a map from (address, protocol, port) to the chain of the rule that decides. */
import { createHash } from "node:crypto";
import { assert } from "../../base/assert.ts";
import { EVERY_PORT } from "../../net/port-range.ts";
import type { PrefixSet } from "../../net/prefix-set.ts";
import type { ServiceMatch } from "../../policy/resolved.ts";
import { type Cell, cellsOf, type TierRule } from "./cells.ts";
import type { Chain, NftObject } from "./ruleset.ts";
import { name, type Nft, nft } from "./text.ts";

/** A rule of a tier and the chain that carries it out. */
export interface TierEntry extends TierRule {
  readonly chain: string;
  /** The rule only logs; where nothing else of the tier matches it is not asked at all. */
  readonly onlyWatches: boolean;
  /** Asked by a set of its own, after the maps; the same line as in `precedence`. */
  readonly large: boolean;
}

export interface TierSpec {
  /** Names the tier's objects, for example `g3/zone/world/allow`. */
  readonly title: string;
  readonly about: string;
  /** The end of the flow that the policy names: the source inbound, the destination outbound. */
  readonly side: "saddr" | "daddr";
  readonly entries: readonly TierEntry[];
}

export interface CompiledTier {
  readonly objects: readonly NftObject[];
  readonly chains: readonly Chain[];
  /** The rules that ask the tier, for the chain that owns it. */
  readonly asks: readonly Nft[];
}

/** Thrown as data: the tier's ranges cross too often. */
export class TooManyCells extends Error {
  override readonly name = "TooManyCells";
}

/**
 * Returns the objects and look-ups of a tier, in the layers of `precedence` (resolve.ts): rules about every
 * port by one map over addresses, the others by one map over address, protocol and port, and large rules by
 * sets of their own.
 */
export function compileTier(spec: TierSpec): CompiledTier {
  const small = spec.entries.filter((entry) => !entry.large);
  const wide = small.filter((entry) => entry.onlyWatches || coversEveryPort(entry));
  const ported = small.filter((entry) => entry.onlyWatches || !coversEveryPort(entry));
  const layers = [
    compileLayer(spec, `${spec.title}_any`, wide),
    compileLayer(spec, spec.title, ported),
    ...spec.entries.filter(({ large }) => large).map((entry) => askLarge(entry, spec.side)),
  ];
  return {
    objects: layers.flatMap((layer) => layer.objects),
    chains: layers.flatMap((layer) => layer.chains),
    asks: layers.flatMap((layer) => layer.asks),
  };
}

function coversEveryPort(entry: TierEntry): boolean {
  return entry.services.some(({ protocol }) => protocol === "every");
}

function compileLayer(spec: TierSpec, title: string, rules: readonly TierEntry[]): CompiledTier {
  const lists = new Map<string, string>();
  const objects: NftObject[] = [];
  const asks: Nft[] = [];
  for (const family of [4, 6] as const) {
    const cells = cellsOf(rules, family);
    if (cells === undefined) throw new TooManyCells(spec.about);
    const asked = cells.filter((cell) => cell.rules.some((at) => rules[at]?.onlyWatches === false));
    if (asked.length === 0) continue;
    const byAddress = asked.every(isEveryPort);
    const key = keyOf(family, spec.side, byAddress);
    const map = `${title}${family}`;
    const elements = asked.map((cell) => element(cell, rules, lists, title, byAddress));
    objects.push({ kind: "verdicts", name: map, key, about: spec.about, elements });
    asks.push(nft`${key} vmap @${name(map)}`);
  }
  const chains = [...lists].map(([members, list]) => listChain(list, members, rules));
  return { objects, chains, asks };
}

function isEveryPort({ protocol, ports }: Cell): boolean {
  return protocol.first === 0 && protocol.last === 255 && ports.first === 0 && ports.last === EVERY_PORT.last;
}

function keyOf(family: 4 | 6, side: "saddr" | "daddr", byAddress: boolean): Nft {
  const address = nft`${family === 4 ? nft`ip` : nft`ip6`} ${side === "saddr" ? nft`saddr` : nft`daddr`}`;
  return byAddress ? address : nft`${address} . meta l4proto . th dport`;
}

function element(
  cell: Cell,
  rules: readonly TierEntry[],
  lists: Map<string, string>,
  title: string,
  byAddress: boolean,
): Nft {
  const addresses = cellAddresses(cell);
  const key = byAddress ? addresses : nft`${addresses} . ${cellProtocol(cell)} . ${cellPorts(cell)}`;
  const [only, ...more] = cell.rules.map((at) => rules[at]);
  assert(only !== undefined, "a cell has a rule");
  if (more.length === 0) return nft`${key} : ${only.settles ? nft`goto` : nft`jump`} ${name(only.chain)}`;
  const members = cell.rules.join();
  const list = lists.get(members) ?? `${title}/list${lists.size + 1}`;
  lists.set(members, list);
  return nft`${key} : jump ${name(list)}`;
}

/** Several rules match in one cell: each is asked in turn, and the last that settles ends it. */
function listChain(title: string, members: string, rules: readonly TierEntry[]): Chain {
  const asked = members.split(",").map((at) => rules[Number(at)]);
  return {
    name: title,
    about: `asked in turn: ${asked.map((entry) => entry?.key).join(", ")}`,
    rules: asked.map((entry) => {
      assert(entry !== undefined, "a list names rules of its tier");
      return nft`${entry.settles ? nft`goto` : nft`jump`} ${name(entry.chain)}`;
    }),
  };
}

function cellAddresses(cell: Cell): Nft {
  assert(/^[0-9a-f.:/-]+$/.test(cell.addresses), "addresses are printed by us");
  return cell.addresses as Nft;
}

function cellProtocol({ protocol }: Cell): Nft {
  if (protocol.first === 6 && protocol.last === 6) return nft`tcp`;
  if (protocol.first === 17 && protocol.last === 17) return nft`udp`;
  return nft`${protocol.first}-${protocol.last}`;
}

function cellPorts({ ports }: Cell): Nft {
  return portsText(ports.first, ports.last);
}

function portsText(first: number, last: number): Nft {
  return first === last ? nft`${first}` : nft`${first}-${last}`;
}

function askLarge(entry: TierEntry, side: "saddr" | "daddr"): CompiledTier {
  const objects: NftObject[] = [];
  const asks: Nft[] = [];
  const verdict = nft`${entry.settles ? nft`goto` : nft`jump`} ${name(entry.chain)}`;
  for (const family of [4, 6] as const) {
    const set = prefixObject(entry.addresses, family, entry.key);
    if (set === undefined) continue;
    objects.push(set);
    const address = nft`${family === 4 ? nft`ip` : nft`ip6`} ${side === "saddr" ? nft`saddr` : nft`daddr`}`;
    asks.push(nft`${address} @${name(set.name)} ${serviceMatch(entry.services)}${verdict}`);
  }
  return { objects, chains: [], asks };
}

/** Returns the static set of one family, named by its content, or undefined when it is empty. */
export function prefixObject(set: PrefixSet, family: 4 | 6, about: string): NftObject | undefined {
  const intervals = family === 4 ? set.v4 : set.v6;
  if (intervals.first.length === 0) return undefined;
  const hash = createHash("sha256");
  if (family === 4) {
    hash.update(new Uint8Array(set.v4.first.buffer, set.v4.first.byteOffset, set.v4.first.byteLength));
    hash.update(new Uint8Array(set.v4.last.buffer, set.v4.last.byteOffset, set.v4.last.byteLength));
  } else {
    hash.update(set.v6.first.join()).update(";").update(set.v6.last.join());
  }
  const title = `prefixes${family}_${hash.digest("hex").slice(0, 16)}`;
  return family === 4
    ? { kind: "prefixes", name: title, family, about, intervals: set.v4 }
    : { kind: "prefixes", name: title, family, about, intervals: set.v6 };
}

/** Returns the match of a rule's services with a trailing space, or nothing when it covers everything. */
export function serviceMatch(services: readonly ServiceMatch[]): Nft {
  if (services.some(({ protocol }) => protocol === "every")) return nft``;
  const elements = services.flatMap(({ protocol, ports }) => {
    const range = portsText(ports.first, ports.last);
    const protocols = protocol === "both" ? [nft`tcp`, nft`udp`] : [protocol === "tcp" ? nft`tcp` : nft`udp`];
    return protocols.map((one) => ({ one, range, ports }));
  });
  return nft`meta l4proto . th dport { ${mergeServices(elements)} } `;
}

/** nft refuses overlapping elements of an anonymous set, so ranges of a protocol are joined first. */
function mergeServices(
  elements: readonly {
    readonly one: Nft;
    readonly ports: { readonly first: number; readonly last: number };
  }[],
): Nft[] {
  return [nft`tcp`, nft`udp`].flatMap((protocol) => {
    const ranges = elements
      .filter(({ one }) => one === protocol)
      .map(({ ports }) => ({ ...ports }))
      .sort((a, b) => a.first - b.first);
    const joined: { first: number; last: number }[] = [];
    for (const range of ranges) {
      const previous = joined.at(-1);
      if (previous !== undefined && range.first <= previous.last + 1) {
        previous.last = Math.max(previous.last, range.last);
      } else joined.push(range);
    }
    return joined.map(({ first, last }) => nft`${protocol} . ${portsText(first, last)}`);
  });
}
