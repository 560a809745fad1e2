/** How large the connection table of this machine is, and how full. Light: `status` reads it. */
const { readFileSync } = process.getBuiltinModule("node:fs");

/** Returns how many connections the kernel keeps track of at most, or null when it does not say. */
export function connectionsMax(): number | null {
  return setting("nf_conntrack_max");
}

/** Returns how many it keeps track of now in this network namespace, or null when it does not say. */
export function connectionsNow(): number | null {
  return setting("nf_conntrack_count");
}

function setting(title: string): number | null {
  try {
    const value = Number(readFileSync(`/proc/sys/net/netfilter/${title}`, "utf8"));
    return Number.isSafeInteger(value) && value > 0 ? value : null;
  } catch {
    return null;
  }
}
