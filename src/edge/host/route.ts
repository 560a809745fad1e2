import { formatIp, type Ip } from "../../core/net/ip.ts";
import { runSync } from "./command.ts";

/** Returns the interface by which packets to (and so normally from) an address travel, or null. */
export function interfaceTo(ip: Ip): string | null {
  const result = runSync("ip", ["-j", "route", "get", formatIp(ip)]);
  if (result.status !== 0) return null;
  try {
    const [route] = JSON.parse(result.stdout) as readonly { readonly dev?: string }[];
    return route?.dev ?? null;
  } catch {
    return null;
  }
}
