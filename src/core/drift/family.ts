/** The table families of nf_tables by their number (NFPROTO_ of linux/netfilter.h). */
export const TABLE_FAMILIES = {
  1: "inet",
  2: "ip",
  3: "arp",
  5: "netdev",
  7: "bridge",
  10: "ip6",
} as const;

export type TableFamily = (typeof TABLE_FAMILIES)[keyof typeof TABLE_FAMILIES] | "unknown";

export function tableFamily(number: number): TableFamily {
  return (TABLE_FAMILIES as Readonly<Record<number, TableFamily>>)[number] ?? "unknown";
}
