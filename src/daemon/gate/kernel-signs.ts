/** What the daemon tells the kernel again and again, so that it forgets by itself when the daemon is gone. */
import { ALIVE_SET, RESOLVER_SETS } from "../../core/compile/nftables/gate.ts";
import { TABLE } from "../../core/compile/nftables/table.ts";
import { parseIp } from "../../core/net/ip.ts";
import type { SetElements, TimedElement } from "../../edge/kernel/set-elements.ts";
import { addressKey, concatKey, portKey } from "./pin-keeper.ts";

/** A gate that says nothing for so long is taken for dead by the kernel; DNS of watched scopes then passes by it. */
export const ALIVE_MS = 1_500;
/** LIMIT: how long the gates may go on asking a resolver that the daemon no longer names. */
const RESOLVER_MS = 90_000;
const NFPROTO = [2, 10] as const;
const PROTOCOLS = [6, 17] as const;

/** Says that a gate answers. Returns whether the kernel took it. */
export function sayAlive(elements: SetElements): boolean {
  return tryAdd(
    elements,
    NFPROTO.map((family) => timed(ALIVE_SET, Uint8Array.of(family), ALIVE_MS)),
  );
}

/** Names the resolvers that the gates may ask. Returns whether the kernel took it. */
export function nameResolvers(
  elements: SetElements,
  resolvers: readonly { readonly address: string; readonly port: number }[],
): boolean {
  const wanted = resolvers.flatMap(({ address, port }) => {
    const ip = parseIp(address);
    if (ip === undefined) return [];
    return PROTOCOLS.map((protocol) =>
      timed(
        RESOLVER_SETS[ip.family],
        concatKey(addressKey(ip), Uint8Array.of(protocol, 0, 0, 0), portKey(port)),
        RESOLVER_MS,
      ),
    );
  });
  return tryAdd(elements, wanted);
}

function timed(set: string, key: Uint8Array, timeoutMs: number): TimedElement {
  return { table: TABLE, set, key, timeoutMs, refresh: true };
}

function tryAdd(elements: SetElements, wanted: readonly TimedElement[]): boolean {
  try {
    elements.addTimedElements(wanted);
    return true;
  } catch {
    return false;
  }
}
