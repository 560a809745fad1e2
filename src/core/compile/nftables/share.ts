/**
 * What one scope, the gates or one source from the world may take of the connection table. When that table is full
 * the kernel drops every new connection before any rule of ours, the operator's too; so nobody gets all of it.
 */

/** LIMIT: the smallest table that Linux makes (512 MB of memory); taken where the size is not known. */
export const TABLE_ENTRIES_MIN = 4_096;
/** LIMIT: connections of one scope at once, of one source from the world, and of the gates. */
export const SCOPE_CONNECTIONS_MAX = 1_024;
export const SOURCE_CONNECTIONS_MAX = 1_024;
export const GATE_CONNECTIONS_MAX = 2_048;
/** LIMIT: connections of one scope at once where many share a table. */
export const SCOPE_CONNECTIONS_MIN = 128;
/** LIMIT: new connections of a scope: a kernel that tidies its lists slowly (Linux 6.1) keeps up with so many. */
export const SCOPE_NEW_PER_SECOND_MAX = 2_000;
/** LIMIT: new connections of one source from the world: more than a busy site has of its load balancer. */
export const SOURCE_NEW_PER_SECOND_MAX = 16_384;

/** What a place may take. */
export interface Share {
  /** Of whom: of all that a place sends together, or of each source by itself (IPv6: by its /64). */
  readonly of: "place" | "source";
  /** Connections at once, those that were closed not counted. */
  readonly connections: number;
  readonly newPerSecond: number;
  /** Whether the kernel can be told how long it remembers a connection. */
  readonly forgets: boolean;
}

/** The connection table of a machine, as far as it is known (at apply). */
export interface ConnectionTable {
  readonly entriesMax: number | null;
  readonly forgets: boolean;
}

/** Returns the share of one of so many scopes: three eighths of the table belong to all of them. */
export function shareOfScope({ entriesMax, forgets }: ConnectionTable, scopes: number): Share {
  const entries = entriesMax ?? TABLE_ENTRIES_MIN;
  const fair = Math.floor((entries * 3) / 8 / Math.max(1, scopes));
  const connections = Math.max(SCOPE_CONNECTIONS_MIN, Math.min(SCOPE_CONNECTIONS_MAX, fair));
  const newPerSecond = Math.min(SCOPE_NEW_PER_SECOND_MAX, pace(entries));
  return { of: "place", connections, newPerSecond, forgets };
}

/** Returns the share of the gates: what all scopes together can ask them for. */
export function shareOfGate({ entriesMax, forgets }: ConnectionTable): Share {
  const entries = entriesMax ?? TABLE_ENTRIES_MIN;
  const connections = Math.min(GATE_CONNECTIONS_MAX, Math.floor((entries * 3) / 8));
  return { of: "place", connections, newPerSecond: SCOPE_NEW_PER_SECOND_MAX, forgets };
}

/** Returns the share of each source in the world. */
export function shareOfSource({ entriesMax, forgets }: ConnectionTable): Share {
  const entries = entriesMax ?? TABLE_ENTRIES_MIN;
  const newPerSecond = Math.min(SOURCE_NEW_PER_SECOND_MAX, pace(entries));
  return { of: "source", connections: SOURCE_CONNECTIONS_MAX, newPerSecond, forgets };
}

/** A sixteenth of the table a second: closed connections are forgotten sooner than they fill it. */
function pace(entries: number): number {
  return Math.max(64, Math.floor(entries / 16));
}
