/**
 * What a policy file says, with the place of everything: text has become typed values, names of sets,
 * zones, presets and scopes are still names. `resolve.ts` gives them their meaning.
 */
import type { Diagnostic, Span } from "../base/diagnostic.ts";
import type { NamePattern } from "../net/hostname.ts";
import type { PortRange } from "../net/port-range.ts";
import type { Prefix } from "../net/prefix.ts";

export type Mode = "observe" | "enforce";
export type Direction = "inbound" | "outbound";
/** How a denial looks on the wire: `refuse` answers, `drop` is silent. */
export type Denial = "refuse" | "drop";
export type RuleAction = "allow" | "deny";

/** `tcp`, `udp`, `both` of them, or `every` protocol (ports then are the whole range). */
export type ServiceProtocol = "tcp" | "udp" | "both" | "every";

/** What an inbound rule is about: protocol and ports on this host. */
export interface Service {
  readonly protocol: ServiceProtocol;
  readonly ports: PortRange;
}

/** A reference by name, with its place so that an unknown one can be shown. */
export interface Reference {
  readonly name: string;
  readonly span: Span;
}

export type SourceTerm =
  | { readonly kind: "any" }
  | { readonly kind: "prefix"; readonly prefix: Prefix; readonly span: Span }
  /** A bare word: the name of a set or of a zone. */
  | { readonly kind: "word"; readonly ref: Reference }
  | { readonly kind: "country"; readonly codes: readonly string[]; readonly span: Span };

export type DestinationTerm =
  | { readonly kind: "name"; readonly pattern: NamePattern; readonly span: Span }
  | { readonly kind: "prefix"; readonly prefix: Prefix; readonly span: Span }
  | { readonly kind: "set"; readonly ref: Reference }
  | { readonly kind: "country"; readonly codes: readonly string[]; readonly span: Span }
  | { readonly kind: "public-web"; readonly span: Span }
  | { readonly kind: "container"; readonly ref: Reference }
  | { readonly kind: "preset"; readonly ref: Reference };

interface RuleFields {
  readonly id: string;
  readonly action: RuleAction;
  readonly why: string;
  readonly owner: string | null;
  /** The first millisecond (Unix time) at which the rule is expired. */
  readonly expiresMs: number | null;
  /** The rule's own mode, when the file gives it one. */
  readonly mode: Mode | null;
  /** The rule's own `denial: drop|refuse`, for deny rules. */
  readonly denial: Denial | null;
  /** The place of the whole rule (its first key). */
  readonly span: Span;
}

/** `rate: 60/minute`: new connections per source. */
export interface Rate {
  readonly count: number;
  readonly per: "second" | "minute" | "hour" | "day";
}

export interface InboundRule extends RuleFields {
  readonly services: readonly Service[];
  readonly from: readonly SourceTerm[];
  readonly except: readonly SourceTerm[];
  readonly rate: Rate | null;
}

export interface OutboundRule extends RuleFields {
  readonly to: readonly DestinationTerm[];
  /** Null when the rule names no port: tcp/443 for allow, everything for deny. */
  readonly ports: readonly PortRange[] | null;
  readonly protocol: "tcp" | "udp" | null;
  readonly scopes: readonly Reference[];
  /** `private: true`: names of this rule may resolve to private addresses. */
  readonly private: boolean;
}

export type ScopeTarget =
  | { readonly kind: "user"; readonly user: string | number }
  | { readonly kind: "unit"; readonly unit: string }
  | { readonly kind: "cgroup"; readonly path: string }
  | { readonly kind: "docker"; readonly network: string }
  | { readonly kind: "netns"; readonly name: string };

export interface ScopeEntry {
  readonly name: string;
  readonly target: ScopeTarget;
  readonly span: Span;
}

/** A named set: prefixes in the file, or a file of them (one a line) that the caller has to read. */
export interface SetEntry {
  readonly name: string;
  readonly prefixes: readonly Prefix[];
  readonly file: string | null;
  readonly span: Span;
}

export interface ZoneEntry {
  readonly name: string;
  /** Interface names; a trailing `*` matches any ending. */
  readonly interfaces: readonly string[];
  readonly span: Span;
}

export interface Defaults {
  readonly inbound: Denial;
  readonly outbound: Denial;
  readonly containers: "deny" | "allow";
  readonly requireOwner: boolean;
}

/** A guard or another safety net that the operator lifts knowingly. */
export interface AcceptedRisk {
  readonly risk:
    | { readonly kind: "guard"; readonly guard: string }
    | { readonly kind: "scope"; readonly scope: string }
    | { readonly kind: "name"; readonly pattern: string }
    | { readonly kind: "public-web" };
  readonly reason: string;
  readonly by: string;
  readonly expiresMs: number;
  readonly span: Span;
}

export type Expectation = "accept" | "refuse" | "drop";

/** One entry of `tests:`; the flow stays text, because an unusable flow is itself a result. */
export interface TestEntry {
  readonly flow:
    | {
        readonly direction: "inbound";
        readonly from: string;
        readonly port: number;
        readonly protocol: string;
        readonly zone: string;
      }
    | {
        readonly direction: "outbound";
        readonly to: string;
        readonly port: number;
        readonly protocol: string;
        readonly scope: string;
      };
  readonly expect: Expectation;
  readonly span: Span;
}

/** One entry of `assert:`: `never` (nothing of it may be accepted) or `always` (all of it must be). */
export interface AssertEntry {
  readonly kind: "never" | "always";
  readonly direction: Direction;
  /** Inbound: the sources. Outbound: the destinations. */
  readonly who: readonly SourceTerm[] | readonly DestinationTerm[];
  /** Null means every port. */
  readonly ports: readonly PortRange[] | null;
  readonly protocol: "tcp" | "udp" | null;
  readonly scope: string;
  readonly span: Span;
}

export interface PolicyDocument {
  readonly version: 1;
  readonly mode: { readonly inbound: Mode; readonly outbound: Mode };
  readonly inbound: readonly InboundRule[];
  /** Null when the key is absent: nothing outbound is judged. An empty list denies everything. */
  readonly outbound: readonly OutboundRule[] | null;
  readonly scopes: readonly ScopeEntry[];
  readonly sets: readonly SetEntry[];
  readonly zones: readonly ZoneEntry[];
  readonly defaults: Defaults;
  readonly acceptRisk: readonly AcceptedRisk[];
  readonly tests: readonly TestEntry[];
  readonly asserts: readonly AssertEntry[];
}

/** A file of policy.d: its name as `policy.d/NAME`, and what it holds. */
export interface DropIn {
  readonly file: string;
  readonly text: string;
}

/** What reading a policy gives: everything found, and the document unless something in it is an error. */
export interface PolicyParse {
  readonly document: PolicyDocument | null;
  readonly diagnostics: readonly Diagnostic[];
}
