import type { Reading } from "../reading.ts";

/** A package that apt would install now. */
export interface PendingUpdate {
  readonly name: string;
  readonly to: string;
  /** Whether it comes from a security archive. */
  readonly security: boolean;
}

/** The release line of one archive (`apt-cache policy`). */
export interface AptArchive {
  readonly site: string;
  readonly fields: Readonly<Record<"o" | "a" | "n" | "l" | "v" | "c", string>>;
}

export interface UpdateFacts {
  /** `apt-config dump`: key to values, lists in order. */
  readonly settings: ReadonlyMap<string, readonly string[]>;
  readonly unattendedInstalled: boolean;
  readonly archives: Reading<readonly AptArchive[]>;
  readonly pending: Reading<readonly PendingUpdate[]>;
  /** Whether something starts apt's daily work; `unreadable` when nobody can tell. */
  readonly timers: Reading<{ readonly active: boolean; readonly how: string }>;
  /** When unattended-upgrades last ran. */
  readonly lastRunMs: number | null;
  /** When the package lists were last fetched. */
  readonly listsMs: number | null;
  readonly rebootRequiredMs: number | null;
  readonly needrestart: {
    readonly installed: boolean;
    readonly automatic: boolean;
    readonly spares: boolean;
  };
  /** Places in the sources that name a security archive, fetched or not: `/etc/apt/sources.list:3`. */
  readonly securitySources: readonly string[];
  /** Sources that apt takes without a signature. */
  readonly unsigned: readonly string[];
  readonly release: {
    readonly id: string;
    readonly codename: string;
    readonly version: string;
    readonly name: string;
  };
  /** When its support ends (distro-info-data), null when that table is not there. */
  readonly supportEnds: string | null;
}
