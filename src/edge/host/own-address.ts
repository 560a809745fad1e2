/** The addresses of this machine, of its loopback too. */
import { networkInterfaces } from "node:os";
import { formatIp, parseIp } from "../../core/net/ip.ts";
import { type PrefixSet, prefixSetOf } from "../../core/net/prefix-set.ts";

/** Returns every address of this network namespace as a set. */
export function ownAddresses(): PrefixSet {
  const texts = Object.values(networkInterfaces()).flatMap(
    (list) => list?.map(({ address }) => address) ?? [],
  );
  return prefixSetOf(
    [...new Set(texts)].flatMap((text) => {
      const base = parseIp(text.split("%")[0] ?? "");
      return base === undefined ? [] : [{ base, bits: base.family === 4 ? 32 : 128 }];
    }),
  );
}

/** Returns the addresses of one interface that can be listened on: none that needs a zone. */
export function addressesOf(name: string): string[] {
  const found = networkInterfaces()[name] ?? [];
  return found.map(({ address }) => address).filter((address) => !address.startsWith("fe80:"));
}

/** Returns which interface of this namespace has each of its addresses. */
export function linksByAddress(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [name, list = []] of Object.entries(networkInterfaces())) {
    for (const { address } of list) {
      const ip = parseIp(address.split("%")[0] ?? "");
      if (ip !== undefined) found.set(formatIp(ip), name);
    }
  }
  return found;
}
