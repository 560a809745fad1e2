import type { LabPolicies } from "./policy.ts";

/** One claim, shown or not. The contract of `seawall lab --json`. */
export interface Row {
  readonly claim: string;
  readonly direction: "inbound" | "outbound" | "both";
  readonly expected: string;
  /** What the packets told. */
  readonly seen: string;
  /** What Seawall recorded about them. */
  readonly log: string;
  readonly held: boolean;
}

/** What the world says to the one who built it, one JSON object a line. */
export type Message =
  | { readonly kind: "chapter"; readonly title: string }
  | { readonly kind: "row"; readonly row: Row }
  | { readonly kind: "note"; readonly text: string }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "end"; readonly players: Readonly<Record<string, number>> };

/** What the world is told when it starts. */
export interface LabOrder {
  readonly policies: LabPolicies;
  readonly keep: boolean;
}
