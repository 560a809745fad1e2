import type { Branded } from "../base/brand.ts";

/** A name as the gates see it: lower case, A-labels, no trailing dot, at most 253 bytes. */
export type Hostname = Branded<string, "Hostname">;

/** An exact name, or `*.suffix` (one or more labels before the suffix, never the suffix itself). */
export type NamePattern =
  | { readonly kind: "exact"; readonly name: Hostname }
  | { readonly kind: "below"; readonly suffix: Hostname };
