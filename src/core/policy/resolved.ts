/**
 * The one meaning of a policy: names have become sets, every rule knows its mode and denial, and the rules
 * of a tier stand in the order in which they are asked. `evaluate` is the reference for all of it.
 */
import type { NamePattern } from "../net/hostname.ts";
import type { PortRange } from "../net/port-range.ts";
import type { PrefixSet } from "../net/prefix-set.ts";
import type { Denial, Mode, Rate, RuleAction, ScopeTarget, ServiceProtocol } from "./document.ts";

/** Ports of one protocol class; `every` has the whole range and covers protocols without ports. */
export interface ServiceMatch {
  readonly protocol: ServiceProtocol;
  readonly ports: PortRange;
}

interface ResolvedRuleFields {
  readonly id: string;
  readonly action: RuleAction;
  readonly why: string;
  readonly owner: string | null;
  readonly expiresMs: number | null;
  readonly mode: Mode;
  readonly denial: Denial;
  /** Whether its addresses have more intervals than a map of small rules takes; see `precedence` in resolve.ts. */
  readonly large: boolean;
  /** Line in the file, for `explain`. */
  readonly line: number;
  /** The drop-in it stands in, as `policy.d/NAME`; null in the main file. */
  readonly file: string | null;
}

export interface ResolvedInboundRule extends ResolvedRuleFields {
  readonly services: readonly ServiceMatch[];
  /** Sources that match from every judged zone. */
  readonly from: PrefixSet;
  /** Zones from which every source matches. */
  readonly fromZones: readonly string[];
  /** Sources taken out again, also of the zones. Already subtracted from `from`. */
  readonly except: PrefixSet;
  /** Zones in which the rule matches nothing. */
  readonly exceptZones: readonly string[];
  readonly rate: Rate | null;
}

export interface ResolvedOutboundRule extends ResolvedRuleFields {
  readonly services: readonly ServiceMatch[];
  readonly names: readonly NamePattern[];
  readonly to: PrefixSet;
  readonly containers: readonly string[];
  readonly publicWeb: boolean;
  readonly scopes: readonly string[];
  readonly private: boolean;
}

/** A safety net that is enforced in every mode, unless an accepted risk lifts it. */
export interface ResolvedGuard {
  readonly id: string;
  readonly direction: "inbound" | "outbound";
  readonly services: readonly ServiceMatch[];
  /** Outbound: the destinations (null: every one). Inbound: always null, every source of the world. */
  readonly to: PrefixSet | null;
  /** Outbound: names that are guarded like the addresses. */
  readonly names: readonly NamePattern[];
  /** Inbound: the zones it protects from. */
  readonly zones: readonly string[];
  readonly why: string;
  /** The guard is lifted before this time (Unix ms), by an accepted risk. */
  readonly liftedUntilMs: number | null;
}

export interface ResolvedScope {
  readonly name: string;
  readonly target: ScopeTarget;
  /** Position in the mark field, 1..SCOPES_MAX; 0 is inbound. */
  readonly index: number;
}

export interface ResolvedZone {
  readonly name: string;
  readonly interfaces: readonly string[];
}

export interface ResolvedPolicy {
  readonly mode: { readonly inbound: Mode; readonly outbound: Mode };
  readonly denial: { readonly inbound: Denial; readonly outbound: Denial };
  readonly containers: "deny" | "allow";
  readonly guards: readonly ResolvedGuard[];
  /** In the order in which they are asked inside their tier; see `precedence` in resolve.ts. */
  readonly inbound: readonly ResolvedInboundRule[];
  readonly outbound: readonly ResolvedOutboundRule[] | null;
  /** Allow rules that are out of force until the clock is known to be right; absent where none waits. */
  readonly waiting?: readonly ResolvedOutboundRule[];
  readonly scopes: readonly ResolvedScope[];
  /** Zones other than `world`, by interface. */
  readonly zones: readonly ResolvedZone[];
  /** Whether scopes also answer nobody, whoever began: in a panic, where outbound is enforced. */
  readonly isSilent?: boolean;
}
