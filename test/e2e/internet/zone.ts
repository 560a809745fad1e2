/** The names of the internet of these tests, and where they live: public-looking addresses, in a namespace. */

/** What the host is told to ask, as a provider's resolver. */
export const RESOLVER = "9.9.9.9";
/** A resolver that nobody told the agent of. It answers too, also by DNS over HTTPS and over TLS. */
export const OTHER_RESOLVER = "1.1.1.1";
export const OTHER_RESOLVER_NAME = "one.one.one.one";

export const MODEL = "model.example.com";
/** The name that policies list. */
export const LISTED = "good.example.com";
/** Names that no policy lists. */
export const UNLISTED = "evil.example.net";
/** Unlisted, and at the very address of `LISTED`, as tenants of one content network are. */
export const NEIGHBOUR = "neighbour.example.org";
/** Every name below it exists and answers TXT: what a tunnel through DNS needs. */
export const TUNNEL = "tunnel.example.net";
/** What OpenClaw asks for on its own. */
export const OPENCLAW_NAMES = ["catalog.openclaw.ai", "telemetry.openclaw.ai", "clawhub.ai"] as const;

export const LISTED_4 = "93.184.215.20";
export const LISTED_6 = "2606:2800:21f:cb07::20";
export const UNLISTED_4 = "45.33.32.156";
export const UNLISTED_6 = "2600:3c01::f03c:91ff:fe18:bb2f";

export const ZONE: Readonly<Record<string, readonly string[]>> = {
  [MODEL]: ["93.184.215.10"],
  [LISTED]: [LISTED_4, LISTED_6],
  [NEIGHBOUR]: [LISTED_4, LISTED_6],
  [UNLISTED]: [UNLISTED_4, UNLISTED_6],
  [TUNNEL]: ["45.33.32.200"],
  "example.com": ["93.184.215.30"],
  "catalog.openclaw.ai": ["76.76.21.21"],
  "telemetry.openclaw.ai": ["76.76.21.22"],
  "clawhub.ai": ["76.76.21.23"],
  [OTHER_RESOLVER_NAME]: [OTHER_RESOLVER],
};

/** Every address that answers. */
export const ADDRESSES: readonly string[] = [...new Set([RESOLVER, ...Object.values(ZONE).flat()])];

/** Returns the addresses of a name, none for a name that exists without one, null for one that does not exist. */
export function lookUp(name: string): readonly string[] | null {
  const exact = ZONE[name];
  if (exact !== undefined) return exact;
  return name.endsWith(`.${TUNNEL}`) ? [] : null;
}
