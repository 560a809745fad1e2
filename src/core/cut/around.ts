/** What has to be known of this host to judge a connection of which only the two ends are left to see. */
import type { Tuple } from "../event/decode/conntrack.ts";
import type { ResolvedPolicy } from "../policy/resolved.ts";

export type Whereabouts =
  /** An address of this host, or one that everybody on a link listens to. */
  | { readonly kind: "here" }
  /** Packets to it leave by this interface, so packets from it normally enter there. */
  | { readonly kind: "beyond"; readonly link: string }
  | { readonly kind: "unknown" };

export interface Around {
  readonly policy: ResolvedPolicy;
  /** Of the policy in force. */
  readonly generation: number;
  /** The interfaces behind which the scopes by docker network and namespace are. */
  readonly interfaces: ReadonlyMap<string, readonly string[]>;
  /** Whether the host has this address; cheaper than `whereIs`. */
  readonly isOwn: (address: string) => boolean;
  readonly whereIs: (address: string) => Whereabouts;
  /** Returns the interface that has this address of the host, or null. */
  readonly linkOf: (address: string) => string | null;
  /** Whether other networks are behind an interface, and not guests of this host. */
  readonly leadsToNetworks: (link: string) => boolean;
  /** Returns the scope of the process that holds the socket at the source of a tuple, or null: none that is known. */
  readonly ownerOf: (tuple: Tuple) => string | null;
  /** Returns the scope of the policy in force that an earlier generation stamped with this number, or null. */
  readonly scopeOfStamp: (generation: number, index: number) => string | null;
  /** Whether a set of pins holds an address now. */
  readonly isPinned: (set: string, address: string) => boolean;
  readonly nowMs: number;
}
