/** What the kernel holds of our table, whatever our own files say. */
import { ALIVE_SET, leaseName, TABLE } from "../../core/compile/nftables/table.ts";
import type { UidRange } from "../../core/compile/nftables/scope.ts";
import { rangesByChain } from "../../core/drift/judged-uids.ts";
import { addressText } from "../../core/event/address.ts";
import { digestOf } from "./digest.ts";
import { gotoOf } from "./netlink/goto.ts";
import { closeNetlink, NETLINK_NETFILTER, openNetlink } from "./netlink/socket.ts";
import { type DumpedSet, dumpOf, type TableDump } from "./netlink/table-dump.ts";
import { uidElementOf, uidMapOf } from "./netlink/verdict-map.ts";

export interface LiveState {
  readonly chains: ReadonlySet<string>;
  readonly sets: ReadonlySet<string>;
  readonly maps: ReadonlySet<string>;
  /** The generation that holds without a lease; null when Seawall was off before the candidate. */
  readonly committed: number | null;
  /** The generation that the hooks go to under the lease; it judges only while `leaseMs` is not null. */
  readonly candidate: number | null;
  /** What is left of the lease, by the kernel's own clock, or null when it is over. */
  readonly leaseMs: number | null;
  /** Whether a gate shows signs of life; null where no policy needs one. */
  readonly gateAnswers: boolean | null;
  /** Whether the hooks hold nothing but our own `goto`s. */
  readonly hooksAreOurs: boolean;
  /** The comment beside each generation, written when it was proposed. */
  readonly seals: ReadonlyMap<number, string>;
}

const ANSWER_TIMEOUT_MS = 5_000;

/** Returns the state of our table, or null when the kernel has none. */
export function readLive(): LiveState | null {
  return withDump((dump) => {
    const chains = dump.chains();
    const sets = dump.sets();
    if (chains.length === 0 && sets.length === 0) return null;
    const hooks = ["prerouting", "output"].flatMap((hook) => dump.rules(hook));
    const targets = hooks.map(({ expressions }) => gotoOf(expressions));
    const candidate = generationOf(targets.find((target) => target?.set != null)?.chain);
    return {
      chains: new Set(chains),
      sets: new Set(sets.filter(({ isMap }) => !isMap).map(({ name }) => name)),
      maps: new Set(sets.filter(({ isMap }) => isMap).map(({ name }) => name)),
      committed: generationOf(targets.find((target) => target?.set === null)?.chain),
      candidate,
      leaseMs: candidate === null ? null : leaseMs(dump, candidate),
      gateAnswers: sets.some(({ name }) => name === ALIVE_SET) ? dump.elements(ALIVE_SET).length > 0 : null,
      hooksAreOurs: targets.every((target) => generationOf(target?.chain) !== null),
      seals: sealsOf(sets),
    };
  });
}

/** What judges, as digests: the same as long as nobody changes a rule, or an element of the sets named. */
export interface GenerationDigest {
  readonly rules: string;
  readonly elements: string;
}

/** Returns the digests of a generation: its own chains and those that divert, and the maps and static sets named. */
export function digestGeneration(generation: number, watchedSets: readonly string[]): GenerationDigest {
  return withDump((dump) => {
    const encoder = new TextEncoder();
    const rules = dump
      .rules()
      .filter(({ chain }) => chain.startsWith(`g${generation}/`) || DIVERTING.test(chain))
      .flatMap(({ chain, expressions }) => [encoder.encode(chain), expressions]);
    const elements = watchedSets.flatMap((set) => [
      encoder.encode(set),
      ...dump
        .elements(set)
        .map(({ bytes }) => bytes)
        .sort(compareBytes),
    ]);
    return { rules: digestOf(rules), elements: digestOf(elements) };
  });
}

/** Chains that every generation with names shares. */
const DIVERTING = /^(divert|escape)[_/]/;

/** Returns the addresses that a set of ours holds now, as canonical text; none when there is no such set. */
export function readAddressSet(set: string): ReadonlySet<string> {
  return withDump((dump) => new Set(dump.elements(set).map(({ key }) => addressText(key))));
}

/** Returns the names of interfaces that a set of ours holds; none when there is no such set. */
export function readInterfaceSet(set: string): string[] {
  const decoder = new TextDecoder();
  return withDump((dump) =>
    dump.elements(set).map(({ key }) => decoder.decode(key.subarray(0, endOfText(key)))),
  );
}

/**
 * Returns the uids that a generation judges, by the chain that judges them; null when no rule of it asks for a uid.
 * Names of chains tell the scope: `g3/scope/agent`.
 */
export function readJudgedUids(generation: number): ReadonlyMap<string, readonly UidRange[]> | null {
  return withDump((dump) => {
    const rules = dump.rules(`g${generation}/output`);
    const map = rules.map(({ expressions }) => uidMapOf(expressions)).find((one) => one !== null);
    if (map == null) return null;
    const elements = dump.elements(map).map(({ bytes }) => uidElementOf(bytes));
    // Only a set of intervals has ends, and is sorted by bytes; any other holds the number as this machine does.
    const isInterval = elements.some(({ isEnd }) => isEnd);
    const isLittle = !isInterval && IS_LITTLE_ENDIAN;
    const steps = elements.map(({ key, chain, isEnd }) => ({ uid: uidIn(key, isLittle), chain, isEnd }));
    return rangesByChain(steps, isInterval);
  });
}

const IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

function uidIn(key: Uint8Array, isLittle: boolean): number {
  return key.length < 4 ? 0 : new DataView(key.buffer, key.byteOffset, 4).getUint32(0, isLittle);
}

function endOfText(bytes: Uint8Array): number {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes.length : end;
}

function withDump<Value>(read: (dump: TableDump) => Value): Value {
  const socket = openNetlink(NETLINK_NETFILTER, { receiveTimeoutMs: ANSWER_TIMEOUT_MS });
  try {
    return read(dumpOf(socket, TABLE));
  } finally {
    closeNetlink(socket);
  }
}

function generationOf(chain: string | undefined): number | null {
  const generation = /^g(\d{1,2})\/(?:prerouting|output)$/.exec(chain ?? "")?.[1];
  return generation === undefined ? null : Number(generation);
}

/** The shorter of the two families, or null when either is gone. */
function leaseMs(dump: TableDump, generation: number): number | null {
  const left = dump.elements(leaseName(generation)).flatMap(({ expiresMs }) => expiresMs ?? []);
  return left.length < 2 ? null : Math.min(...left);
}

function sealsOf(sets: readonly DumpedSet[]): Map<number, string> {
  return new Map(
    sets.flatMap(({ name, comment }) => {
      const generation = /^g(\d{1,2})\/lease$/.exec(name)?.[1];
      return generation === undefined ? [] : [[Number(generation), comment] as const];
    }),
  );
}

/** A hash map has no order of its own. */
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < a.length && at < b.length; at += 1) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
