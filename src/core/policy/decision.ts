import { unreachable } from "../base/assert.ts";
import type { Denial } from "./document.ts";

export type Verdict = "accept" | "refuse" | "drop";

/** Every reason, for readers of what others wrote. */
export const REASON_CODES: ReadonlySet<string> = new Set<ReasonCode>([
  "host-life",
  "guard",
  "denied",
  "allowed",
  "default",
  "not-judged",
  "invalid-flow",
  "invalid-host",
  "invalid-address",
  "invalid-port",
  "invalid-protocol",
  "invalid-zone",
  "invalid-scope",
  "private-address",
  "not-pinned",
  "no-name",
  "bad-request",
  "is-ssh",
  "is-http",
  "is-tls",
  "name-mismatch",
  "ech",
  "record-type",
  "unresolved",
  "unreachable",
  "limit",
  "clock",
]);

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
  | "invalid-scope"
  /** A rule allows it only until a time, and waits until the clock is known to be right. */
  | "clock"
  | GateReason;

/** Why a gate refused what no rule denies. */
export type GateReason =
  /** The name has no address that a rule by name may reach: private, own, or guarded. */
  | "private-address"
  /** The address is none that our resolver gave for this name. */
  | "not-pinned"
  /** TLS without a server name, HTTP without a host. */
  | "no-name"
  /** What came is not what this port is for: malformed, ambiguous, too long, too late. */
  | "bad-request"
  /** It is SSH, on a port on which only what names its host passes by name. */
  | "is-ssh"
  /** It is HTTP, on a port that is for TLS. */
  | "is-http"
  /** It is TLS, on a port that is for HTTP. */
  | "is-tls"
  /** Two names of one connection differ: CONNECT, server name, Host. */
  | "name-mismatch"
  /** Encrypted Client Hello hides the name behind one that is not allowed. */
  | "ech"
  /** This DNS record type is not answered. */
  | "record-type"
  /** No resolver answered, or none knows the name. */
  | "unresolved"
  /** The destination did not take the connection. */
  | "unreachable"
  /** A limit of the scope is reached. */
  | "limit";

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

/** What each reason means, in one sentence for people. */
export const GATE_REASONS: Readonly<Partial<Record<ReasonCode, string>>> = {
  default: "No rule allows this scope to reach this destination.",
  guard: "A built-in guard refuses it whatever the rules say.",
  denied: "A rule denies it.",
  "private-address":
    "The name leads to addresses that are not of the public internet, or to this host itself.",
  "not-pinned": "The address is none that Seawall's resolver gave for this name.",
  "no-name": "It names no host, so it could be any that shares the address.",
  "bad-request": "What came could not be read with certainty, so it was not passed on.",
  "is-ssh": "It was SSH, which names no host that could be read.",
  "is-http": "It was HTTP without TLS, on a port on which the name is read from TLS.",
  "is-tls": "It was TLS, on a port on which the name is read from HTTP.",
  "name-mismatch": "Two names of one connection differ.",
  ech: "Encrypted Client Hello hides the name behind one that is not allowed.",
  "record-type": "This DNS record type is not answered.",
  unresolved: "It is allowed, but no resolver answered or none knows the name.",
  unreachable: "It is allowed, but the destination did not take the connection.",
  limit: "The scope has reached a limit.",
  clock: "A rule allows it only until a time, and the clock of this machine is not known to be right yet.",
};
