/**
 * Asks a question from where a container would ask it: a namespace of its own on the same bridge, or the namespace
 * of the scope itself. Nothing of it stays behind.
 */
import { fileURLToPath } from "node:url";
import { runSync, start } from "./command.ts";

export type GuestPlace =
  | { readonly kind: "bridge"; readonly bridge: string }
  | { readonly kind: "netns"; readonly name: string };

/** LIMIT: how long the answer may take, with the start of who asks. */
const ANSWER_WAIT_MS = 8_000;
const PROBE_LINK = "sw-probe0";

interface BridgeAddress {
  readonly local: string;
  readonly prefixlen: number;
}

/**
 * Returns whether a DNS question from there is answered with NXDOMAIN, as only a gate of ours answers it; a gate that
 * only watches hands it on, so then any answer counts.
 */
export function asksTheGate(place: GuestPlace, isWatched: boolean): boolean {
  if (place.kind === "netns") return ask(`/run/netns/${place.name}`, isWatched);
  const [address] = addressesOf(place.bridge);
  if (address === undefined) return false;
  const holder = start("unshare", ["-n", "sleep", "30"], ["ignore", "ignore", "ignore"]);
  try {
    const { pid } = holder;
    return (
      pid !== undefined &&
      isApart(pid) &&
      wire(place.bridge, address, pid) &&
      ask(`/proc/${pid}/ns/net`, isWatched)
    );
  } finally {
    holder.kill("SIGKILL");
    runSync("ip", ["link", "del", PROBE_LINK]);
  }
}

/** Returns whether something on this host takes datagrams on a port, as ss(8) has it. */
export function isListening(port: number): boolean {
  const { status, stdout } = runSync("ss", ["-Hnul", `sport = :${port}`]);
  return status === 0 && stdout.trim() !== "";
}

function ask(namespace: string, isWatched: boolean): boolean {
  const ending = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const script = fileURLToPath(new URL(`./guest-question.${ending}`, import.meta.url));
  const words = [`--net=${namespace}`, process.execPath, script, ...(isWatched ? ["watched"] : [])];
  return runSync("nsenter", words, { deadlineMs: ANSWER_WAIT_MS }).status === 0;
}

/** The child is in a namespace of its own once it is no longer in ours. */
function isApart(pid: number): boolean {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const [own, its] = [`/proc/self/ns/net`, `/proc/${pid}/ns/net`].map(
      (path) => runSync("readlink", [path]).stdout,
    );
    if (its !== "" && its !== own) return true;
  }
  return false;
}

function wire(bridge: string, { local, prefixlen }: BridgeAddress, pid: number): boolean {
  const inside = ["nsenter", `--net=/proc/${pid}/ns/net`, "ip"];
  const steps = [
    ["ip", "link", "add", PROBE_LINK, "type", "veth", "peer", "name", "eth0", "netns", String(pid)],
    ["ip", "link", "set", PROBE_LINK, "master", bridge, "up"],
    [...inside, "addr", "add", `${freeAddress(local, prefixlen)}/${prefixlen}`, "dev", "eth0"],
    [...inside, "link", "set", "eth0", "up"],
    [...inside, "route", "add", "default", "via", local],
  ];
  return steps.every(([program = "", ...args]) => runSync(program, args).status === 0);
}

/** The last but one of the network: address managers give from the front. */
function freeAddress(local: string, prefixlen: number): string {
  const value = local.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - prefixlen);
  const last = Math.floor(value / size) * size + size - 3;
  return [24, 16, 8, 0].map((shift) => Math.floor(last / 2 ** shift) % 256).join(".");
}

function addressesOf(bridge: string): BridgeAddress[] {
  const result = runSync("ip", ["-j", "-4", "addr", "show", "dev", bridge]);
  if (result.status !== 0) return [];
  const links = JSON.parse(result.stdout) as readonly { readonly addr_info?: readonly BridgeAddress[] }[];
  return links.flatMap(({ addr_info: found }) => found ?? []);
}
