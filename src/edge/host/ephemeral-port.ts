import { readFileSync } from "node:fs";

/** What Linux takes where nothing else is set. */
const DEFAULT_RANGE = [32_768, 60_999] as const;

/** Returns the first and the last of the ports that the kernel gives to connections of this host (ip(7)). */
export function ephemeralPorts(): readonly [first: number, last: number] {
  try {
    const text = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8");
    const [, first, last] = /^(\d+)\s+(\d+)\s*$/.exec(text) ?? [];
    return first === undefined || last === undefined ? DEFAULT_RANGE : [Number(first), Number(last)];
  } catch {
    return DEFAULT_RANGE;
  }
}
