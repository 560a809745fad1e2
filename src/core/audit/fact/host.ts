import type { Reading } from "../reading.ts";

export interface HostFacts {
  /** sysctl name to value; a name that the kernel does not have is missing. */
  readonly sysctls: ReadonlyMap<string, string>;
  readonly timeSync: Reading<{ readonly synced: boolean; readonly by: string }>;
  readonly appArmor: Reading<{ readonly enabled: boolean; readonly enforced: number }>;
  readonly journal: Reading<{ readonly persistent: boolean; readonly how: string }>;
  /** Whether this looks like a rented server: `kvm`, `amazon`...; null when it looks like a machine of one's own. */
  readonly virtual: string | null;
}
