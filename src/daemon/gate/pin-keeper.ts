/**
 * Pins for the gates: each wish is judged again by the policy itself and only then written into the kernel.
 * SECURITY: a gate is not believed. It cannot have pinned what the policy does not list, private, guarded or own
 * addresses, ports of no rule, or anything in the set of another rule: sets and ports are chosen here.
 */
import { type PinSets, pinSets } from "../../core/compile/nftables/gate.ts";
import { TABLE } from "../../core/compile/nftables/table.ts";
import { BINDINGS_MAX } from "../../core/gate/binding.ts";
import { type ScopeJudge, scopeJudge } from "../../core/gate/judge.ts";
import type { FromGate, KnownBinding } from "../../core/gate/message.ts";
import type { GateTrouble } from "../../core/gate/trouble.ts";
import { type Hostname, parseHostname } from "../../core/net/hostname.ts";
import { formatIp, type Ip, parseIp } from "../../core/net/ip.ts";
import type { PrefixSet } from "../../core/net/prefix-set.ts";
import type { ResolvedPolicy } from "../../core/policy/resolved.ts";
import type { SetElements, TimedElement } from "../../edge/kernel/set-elements.ts";
import { ElementsRefused, TIMED_ELEMENTS_MAX } from "../../edge/kernel/set-elements.ts";
import { createPinTroubles, type PinTroubles } from "./pin-trouble.ts";
import type { KnownPolicy } from "./policy-watch.ts";

export type PinWish = Extract<FromGate, { kind: "pin" }>;

export interface PinKeeper {
  readonly setPolicies: (policies: readonly KnownPolicy[], ownAddresses: PrefixSet, nowMs: number) => void;
  /** `pinned`: everything of the wish that may be pinned is in the kernel. `failed`: the kernel did not take it. */
  readonly pin: (wish: PinWish, nowMs: number) => "pinned" | "not-allowed" | "failed";
  /** The containers that rules name. */
  readonly containers: () => ReadonlySet<string>;
  /**
   * Pins them at the addresses they have now, and no longer where they were: it may be another's in a moment. What
   * nobody knows of (it is not in `where`) stays for CONTAINER_MS at most.
   */
  readonly pinContainers: (where: ReadonlyMap<string, readonly string[]>, nowMs: number) => void;
  /** What the kernel does not take, or has no set for. `live`: the sets that it has. */
  readonly trouble: (live: ReadonlySet<string> | null, nowMs: number) => GateTrouble[];
  /** What was bound, for a gate that starts anew. */
  readonly bindings: (nowMs: number) => KnownBinding[];
}

interface JudgedPolicy {
  readonly policy: KnownPolicy;
  readonly judges: Map<string, { readonly judge: ScopeJudge; readonly sets: PinSets }>;
}

/** Returns a keeper that knows no policy and so pins nothing. */
export function createPinKeeper(elements: SetElements): PinKeeper {
  return new Keeper(elements);
}

class Keeper implements PinKeeper {
  readonly elements: SetElements;
  readonly troubles: PinTroubles = createPinTroubles();
  readonly bound = new Map<string, { scope: string; host: Hostname; address: Ip; untilMs: number }>();
  judged: readonly JudgedPolicy[] = [];
  /** Where the containers that rules name were when dockerd said so last. */
  boxes: ReadonlyMap<string, readonly string[]> = new Map();

  constructor(elements: SetElements) {
    this.elements = elements;
  }

  setPolicies(policies: readonly KnownPolicy[], ownAddresses: PrefixSet, nowMs: number): void {
    this.judged = policies.map((policy) => ({ policy, judges: judgesOf(policy, ownAddresses) }));
    // What clients were told stays reachable under the policy that comes, if it allows it.
    const again: TimedElement[] = [];
    for (const [key, { scope, host, address, untilMs }] of this.bound) {
      if (untilMs <= nowMs) this.bound.delete(key);
      else again.push(...wantedElements(this.judged, scope, host, address, untilMs - nowMs, nowMs));
    }
    this.write(again, nowMs);
  }

  pin(wish: PinWish, nowMs: number): "pinned" | "not-allowed" | "failed" {
    const host = parseHostname(wish.host);
    if (!host.ok) return "not-allowed";
    const timeoutMs = wish.seconds * 1_000;
    const wanted: TimedElement[] = [];
    const bound: Ip[] = [];
    for (const text of wish.addresses) {
      const address = parseIp(text);
      if (address === undefined) return "not-allowed";
      const found = wantedElements(this.judged, wish.scope, host.name, address, timeoutMs, nowMs);
      if (found.length > 0) bound.push(address);
      wanted.push(...found);
    }
    if (bound.length === 0) return "not-allowed";
    if (!this.write(wanted, nowMs)) return "failed";
    for (const address of bound) this.remember(wish.scope, host.name, address, nowMs + timeoutMs);
    return "pinned";
  }

  containers(): ReadonlySet<string> {
    return new Set(this.judged.flatMap(({ policy }) => containersOf(policy.policy)));
  }

  pinContainers(where: ReadonlyMap<string, readonly string[]>, nowMs: number): void {
    const names = this.containers();
    const found = new Map([...where].filter(([name]) => names.has(name)));
    const is = this.boxElements(found);
    this.write([...is.values()], nowMs);
    const was = this.boxElements(new Map([...this.boxes].filter(([name]) => found.has(name))));
    for (const [key, element] of was)
      if (!is.has(key)) this.write([{ ...element, timeoutMs: GONE_MS }], nowMs);
    this.boxes = new Map([...this.boxes, ...found].filter(([name]) => names.has(name)));
  }

