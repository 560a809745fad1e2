/** A namespace of its own on a bridge, as a container of that network would have it. Nothing of it stays behind. */
import { SeawallError } from "../core/base/error.ts";
import { formatIp4, formatIp6, parseIp } from "../core/net/ip.ts";
import { runSync, start } from "../edge/host/command.ts";

export interface Room {
  /** A process that holds the namespace. */
  readonly pid: number;
  /** The bridge's own IPv4 address. */
  readonly gateway: string;
  readonly close: () => void;
}

interface BridgeAddress {
  readonly family: "inet" | "inet6";
  readonly local: string;
  readonly prefixlen: number;
  readonly scope: string;
}

/** LIMIT: IFNAMSIZ, 15 characters. One for each run, so that two at once do not take each other's away. */
const LINK = `sw-p${process.pid}`.slice(0, 15);
/** LIMIT: the namespace goes by itself after this many seconds, whatever becomes of us. */
const HELD_SECONDS = "60";
/** How often a child is asked whether it is in its own namespace yet. */
const LOOKS = 400;

/** Makes a namespace with an address of the bridge's network. Refuses where that does not work. */
export function openRoom(bridge: string): Room {
  const addresses = addressesOf(bridge);
  const gateway = addresses.find(({ family }) => family === "inet");
  if (gateway === undefined) throw refused(bridge, "it has no IPv4 address");
  // It dies with this process, also by kill -9, and the interface with it.
  const holder = start("unshare", ["-n", "sleep", HELD_SECONDS], ["ignore", "ignore", "ignore"]);
  const close = (): void => {
    holder.kill("SIGKILL");
    runSync("ip", ["link", "del", LINK]);
  };
  const { pid } = holder;
  if (pid !== undefined && isApart(pid) && wire(bridge, addresses, pid))
    return { pid, gateway: gateway.local, close };
  close();
  throw refused(bridge, "no namespace could be wired to it");
}

/** The child is in a namespace of its own once it is no longer in ours. */
function isApart(pid: number): boolean {
  for (let look = 0; look < LOOKS; look += 1) {
    const [own, its] = ["/proc/self/ns/net", `/proc/${pid}/ns/net`].map(
      (path) => runSync("readlink", [path]).stdout,
    );
    if (its !== "" && its !== own) return true;
  }
  return false;
}

function wire(bridge: string, addresses: readonly BridgeAddress[], pid: number): boolean {
  const inside = ["nsenter", `--net=/proc/${pid}/ns/net`, "ip"];
  const steps = [
    ["ip", "link", "add", LINK, "type", "veth", "peer", "name", "eth0", "netns", String(pid)],
    ["ip", "link", "set", LINK, "master", bridge, "up"],
    [...inside, "link", "set", "lo", "up"],
    [...inside, "link", "set", "eth0", "up"],
    ...addresses.flatMap(({ family, local, prefixlen }) => {
      const six = family === "inet6" ? ["-6"] : [];
      const address = `${freeAddress(local, prefixlen)}/${prefixlen}`;
      return [
        [...inside, ...six, "addr", "add", address, "dev", "eth0", ...(six.length > 0 ? ["nodad"] : [])],
        [...inside, ...six, "route", "add", "default", "via", local],
      ];
    }),
  ];
  return steps.every(([program = "", ...args]) => runSync(program, args).status === 0);
}

/** The last but two of the network: address managers give from the front. */
function freeAddress(local: string, prefixlen: number): string {
  const ip = parseIp(local);
  if (ip === undefined) return local;
  if (ip.family === 6) {
    const size = 1n << BigInt(128 - prefixlen);
    return formatIp6((ip.value / size) * size + size - 3n);
  }
  const size = 2 ** (32 - prefixlen);
  return formatIp4(Math.floor(ip.value / size) * size + size - 3);
}

/** One of each family that containers are given. */
function addressesOf(bridge: string): BridgeAddress[] {
  const result = runSync("ip", ["-j", "addr", "show", "dev", bridge]);
  if (result.status !== 0) return [];
  const links = JSON.parse(result.stdout) as readonly { readonly addr_info?: readonly BridgeAddress[] }[];
  const all = links.flatMap(({ addr_info: found }) => found ?? []).filter(({ scope }) => scope === "global");
  return (["inet", "inet6"] as const).flatMap((family) => all.find((one) => one.family === family) ?? []);
}

function refused(bridge: string, why: string): SeawallError {
  return new SeawallError("SEAWALL_SCOPE", `nothing can be tried from the bridge \`${bridge}\`: ${why}`, {
    still: "the kernel keeps the rules it has",
    help: `ip addr show dev ${bridge}`,
  });
}
