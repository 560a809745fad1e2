/** Packets that name where they go after an address that the policy of the test allows: RFC 791, 8200, 8754. */
export interface Route {
  readonly name: string;
  readonly by: "socket" | "raw4" | "raw6";
  /** IPv4: the option's type. IPv6: the type of the routing header. */
  readonly option: number;
  /** A plain packet of the same connection goes first, and is let out. */
  readonly afterAdmitted: boolean;
}

export const FIRST4 = "192.0.2.9";
export const FIRST6 = "2001:db8:9::9";
const LSRR = 131;
const SSRR = 137;

export const ROUTES: readonly Route[] = [
  ["a loose source route, by a socket option", "socket", LSRR],
  ["a strict source route, by a socket option", "socket", SSRR],
  ["a loose source route in a raw packet", "raw4", LSRR],
  ["a strict source route in a raw packet", "raw4", SSRR],
  ["an IPv6 routing header of type 0", "raw6", 0],
  ["an IPv6 routing header of type 2 (mobility)", "raw6", 2],
  ["an IPv6 routing header of type 4 (segments)", "raw6", 4],
].flatMap(([name, by, option]) =>
  [false, true].map(
    (afterAdmitted) =>
      ({
        name: afterAdmitted ? `${name}, in an admitted connection` : name,
        by,
        option,
        afterAdmitted,
      }) as Route,
  ),
);
