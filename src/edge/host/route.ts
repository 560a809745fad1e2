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

/** Returns the interfaces by which the default routes of both families leave. */
export function defaultRouteInterfaces(): string[] {
  return ["-4", "-6"].flatMap((family) => {
    const result = runSync("ip", ["-j", family, "route", "show", "default"]);
    if (result.status !== 0) return [];
    try {
      return (JSON.parse(result.stdout) as readonly { readonly dev?: string }[]).flatMap(
        ({ dev }) => dev ?? [],
      );
    } catch {
      return [];
    }
  });
}
