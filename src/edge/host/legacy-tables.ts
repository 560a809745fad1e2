import { readFileSync } from "node:fs";

/** Whether the kernel has tables of the old iptables (ip_tables, not nf_tables) in this network namespace. */
export function hasLegacyTables(): boolean {
  return ["/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"].some((path) => {
    try {
      return readFileSync(path, "utf8").trim() !== "";
    } catch {
      return false;
    }
  });
}