  boxElements(where: ReadonlyMap<string, readonly string[]>): Map<string, TimedElement> {
    const elements = this.judged.flatMap(({ policy, judges }) => containerElements(policy, judges, where));
    return new Map(elements.map((element) => [`${element.set} ${element.key.join(".")}`, element]));
  }

  bindings(nowMs: number): KnownBinding[] {
    return [...this.bound.values()]
      .filter(({ untilMs }) => nowMs < untilMs)
      .map(({ scope, host, address, untilMs }) => ({
        scope,
        host,
        address: formatIp(address),
        leftMs: untilMs - nowMs,
      }));
  }

  remember(scope: string, host: Hostname, address: Ip, untilMs: number): void {
    const key = `${scope} ${host} ${formatIp(address)}`;
    this.bound.delete(key);
    this.bound.set(key, { scope, host, address, untilMs });
    const oldest = this.bound.keys().next();
    if (this.bound.size > BINDINGS_MAX && oldest.done !== true) this.bound.delete(oldest.value);
  }

  /** Returns whether the kernel took them all. One set that it does not have keeps no other from being written. */
  write(wanted: readonly TimedElement[], nowMs: number): boolean {
    if (this.add(wanted) === null) {
      for (const { set } of wanted) this.troubles.worked(set);
      return true;
    }
    for (const [set, elements] of bySet(wanted)) {
      const errno = this.add(elements);
      if (errno === null) this.troubles.worked(set);
      else this.troubles.failed(set, errno, nowMs);
    }
    return false;
  }

  /** Returns the errno with which the kernel refused, or null. */
  add(wanted: readonly TimedElement[]): string | null {
    try {
      for (let at = 0; at < wanted.length; at += TIMED_ELEMENTS_MAX) {
        this.elements.addTimedElements(wanted.slice(at, at + TIMED_ELEMENTS_MAX));
      }
      return null;
    } catch (cause) {
      return cause instanceof ElementsRefused ? cause.errno : "no answer";
    }
  }

  trouble(live: ReadonlySet<string> | null, nowMs: number): GateTrouble[] {
    return this.troubles.all(
      this.judged.map(({ policy }) => policy.policy),
      live,
      nowMs,
    );
  }
}

function bySet(wanted: readonly TimedElement[]): Map<string, TimedElement[]> {
  const found = new Map<string, TimedElement[]>();
  for (const one of wanted) {
    const before = found.get(one.set);
    if (before === undefined) found.set(one.set, [one]);
    else before.push(one);
  }
  return found;
}

function judgesOf({ policy }: KnownPolicy, ownAddresses: PrefixSet): JudgedPolicy["judges"] {
  return new Map(
    policy.scopes.map(({ name }) => [
      name,
      { judge: scopeJudge(policy, name, { ownAddresses, nat64: null }), sets: pinSets(policy, name) },
    ]),
  );
}

/** Returns the elements of one answer in the sets of every policy that is in the kernel. */
function wantedElements(
  judged: readonly JudgedPolicy[],
  scope: string,
  host: Hostname,
  address: Ip,
  timeoutMs: number,
  nowMs: number,
): TimedElement[] {
  const found = new Map<string, TimedElement>();
  for (const { judges } of judged) {
    const one = judges.get(scope);
    if (one === undefined) continue;
    const { webPorts, direct } = one.judge.pinnable(host, address, nowMs);
    const element = (set: string, key: Uint8Array): TimedElement => ({
      table: TABLE,
      set,
      key,
      timeoutMs: Math.ceil(timeoutMs),
      refresh: true,
    });
    for (const port of one.judge.watching ? [] : webPorts) {
      const set = one.sets.web[address.family];
      found.set(`${set} ${port}`, element(set, concatKey(addressKey(address), portKey(port))));
    }
    for (const rule of direct) {
      const set = one.sets.direct.get(rule)?.[address.family];
      if (set !== undefined) found.set(set, element(set, addressKey(address)));
    }
  }
  return [...found.values()];
}

/** LIMIT: how long the address of a container counts after it was last seen there. */
const CONTAINER_MS = 30_000;
/** An element with a new, short time is one that is taken away. */
const GONE_MS = 1;

/** Returns the containers that the rules of a policy name. */
function containersOf(policy: ResolvedPolicy): string[] {
  return (policy.outbound ?? []).flatMap(({ containers }) => containers);
}

function containerElements(
  { policy }: KnownPolicy,
  judges: JudgedPolicy["judges"],
  where: ReadonlyMap<string, readonly string[]>,
): TimedElement[] {
  const rules = (policy.outbound ?? []).filter(({ containers }) => containers.length > 0);
  return rules.flatMap((rule) =>
    rule.containers
      .flatMap((container) => where.get(container) ?? [])
      .flatMap((text) => {
        const address = parseIp(text);
        if (address === undefined) return [];
        return rule.scopes.flatMap((scope) => {
          const set = judges.get(scope)?.sets.containers.get(rule.id)?.[address.family];
          if (set === undefined) return [];
          return [{ table: TABLE, set, key: addressKey(address), timeoutMs: CONTAINER_MS, refresh: true }];
        });
      }),
  );
}

/** Returns an address as the kernel holds it. */
export function addressKey(address: Ip): Uint8Array {
  const bytes = new Uint8Array(address.family === 4 ? 4 : 16);
  const view = new DataView(bytes.buffer);
  if (address.family === 4) view.setUint32(0, address.value);
  else {
    view.setBigUint64(0, address.value >> 64n);
    view.setBigUint64(8, address.value & 0xffff_ffff_ffff_ffffn);
  }
  return bytes;
}

/** A field of a concatenation is filled up to four bytes. */
export function portKey(port: number): Uint8Array {
  return Uint8Array.of(port >>> 8, port & 255, 0, 0);
}

export function concatKey(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
