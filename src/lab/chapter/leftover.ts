/** What a process of the agent left with the kernel when it exited: its packets belong to no user any more. */
import { AGENT_UID, ELSEWHERE, MODEL, PORT } from "../address.ts";
import { startPlayer } from "../player.ts";
import type { Row } from "../row.ts";
import type { World } from "../world.ts";

/** More than the reader's kernel takes unread, less than the writer's keeps. */
const BYTES = 128 * 1024;
const QUIET_MS = 1_200;
const FIRST_PORT = 23_000;

/** Source ports of the two connections whose process is gone. */
export interface Leftovers {
  readonly listed: number;
  readonly unlisted: number;
}

/** Two processes of the agent hand data to the kernel, for a reader that does not read, and exit. */
export async function leaveBehind(): Promise<Leftovers> {
  const leave = async (firstPort: number, to: string): Promise<number> => {
    const player = await startPlayer({ firstPort, uid: AGENT_UID });
    return player.ask({ do: "leave", to, port: PORT.slow, bytes: BYTES });
  };
  const [listed, unlisted] = await Promise.all([
    leave(FIRST_PORT, MODEL[0]),
    leave(FIRST_PORT + 1, ELSEWHERE[0]),
  ]);
  return { listed, unlisted };
}

/** The reader reads on: only what a listed destination is owed arrives. */
export async function readLeftovers(world: World, { listed, unlisted }: Leftovers): Promise<Row> {
  const bytes = await world.internet.ask<Record<string, number>>({
    do: "drain",
    port: PORT.slow,
    quietMs: QUIET_MS,
  });
  const [to, not] = [bytes[String(listed)] ?? 0, bytes[String(unlisted)] ?? 0];
  return {
    claim: "what an exited process left is cut off, except to listed places",
    direction: "outbound",
    expected: `${BYTES} bytes listed, less elsewhere`,
    seen: `${to} bytes; ${not} bytes`,
    log: "listed; unlisted",
    held: to === BYTES && not < BYTES,
  };
}
