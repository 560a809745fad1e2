import type { Hostname } from "../../core/net/hostname.ts";
import type { Ip } from "../../core/net/ip.ts";

export interface PinWish {
  readonly scope: string;
  readonly host: Hostname;
  readonly addresses: readonly Ip[];
  readonly seconds: number;
}

/** Who makes the kernel let a pinned address through: seawalld, or nobody where the gate runs alone. */
export interface Pinner {
  /** Resolves to whether the kernel holds them; an answer is not given before. */
  readonly pin: (wish: PinWish) => Promise<boolean>;
}
