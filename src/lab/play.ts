import process from "node:process";
import { apply } from "./chapter/apply.ts";
import { before } from "./chapter/before.ts";
import { inbound } from "./chapter/inbound.ts";
import { openLedger } from "./ledger.ts";
import type { LabOrder, Message } from "./row.ts";
import { startDaemon } from "./seawall.ts";
import { buildWorld } from "./world.ts";

/** Plays every chapter in these namespaces and tells each row. Without `keep` the world ends after the last. */
export async function play(order: LabOrder, tell: (message: Message) => void): Promise<void> {
  const world = await buildWorld();
  const daemon = await startDaemon();
  const scene = { world, ledger: openLedger(tell), policies: order.policies };
  await before(scene);
  await apply(scene);
  await inbound(scene);
  void daemon;
  tell({
    kind: "end",
    players: { host: process.pid, internet: world.internet.pid, container: world.container.pid },
  });
  if (!order.keep) process.stdout.write("", () => process.exit(0));
}
