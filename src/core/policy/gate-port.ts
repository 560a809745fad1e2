/**
 * The ports of the gates. Each scope has its own, so that a gate knows whose a connection is by where it arrived,
 * whatever the family and protocol, and without asking anybody.
 */
import type { PortRange } from "../net/port-range.ts";

export interface GatePorts {
  /** Explicit HTTP proxy, TCP. */
  readonly proxy: number;
  /** DNS, UDP and TCP. */
  readonly dns: number;
  /** What a scope sends to port 443, TCP. */
  readonly tls: number;
  /** What a scope sends to port 80, TCP. */
  readonly http: number;
}

const FIRST: GatePorts = { proxy: 18_901, tls: 18_943, dns: 18_953, http: 18_980 };
/** Where the blocks of the further scopes start; each has room for SCOPES_MAX. */
const FURTHER: GatePorts = { dns: 19_000, http: 19_020, tls: 19_040, proxy: 19_060 };
const BLOCK = 20;

/** Returns the ports of the scope with this index (1..SCOPES_MAX). */
export function gatePorts(index: number): GatePorts {
  if (index === 1) return FIRST;
  const { dns, http, tls, proxy } = FURTHER;
  return { dns: dns + index, http: http + index, tls: tls + index, proxy: proxy + index };
}

/** Every port that Seawall may listen on: dashboard, and the gates of all scopes. */
export const OWN_PORTS: readonly PortRange[] = [
  ...[18_900, FIRST.proxy, FIRST.tls, FIRST.dns, FIRST.http].map((port) => ({ first: port, last: port })),
  { first: FURTHER.dns, last: FURTHER.proxy + BLOCK - 1 },
];
