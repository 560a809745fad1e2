/** Which resolvers cannot be asked, do not answer, or answer that they cannot tell. */
import type { ResolverHealth } from "../../core/gate/health.ts";
import type { GateTrouble } from "../../core/gate/trouble.ts";
import type { LeftResolver } from "../../edge/host/resolv-conf.ts";

export interface ResolverLook {
  /** Those that the gates are told to ask. */
  readonly asked: readonly { readonly address: string; readonly port: number }[];
  /** Lines of resolv.conf that no gate is told of. */
  readonly left: readonly LeftResolver[];
  /** What the gate says; empty where none says anything. */
  readonly health: readonly ResolverHealth[];
}

/** How many failures in a row are trouble: one lost datagram, or one broken domain, is none. */
const SILENT_MIN = 2;
const FAILED_MIN = 4;
/** REFUSED, NOTIMP and FORMERR are of the resolver, whatever the name. */
const REFUSING_MIN = 2;
const SERVFAIL = 2;
const RCODES: Readonly<Record<number, string>> = { 1: "FORMERR", 2: "SERVFAIL", 4: "NOTIMP", 5: "REFUSED" };

/** Returns a trouble for each; names stop where no resolver is left that answers. */
export function resolverTroubles({ asked, left, health }: ResolverLook): GateTrouble[] {
  const isAsked = ({ address, port }: ResolverHealth): boolean =>
    asked.some((one) => one.address === address && one.port === port);
  const found = health.filter(isAsked).flatMap((one) => {
    const said = saidOf(one);
    return said === null ? [] : [{ said, help: IS_IT_UP }];
  });
  const none = asked.length === 0 ? [{ said: NO_RESOLVER, help: NAME_ONE }] : [];
  const unasked = left.map(({ text, why }) => ({
    said: `resolver ${text} of /etc/resolv.conf is not asked: ${why}`,
    help: asked.length === 0 ? NAME_ONE : null,
  }));
  const stops = found.length >= asked.length;
  return [...none, ...unasked, ...found].map((one) => ({ kind: "resolver", scope: null, stops, ...one }));
}

const NO_RESOLVER = "there is no resolver to ask: /etc/resolv.conf names none that can be asked";
const IS_IT_UP = "is it up? another one can be named in /etc/resolv.conf";
const NAME_ONE = "name one in /etc/resolv.conf by an address without a zone";

function saidOf({ address, silent, unsent, errno, failed, rcode, miscased }: ResolverHealth): string | null {
  const resolver = `resolver ${address}`;
  if (unsent >= SILENT_MIN) return `${unsent} questions to ${resolver} could not be sent (${errno ?? "?"})`;
  if (miscased > 0 && silent >= SILENT_MIN)
    return `${resolver} writes names in another case than it was asked in, so ${miscased} answers were not taken`;
  if (silent >= SILENT_MIN) return `${resolver} does not answer: ${silent} questions in a row`;
  if (failed < (rcode === SERVFAIL || rcode === null ? FAILED_MIN : REFUSING_MIN)) return null;
  const what = rcode === null ? "cannot be read" : `say ${RCODES[rcode] ?? `error ${rcode}`}`;
  return `the last ${failed} answers of ${resolver} ${what}`;
}
