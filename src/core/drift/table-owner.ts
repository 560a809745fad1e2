/** Whose rules a table of nf_tables holds, as far as names tell. */
import type { TableFamily } from "./family.ts";

/** One table with its chains, by the names that the kernel has. */
export interface RulesTable {
  readonly family: TableFamily;
  readonly name: string;
  readonly chains: readonly string[];
}

export interface OwnedTable extends RulesTable {
  /** Programs as their users write them (`Docker`, `UFW`); several where they share iptables' tables; none if unknown. */
  readonly owners: readonly string[];
}

/** What somebody has lost: tables that hold nothing of theirs any more. */
export interface LostRules {
  /** A program, or null for tables of whose owner nothing is known. */
  readonly owner: string | null;
  /** As `ip filter`. */
  readonly tables: readonly string[];
  /** Whether nothing of theirs is left in any table. */
  readonly everything: boolean;
}

/** Programs with tables of their own: the family is part of the name only where it tells them apart. */
const BY_TABLE: readonly (readonly [pattern: RegExp, owner: string])[] = [
  [/^inet seawall$/, "Seawall"],
  [/^ip6? docker-bridges$/, "Docker"],
  [/^\w+ f2b-table$/, "fail2ban"],
  [/^\w+ firewalld(?:_|$)/, "firewalld"],
  [/^ip6? libvirt_network$/, "libvirt"],
  [/^\w+ netavark$/, "Podman"],
  [/^\w+ crowdsec6?$/, "CrowdSec"],
  [/^inet lxd$/, "LXD"],
  [/^inet incus$/, "Incus"],
  [/^ip6? nm-shared-/, "NetworkManager"],
  [/^ip6? io\.systemd\.nat$/, "systemd-networkd"],
  [/^ip6? wg-quick-/, "wg-quick"],
  [/^\w+ kube-proxy$/, "Kubernetes"],
  [/^inet foomuuri$/, "foomuuri"],
  [/^\w+ sshguard$/, "sshguard"],
];

/** Programs that put chains into tables which they share. */
const BY_CHAIN: readonly (readonly [pattern: RegExp, owner: string])[] = [
  [/^ufw6?-/, "UFW"],
  [/^DOCKER(?:$|[-_])/, "Docker"],
  [/^f2b-/, "fail2ban"],
  [/^LIBVIRT_/, "libvirt"],
  [/^ts-(?:input|forward|postrouting)$/, "Tailscale"],
  [/^(?:NETAVARK[-_]|CNI-)/, "Podman"],
  [/^KUBE-/, "Kubernetes"],
  [/^cali-/, "Calico"],
  [/^nm-sh-(?:in|fw)-/, "NetworkManager"],
  [/^CROWDSEC/, "CrowdSec"],
];

/** Returns the table with the programs that its names tell of. */
export function withOwners(table: RulesTable): OwnedTable {
  const label = tableLabel(table);
  const owners = new Set(BY_TABLE.flatMap(([pattern, owner]) => (pattern.test(label) ? [owner] : [])));
  for (const [pattern, owner] of BY_CHAIN) {
    if (table.chains.some((chain) => pattern.test(chain))) owners.add(owner);
  }
  return { ...table, owners: [...owners] };
}

/** Returns the table as nft writes it, `ip filter`. */
export function tableLabel({ family, name }: Pick<RulesTable, "family" | "name">): string {
  return `${family} ${name}`;
}

/**
 * Returns what each program had and has no more, those without a name last. A table that lives on without the
 * chains of a program is lost to that program alone; chains emptied of their rules are not noticed.
 */
export function lostRules(earlier: readonly OwnedTable[], later: readonly OwnedTable[]): LostRules[] {
  const had = tablesByOwner(earlier);
  const has = tablesByOwner(later);
  // A table whose owner is only unknown by now still stands.
  const standing = new Set(later.map(tableLabel));
  return [...had]
    .flatMap(([owner, tables]) => {
      const left = owner === null ? standing : (has.get(owner) ?? new Set<string>());
      const lost = [...tables].filter((label) => !left.has(label));
      const everything = lost.length === tables.size;
      return lost.length === 0 ? [] : [{ owner, tables: lost, everything }];
    })
    .toSorted((a, b) => Number(a.owner === null) - Number(b.owner === null));
}

function tablesByOwner(tables: readonly OwnedTable[]): Map<string | null, Set<string>> {
  const found = new Map<string | null, Set<string>>();
  for (const table of tables) {
    for (const owner of table.owners.length === 0 ? [null] : table.owners) {
      const labels = found.get(owner) ?? new Set<string>();
      found.set(owner, labels.add(tableLabel(table)));
    }
  }
  return found;
}
