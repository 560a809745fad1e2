import process from "node:process";
import { apply } from "./chapter/apply.ts";
import { before } from "./chapter/before.ts";
import { inbound } from "./chapter/inbound.ts";
import { killed } from "./chapter/killed.ts";
import { lease } from "./chapter/lease.ts";
import { leave } from "./chapter/leave.ts";
import { names } from "./chapter/names.ts";
import { outbound } from "./chapter/outbound.ts";
import { openLedger } from "./ledger.ts";
import type { LabOrder, Message } from "./row.ts";
import { foreignTables, policyFile, seawallOk, startDaemon } from "./seawall.ts";
import type { Player } from "./player.ts";
import { buildWorld } from "./world.ts";

/** Plays every chapter in these namespaces and tells each row. Without `keep` the world ends after the last. */
export async function play(order: LabOrder, tell: (message: Message) => void): Promise<void> {
  const world = await buildWorld();
  const tables = foreignTables();
  const daemon = await startDaemon();
  const scene = {
    world,
    ledger: openLedger(tell, Object.values(world) as readonly Player[]),
    policies: order.policies,
  };
  await before(scene);
  await apply(scene);
  await inbound(scene);
  await outbound(scene);
  await killed(scene, await names(scene, daemon));
  await lease(scene);
  await leave(scene, tables);
  if (order.keep) await keep(order.policies.names);
  tell({
    kind: "end",
    players: { host: process.pid, internet: world.internet.pid, container: world.container.pid },
  });
  if (!order.keep) process.stdout.write("", () => process.exit(0));
}

/** A world that is looked at is one with Seawall in it. */
async function keep(policy: string): Promise<void> {
  await startDaemon();
  seawallOk("apply", policyFile("enforcing", policy), "--confirm-within", "60s");
  seawallOk("confirm", "--console");
}
