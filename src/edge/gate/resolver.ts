/**
 * Names to addresses for one scope: cached, asked once however many wait, every address judged, and pinned in the
 * kernel before anybody is told. INVARIANT: cache and pins have one owner and one clock, so a cached answer is
 * never given without a pin that outlives it.
 */
import { createAnswerCache } from "../../core/gate/answer-cache.ts";
import { type Bindings, pinSeconds } from "../../core/gate/binding.ts";
import type { ScopeJudge } from "../../core/gate/judge.ts";
import { RCODE, TYPE } from "../../core/dns/message.ts";
import type { UpstreamAnswer } from "../../core/dns/upstream.ts";
import type { Hostname } from "../../core/net/hostname.ts";
import { formatIp, type Ip } from "../../core/net/ip.ts";
import type { Pinner } from "./pinner.ts";
import type { Upstream } from "./upstream.ts";

export type Resolution =
  | {
      readonly kind: "answered";
      readonly answer: UpstreamAnswer;
      readonly bytes: Uint8Array | null;
      /** The addresses that may be used, pinned. */
      readonly addresses: readonly Ip[];
      /** How many of the answer may not be used. */
      readonly refused: number;
      readonly ttlSeconds: number;
    }
  | { readonly kind: "failed"; readonly why: string };

export interface Lookup {
  readonly host: Hostname;
  readonly type: number;
  readonly dnssecOk: boolean;
  readonly checkingDisabled: boolean;
}

export interface Resolver {
  /** Resolves a name that the scope may ask for; of A and AAAA every address is pinned when this returns. */
  readonly resolve: (lookup: Lookup) => Promise<Resolution>;
  /** Pins an address again that is in use; returns whether the kernel has it. */
  readonly keep: (host: Hostname, address: Ip, ttlSeconds: number) => Promise<boolean>;
  /** What the kernel holds is not known any more: everything is pinned anew when it is next used. */
  readonly forgetPins: () => void;
}

export interface ResolverOptions {
  readonly scope: string;
  readonly judge: () => ScopeJudge;
  readonly bindings: Bindings;
  readonly upstream: Upstream;
  readonly pinner: Pinner;
  readonly nowMs: () => number;
}

/** A pin that is this near to its end is made anew before an answer is given that needs it. */
const PIN_SPARE_MS = 10_000;
/** LIMIT: questions of one scope on the way at once; one tenant cannot take the places of another. */
export const SCOPE_ASKING_MAX = 1_024;
/** LIMIT: pins remembered, so that they are not asked for twice. */
const PINS_KNOWN_MAX = 65_535;

/** Returns the resolver of one scope. */
export function createResolver(options: ResolverOptions): Resolver {
  const { scope, judge, bindings, upstream, pinner, nowMs } = options;
  const find = createFinder(upstream, nowMs);
  /** Until when what an address opens is in the kernel, by address and what it opens. */
  let known = new Map<string, number>();

  /** Pins what is not pinned for longer than the answer lasts. */
  const keep = async (host: Hostname, addresses: readonly Ip[], ttlSeconds: number): Promise<boolean> => {
    const now = nowMs();
    const needMs = now + ttlSeconds * 1_000 + PIN_SPARE_MS;
    const pins = addresses.map((address) => ({ address, ...opening(judge(), host, address, now) }));
    const missing = pins.filter(({ key }) => (known.get(key) ?? 0) < needMs);
    if (missing.length > 0) {
      const seconds = pinSeconds(ttlSeconds);
      const isPinned = await pinner.pin({
        scope,
        host,
        addresses: missing.map(({ address }) => address),
        seconds,
      });
      // What opens nothing, such as an address that a rule denies, is refused when somebody connects to it.
      if (!isPinned && missing.some(({ opens }) => opens)) return false;
      if (known.size > PINS_KNOWN_MAX) known = new Map();
      for (const { key } of missing) known.set(key, now + seconds * 1_000);
    }
    for (const { address, key } of pins) bindings.bind(host, address, known.get(key) ?? now, now);
    return true;
  };

  return {
    resolve: async (lookup) => {
      const pending = find(lookup);
      const found = pending instanceof Promise ? await pending : pending;
      if (found.kind === "failed") return found;
      const { answer, bytes } = found;
      const ttlSeconds = Math.max(0, Math.ceil((found.untilMs - nowMs()) / 1_000));
      const one = judge();
      const usable = answer.addresses.filter((ip) => one.refuseAnswer(lookup.host, ip) === null);
      const addresses = isAddressType(lookup.type) ? usable : [];
      // A scope that is only watched is answered whatever becomes of its pins.
      if (addresses.length > 0 && !(await keep(lookup.host, addresses, ttlSeconds)) && !one.watching) {
        return { kind: "failed", why: "the kernel could not be told of its addresses" };
      }
      return {
        kind: "answered",
        answer,
        bytes,
        addresses,
        refused: answer.addresses.length - usable.length,
        ttlSeconds,
      };
    },
    keep: (host, address, ttlSeconds) => keep(host, [address], ttlSeconds),
    forgetPins: () => {
      known = new Map();
    },
  };
}

/** Finds answers in the cache, or asks once for all who wait. */
function createFinder(upstream: Upstream, nowMs: () => number): (lookup: Lookup) => Promise<Found> | Found {
  const cache = createAnswerCache();
  const asking = new Map<string, Promise<Found>>();
  const lookUp = async (lookup: Lookup, key: string): Promise<Found> => {
    const reply = await upstream.ask({ ...lookup, name: lookup.host });
    if (!reply.ok) return { kind: "failed", why: FAILURES[reply.problem] };
    const { untilMs } = cache.put(key, reply.answer, nowMs());
    return { kind: "found", answer: reply.answer, bytes: reply.bytes, untilMs };
  };

  return (lookup) => {
    const key = `${lookup.host} ${lookup.type} ${lookup.dnssecOk ? 1 : 0}${lookup.checkingDisabled ? 1 : 0}`;
    const cached = cache.get(key, nowMs());
    if (cached !== undefined) return { kind: "found", ...cached, bytes: null };
    const before = asking.get(key);
    if (before !== undefined) return before;
    if (asking.size >= SCOPE_ASKING_MAX) return { kind: "failed", why: FAILURES.busy };
    const made = lookUp(lookup, key).finally(() => asking.delete(key));
    asking.set(key, made);
    return made;
  };
}

type Found =
  | {
      readonly kind: "found";
      readonly answer: UpstreamAnswer;
      readonly bytes: Uint8Array | null;
      readonly untilMs: number;
    }
  | { readonly kind: "failed"; readonly why: string };

const FAILURES = {
  timeout: "no resolver answered",
  malformed: "the resolver's answer could not be read",
  busy: "too many names are being asked for at once",
  unsent: "the question could not be sent to a resolver",
} as const;

/** What a pin opens. Two names on one address that open the same need one pin. */
function opening(
  judge: ScopeJudge,
  host: Hostname,
  address: Ip,
  nowMs: number,
): { readonly key: string; readonly opens: boolean } {
  const { webPorts, direct } = judge.pinnable(host, address, nowMs);
  const key = `${formatIp(address)} ${webPorts.join()} ${direct.join()}`;
  return { key, opens: webPorts.length + direct.length > 0 };
}

function isAddressType(type: number): boolean {
  return type === TYPE.A || type === TYPE.AAAA;
}

/** Whether a resolver said that there is no such name. */
export function isUnknownName(answer: UpstreamAnswer): boolean {
  return answer.rcode === RCODE.nxdomain;
}
