/**
 * Which address a resolver gave for which name, and until when that counts. A connection is only let through to
 * an address that is bound to the very name it asks for: neighbours on the same address are not.
 */
import type { Hostname } from "../net/hostname.ts";
import { formatIp, type Ip } from "../net/ip.ts";

export interface Binding {
  readonly host: Hostname;
  readonly address: Ip;
  readonly untilMs: number;
}

export interface Bindings {
  readonly bind: (host: Hostname, address: Ip, untilMs: number, nowMs: number) => void;
  readonly isBound: (host: Hostname, address: Ip, nowMs: number) => boolean;
  /** Everything that still holds. */
  readonly all: (nowMs: number) => Binding[];
}

/** LIMIT: bindings of one scope; the oldest goes first. */
export const BINDINGS_MAX = 16_384;
/** A pin lives longer than the answer it was made for, so that nobody who has the answer finds it gone. */
export const PIN_SECONDS_MIN = 60;
export const PIN_SECONDS_MORE = 30;

/** Returns how long an answer is pinned, in seconds: max(TTL, 60) + 30. */
export function pinSeconds(ttlSeconds: number): number {
  return Math.max(ttlSeconds, PIN_SECONDS_MIN) + PIN_SECONDS_MORE;
}

/** Returns an empty list of bindings. */
export function createBindings(most = BINDINGS_MAX): Bindings {
  const bindings = new Map<string, Binding>();
  const keyOf = (host: Hostname, address: Ip): string => `${host} ${formatIp(address)}`;
  return {
    bind: (host, address, untilMs, nowMs) => {
      const key = keyOf(host, address);
      const before = bindings.get(key);
      // Moved to the end: the list is in the order in which bindings were last used.
      bindings.delete(key);
      bindings.set(key, { host, address, untilMs: Math.max(untilMs, before?.untilMs ?? 0) });
      for (const [oldest, binding] of bindings) {
        if (bindings.size <= most && nowMs < binding.untilMs) break;
        bindings.delete(oldest);
      }
    },
    isBound: (host, address, nowMs) => nowMs < (bindings.get(keyOf(host, address))?.untilMs ?? 0),
    all: (nowMs) => [...bindings.values()].filter(({ untilMs }) => nowMs < untilMs),
  };
}
