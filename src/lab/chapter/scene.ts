import { HOST4, HOST6 } from "../address.ts";
import type { Ledger, Probe } from "../ledger.ts";
import type { Player } from "../player.ts";
import type { LabPolicies } from "../policy.ts";
import type { Row } from "../row.ts";
import type { World } from "../world.ts";

/** What every chapter gets. */
export interface Scene {
  readonly world: World;
  readonly ledger: Ledger;
  readonly policies: LabPolicies;
}

/** Returns attempts on a port of the host, IPv4 and IPv6, from addresses of the internet. */
export function toHost(
  world: World,
  port: number,
  from: readonly string[],
  more: Partial<Probe> = {},
): Probe[] {
  return from.map((source) => ({
    by: world.internet,
    from: source,
    to: source.includes(":") ? HOST6 : HOST4,
    port,
    ...more,
  }));
}

/** Returns attempts of a player of the host on addresses elsewhere. */
export function outTo(by: Player, to: readonly string[], port: number, more: Partial<Probe> = {}): Probe[] {
  return to.map((address) => ({ by, to: address, port, ...more }));
}

/** Returns a row about a plain fact. */
export function fact(
  claim: string,
  direction: Row["direction"],
  expected: string,
  seen: string,
  log = "-",
): Row {
  return { claim, direction, expected, seen, log, held: seen === expected };
}

/** Says a word over a kept connection and tells how it ended. */
export function sayOver(player: Player, key: string): Promise<"echoed" | "reset" | "timeout"> {
  return player.ask({ do: "say", key, deadlineMs: 1_000 });
}

/** Opens a connection that stays; whether it is there is told by a word over it. */
export async function keepOpen(world: World, port: number, from: string, keep: string): Promise<void> {
  await world.internet.ask({ do: "tcp", to: HOST4, port, from, keep, deadlineMs: 1_000 });
}
