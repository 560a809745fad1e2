/** How a gate says that it is: what no kernel knows of. seawalld believes numbers of it, and no words. */
import { z } from "zod";

/** One resolver since it gave its last good answer. */
export interface ResolverHealth {
  readonly address: string;
  readonly port: number;
  /** Questions in a row that it did not answer. */
  readonly silent: number;
  /** Questions in a row that could not be sent, and the last errno. */
  readonly unsent: number;
  readonly errno: string | null;
  /** Answers in a row that say that it cannot tell, and the last code of these. */
  readonly failed: number;
  readonly rcode: number | null;
  /** Answers that were not taken because the name came back in another case than it was asked in. */
  readonly miscased: number;
}

export interface GateHealth {
  readonly resolvers: readonly ResolverHealth[];
  /** Scopes that have as many connections open as one may have. */
  readonly full: readonly string[];
}

const COUNT = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

export const GATE_HEALTH = z.strictObject({
  resolvers: z
    .array(
      z.strictObject({
        address: z.string().max(64),
        port: z.int().min(0).max(65_535),
        silent: COUNT,
        unsent: COUNT,
        errno: z
          .string()
          .regex(/^E[A-Z0-9]{1,20}$/)
          .nullable(),
        failed: COUNT,
        rcode: z.int().min(0).max(4_095).nullable(),
        miscased: COUNT,
      }),
    )
    .max(16),
  full: z.array(z.string().max(300)).max(256),
});
