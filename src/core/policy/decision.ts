import { unreachable } from "../base/assert.ts";
import type { Denial } from "./document.ts";

export type Verdict = "accept" | "refuse" | "drop";

/** Why a verdict is what it is; stable, for programs. */
export type ReasonCode =
  | "host-life"
  | "guard"
  | "denied"
  | "allowed"
  | "default"
  | "not-judged"
  | "invalid-flow"
  | "invalid-host"
  | "invalid-address"
  | "invalid-port"
  | "invalid-protocol"
  | "invalid-zone"
  | "invalid-scope";

/**
 * A verdict with its rule and reason; it never travels without them.
 * INVARIANT: `observed` is true exactly when the packet passes although it is only watched: `verdict` then
 * says what enforce would do.
 */
export interface Decision {
  readonly verdict: Verdict;
  readonly observed: boolean;
  readonly rule: string | null;
  readonly reason: ReasonCode;
  readonly why: string;
}

export function verdictOf(denial: Denial): Verdict {
  switch (denial) {
    case "refuse":
      return "refuse";
    case "drop":
      return "drop";
    default:
      return unreachable(denial);
  }
}
