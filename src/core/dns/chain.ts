import type { Ip } from "../net/ip.ts";
import { CLASS_IN, RCODE, read16, TYPE } from "./message.ts";
import { isAtOrBelow } from "./name.ts";
import type { ResourceRecord } from "./record.ts";

export type ChainProblem = "chain-too-long" | "chain-loop";

/** What the sections of an answer say about one name and type. */
export interface ChainRead {
  /** The smallest of the chain and its end, or how long the denial holds (RFC 2308 5); 0: do not keep it. */
  readonly ttlSeconds: number;
  /** Targets of CNAME records in order. */
  readonly chain: readonly string[];
  /** Each once, at most ADDRESSES_MAX, only of the family that was asked for. ::ffff:0:0/96 stays IPv6. */
  readonly addresses: readonly Ip[];
  /** With a problem there are neither addresses nor records. */
  readonly problem: ChainProblem | null;
  /** What belongs to the asked name, in the order of the chain, with signatures. */
  readonly records: readonly ResourceRecord[];
  /** Proofs of absence with signatures, and SOA when the type asked for is not there. */
  readonly authority: readonly ResourceRecord[];
  /** False when records over ADDRESSES_MAX were left out, so that signatures no longer hold. */
  readonly complete: boolean;
}

/** LIMIT: CNAME records followed for one name. */
export const CHAIN_MAX = 8;
/** LIMIT: addresses of one answer, each of which becomes an element of a kernel set. */
export const ADDRESSES_MAX = 128;

export const NOTHING: ChainRead = {
  ttlSeconds: 0,
  chain: [],
  addresses: [],
  problem: null,
  records: [],
  authority: [],
  complete: true,
};

/**
 * Follows the CNAME records from `name` (RFC 1034 3.6.2), in whatever order they stand, to the records of
 * `type`. Records of other names, types and classes are as if they were not there; of an answer that is
 * neither NOERROR nor NXDOMAIN nothing is read, and of NXDOMAIN no more than the chain (RFC 6604).
 */
export function readChain(
  { answer, authority }: { answer: readonly ResourceRecord[]; authority: readonly ResourceRecord[] },
  { name, type, rcode }: { name: string; type: number; rcode: number },
): ChainRead {
  if (rcode !== RCODE.noerror && rcode !== RCODE.nxdomain) return NOTHING;
  const ours = answer.filter((record) => record.class === CLASS_IN);
  const names = [name];
  const links: ResourceRecord[] = [];
  for (;;) {
    const owner = names[links.length];
    const link = follows(type)
      ? ours.find((record) => record.target !== null && record.owner === owner)
      : undefined;
    if (link === undefined) break;
    const target = link.target ?? "";
    if (names.includes(target)) return { ...NOTHING, problem: "chain-loop" };
    if (links.length === CHAIN_MAX) return { ...NOTHING, problem: "chain-too-long" };
    links.push(link);
    names.push(target);
  }
  const last = names[links.length] ?? name;
  const found =
    rcode === RCODE.noerror ? ours.filter((record) => record.owner === last && isOf(record, type)) : [];
  const { kept, addresses, complete } = foldAddresses(found);
  const proofs = authority.filter(
    (record) => record.class === CLASS_IN && isProof(record, found.length === 0),
  );
  const ttls = [...links, ...found].map(({ ttlSeconds }) => ttlSeconds);
  return {
    ttlSeconds: Math.min(...ttls, ...(found.length === 0 ? [denialSeconds(proofs, last)] : [])),
    chain: names.slice(1),
    addresses,
    problem: null,
    records: inOrder(ours, names, links, kept),
    authority: proofs,
    complete,
  };
}

/** Who asks for the alias itself gets it, not what it leads to (RFC 1034 3.6.2). */
function follows(type: number): boolean {
  return type !== TYPE.CNAME && type !== TYPE.ANY;
}

/** Signatures are no answer of their own, unless they are what was asked for. */
function isOf(record: ResourceRecord, type: number): boolean {
  return type === TYPE.ANY || record.type === type;
}

/** Duplicates are folded (RFC 2181 5.2); what is over the limit is left out. */
function foldAddresses(found: readonly ResourceRecord[]): {
  kept: readonly ResourceRecord[];
  addresses: readonly Ip[];
  complete: boolean;
} {
  const seen = new Set<number | bigint>();
  const addresses: Ip[] = [];
  let complete = true;
  const kept = found.filter((record) => {
    const ip = addressOf(record);
    if (ip === null) return true;
    // An IPv4 address is a number and an IPv6 address a bigint: one set holds both apart.
    if (seen.has(ip.value)) return false;
    if (addresses.length === ADDRESSES_MAX) {
      complete = false;
      return false;
    }
    seen.add(ip.value);
    addresses.push(ip);
    return true;
  });
  return { kept, addresses, complete };
}

/** The address in an A or AAAA record of class IN, or null. */
export function addressOf({ type, class: recordClass, content }: ResourceRecord): Ip | null {
  if (recordClass !== CLASS_IN || (type !== TYPE.A && type !== TYPE.AAAA)) return null;
  if (type === TYPE.A) return { family: 4, value: read16(content, 0) * 65_536 + read16(content, 2) };
  let value = 0n;
  for (let at = 0; at < 16; at += 4)
    value = (value << 32n) | BigInt(read16(content, at) * 65_536 + read16(content, at + 2));
  return { family: 6, value };
}

function isProof({ type, content }: ResourceRecord, isDenied: boolean): boolean {
  const proven = type === TYPE.RRSIG ? read16(content, 0) : type;
  return proven === TYPE.NSEC || proven === TYPE.NSEC3 || (proven === TYPE.SOA && isDenied);
}

/** RFC 2308 5: the smaller of the SOA's TTL and its last field. Without an SOA a denial is not kept. */
function denialSeconds(proofs: readonly ResourceRecord[], name: string): number {
  const soa = proofs.find((record) => record.type === TYPE.SOA && isAtOrBelow(name, record.owner));
  if (soa === undefined) return 0;
  const at = soa.content.length - 4;
  return Math.min(soa.ttlSeconds, read16(soa.content, at) * 65_536 + read16(soa.content, at + 2));
}

/**
 * Aliases first, each before what it leads to, as resolvers of C libraries expect it; then the end of the
 * chain; then the signatures of all of them, and the DNAME records that explain an alias (RFC 6672 3.1).
 */
function inOrder(
  ours: readonly ResourceRecord[],
  names: readonly string[],
  links: readonly ResourceRecord[],
  kept: readonly ResourceRecord[],
): readonly ResourceRecord[] {
  const chosen = [...links, ...kept];
  const isChosen = new Set(chosen);
  const signed = new Set(chosen.map(({ owner, type }) => `${type} ${owner}`));
  const extra = ours.filter((record) => {
    const { owner, type, content } = record;
    if (isChosen.has(record)) return false;
    const covered = type === TYPE.RRSIG ? read16(content, 0) : type;
    if (covered === TYPE.DNAME) return names.some((name) => name !== owner && isAtOrBelow(name, owner));
    return type === TYPE.RRSIG && signed.has(`${covered} ${owner}`);
  });
  return [...chosen, ...extra];
}
