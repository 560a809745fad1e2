/** Addresses with ports on the command line. */
import { SeawallError } from "../core/base/error.ts";
import { canonicalHost } from "../core/net/hostname.ts";
import { formatIp } from "../core/net/ip.ts";
import type { CommandContext } from "./command.ts";

export interface Place {
  readonly address: string;
  readonly port: number;
}

/** LIMIT: resolvers of one gate. */
const PLACES_MAX = 8;

/** Returns what a flag names, `ADDR:PORT[,ADDR:PORT ...]`; nothing when it is not given. Refuses anything else. */
export function placesOf({ flags }: CommandContext, flag: string): Place[] {
  const text = flags[flag];
  if (typeof text !== "string") return [];
  return text
    .split(",")
    .slice(0, PLACES_MAX)
    .map((one) => placeOf(flag, one));
}

function placeOf(flag: string, text: string): Place {
  const match = /^(.+):([0-9]{1,5})$/.exec(text);
  const host = canonicalHost(match?.[1] ?? "");
  const port = Number(match?.[2]);
  if (host.kind === "address" && port <= 65_535) return { address: formatIp(host.ip), port };
  throw new SeawallError("SEAWALL_USAGE", `--${flag} is an address and a port, not \`${text}\``, {
    help: `--${flag} 127.0.0.1:18901`,
  });
}
