/** How each resolver answered lately: counted from its last good answer on. */
import type { ResolverHealth } from "../../core/gate/health.ts";
import { RCODE } from "../../core/dns/message.ts";

/** What became of one question. */
export type Outcome =
  | { readonly kind: "answered"; readonly rcode: number }
  | { readonly kind: "silent" }
  | { readonly kind: "unsent"; readonly errno: string }
  /** An answer that could not be read. */
  | { readonly kind: "malformed" };

export interface ResolverHealthBook {
  readonly note: (address: string, port: number, outcome: Outcome) => void;
  /** The resolver wrote the name in another case than it was asked in; that answer is not taken. */
  readonly noteCase: (address: string, port: number) => void;
  /** Forgets every resolver that is not among these. */
  readonly keep: (servers: readonly { readonly address: string; readonly port: number }[]) => void;
  readonly all: () => ResolverHealth[];
}

/** Returns a book in which no resolver has done anything wrong. */
export function createResolverHealth(): ResolverHealthBook {
  const book = new Map<string, ResolverHealth>();
  const change = (address: string, port: number, by: (old: ResolverHealth) => ResolverHealth): void => {
    const key = `${address} ${port}`;
    book.set(key, by(book.get(key) ?? well(address, port)));
  };
  return {
    note: (address, port, outcome) =>
      change(address, port, (old) => {
        if (outcome.kind === "unsent") return { ...old, unsent: old.unsent + 1, errno: outcome.errno };
        if (outcome.kind === "silent") return { ...old, silent: old.silent + 1 };
        if (outcome.kind === "malformed") return { ...old, silent: 0, failed: old.failed + 1, rcode: null };
        const isGood = outcome.rcode === RCODE.noerror || outcome.rcode === RCODE.nxdomain;
        if (isGood) return well(address, port);
        return { ...old, silent: 0, failed: old.failed + 1, rcode: outcome.rcode };
      }),
    noteCase: (address, port) => change(address, port, (old) => ({ ...old, miscased: old.miscased + 1 })),
    keep: (servers) => {
      const wanted = new Set(servers.map(({ address, port }) => `${address} ${port}`));
      for (const key of book.keys()) if (!wanted.has(key)) book.delete(key);
    },
    all: () => [...book.values()],
  };
}

function well(address: string, port: number): ResolverHealth {
  return { address, port, silent: 0, unsent: 0, errno: null, failed: 0, rcode: null, miscased: 0 };
}
