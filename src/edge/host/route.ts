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

/** Routes that together carry everything: the default route, and the halves that VPNs put before it. */
const UPLINK_ROUTES = new Set(["default", "0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1", "2000::/3"]);

interface Route {
  readonly dst?: string;
  readonly dev?: string;
  readonly nexthops?: readonly { readonly dev?: string }[];
}

/** Returns the interfaces by which packets to anywhere leave, in both families and over every next hop. */
export function uplinkInterfaces(): string[] {
  return ["-4", "-6"].flatMap((family) => {
    const result = runSync("ip", ["-j", family, "route", "show"]);
    if (result.status !== 0) return [];
    try {
      const routes = JSON.parse(result.stdout) as readonly Route[];
      return routes
        .filter(({ dst }) => dst !== undefined && UPLINK_ROUTES.has(dst))
        .flatMap(({ dev, nexthops = [] }) => [dev, ...nexthops.map((hop) => hop.dev)])
        .flatMap((dev) => dev ?? []);
    } catch {
      return [];
    }
  });
}

interface DetailedLink {
  readonly ifname: string;
  readonly linkinfo?: { readonly info_kind?: string; readonly info_data?: { readonly type?: string } };
}

/** Links behind which containers and virtual machines live. */
const GUEST_KINDS = new Set(["bridge", "veth", "macvtap", "macvlan", "ipvlan", "ipvtap", "nlmon", "netkit"]);

/**
 * Returns the interfaces of this namespace behind which there are other networks, not guests of this host:
 * physical and tunnel links, and whatever carries an uplink route.
 */
export function networkInterfaces(uplinkNames: readonly string[]): string[] {
  const result = runSync("ip", ["-j", "-d", "link"]);
  if (result.status !== 0) return [];
  const uplinks = new Set(uplinkNames);
  return (JSON.parse(result.stdout) as readonly DetailedLink[])
    .filter(({ ifname, linkinfo }) => uplinks.has(ifname) || !isGuest(linkinfo))
    .map(({ ifname }) => ifname)
    .filter((name) => name !== "lo");
}

function isGuest(link: DetailedLink["linkinfo"]): boolean {
  const kind = link?.info_kind ?? "";
  return GUEST_KINDS.has(kind) || (kind === "tun" && link?.info_data?.type === "tap");
}
