/** What the daemon tells the kernel again and again, so that it forgets by itself when the daemon is gone. */
import { RESOLVER_SETS } from "../../core/compile/nftables/gate.ts";
import { TABLE } from "../../core/compile/nftables/table.ts";
import { parseIp } from "../../core/net/ip.ts";
import type { SetElements, TimedElement } from "../../edge/kernel/set-elements.ts";
import { addressKey, concatKey, portKey } from "./pin-keeper.ts";

/** LIMIT: how long the gates may go on asking a resolver that the daemon no longer names. */
const RESOLVER_MS = 90_000;
const PROTOCOLS = [6, 17] as const;

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
