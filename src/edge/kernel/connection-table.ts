/** How large the connection table of this machine is. */
const { readFileSync } = process.getBuiltinModule("node:fs");

const FILE = "/proc/sys/net/netfilter/nf_conntrack_max";

/** Returns how many connections the kernel keeps track of at most, or null when it does not say, or has no limit. */
export function connectionsMax(): number | null {
  try {
    const value = Number(readFileSync(FILE, "utf8"));
    return Number.isSafeInteger(value) && value > 0 ? value : null;
  } catch {
    return null;
  }
}
