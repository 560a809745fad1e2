/** How a case of a peer is put to Seawall, and what Seawall says. */
interface Said {
  readonly says: string;
  /** Why Seawall says something else than the peer. */
  readonly differs?: string;
}

export type Answer =
  /** Rules of a policy and one flow: the verdict, its reason, and `watched` where it is only observed. */
  | (Said & {
      readonly by: "flow";
      /** Null: the policy has no `outbound`. */
      readonly rules: readonly string[] | null;
      readonly flow: string;
      readonly mode?: "observe";
      readonly risk?: string;
    })
  /** A destination as it stands in `allow`: `accept` or `reject`. */
  | (Said & { readonly by: "destination"; readonly text: string })
  /** A whole policy: `accept` or `reject`. */
  | (Said & { readonly by: "policy"; readonly text: string })
  /** A prefix that a rule allows: whether `check` warns that a guard wins. */
  | (Said & { readonly by: "overlap"; readonly text: string })
  /** Addresses: `public`, `special` (not of the public internet) or `invalid`, the same for all. */
  | (Said & { readonly by: "address"; readonly texts: readonly string[] })
  /** The target of a CONNECT: host and port, or `refused`. */
  | (Said & { readonly by: "connect"; readonly text: string })
  /** A request head: its host, the problem, or `more`. */
  | (Said & { readonly by: "head"; readonly text: string })
  /** First bytes of TLS: the server name, `no name`, the problem, or `more`. */
  | (Said & { readonly by: "hello"; readonly bytes: () => Uint8Array })
  /** First bytes of anything: whether they are TLS. */
  | (Said & { readonly by: "sniff"; readonly bytes: string })
  /** A DNS query in hexadecimal: `read`, or the code of its reply. */
  | (Said & { readonly by: "query"; readonly bytes: string })
  /** A test of this repository that needs more than one call: its file, and the title as it stands there. */
  | { readonly by: "row"; readonly heldBy: string; readonly row: string; readonly differs?: string }
  /** Why the case is none of Seawall's. */
  | { readonly by: "none"; readonly reason: string };

export type Answers = Readonly<Record<string, Answer>>;

/** Returns the answer of a test elsewhere. */
export function row(heldBy: string, title: string, differs?: string): Answer {
  return { by: "row", heldBy, row: title, ...(differs === undefined ? {} : { differs }) };
}

/** Returns the answer to a case that does not apply. */
export function none(reason: string): Answer {
  return { by: "none", reason };
}
