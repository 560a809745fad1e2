import process from "node:process";
import { apply } from "./chapter/apply.ts";
import { before } from "./chapter/before.ts";
import { draft } from "./chapter/draft.ts";
import { inbound } from "./chapter/inbound.ts";
import { killed } from "./chapter/killed.ts";
import { lease } from "./chapter/lease.ts";
import { leave } from "./chapter/leave.ts";
import { names } from "./chapter/names.ts";
import { openclaw } from "./chapter/openclaw.ts";
import { outbound } from "./chapter/outbound.ts";
import { stay } from "./chapter/stay.ts";
import type { Scene } from "./chapter/scene.ts";
import { openLedger } from "./ledger.ts";
import type { LabOrder, Message } from "./row.ts";
import { foreignTables, policyFile, seawallOk, startDaemon } from "./seawall.ts";
import type { Player } from "./player.ts";
import { buildWorld } from "./world.ts";

export interface PlayOrder extends LabOrder {
  /** The `node_modules` with the real OpenClaw; without it a stand-in is all there is. */
  readonly openclaw?: string;
}

/** Plays every chapter in these namespaces and tells each row. Without `keep` the world ends after the last. */
export async function play(order: PlayOrder, tell: (message: Message) => void): Promise<void> {
  const world = await buildWorld({ openclaw: order.openclaw !== undefined });
  const tables = foreignTables();
  const daemon = await startDaemon();
  const players = [...new Set(Object.values(world) as readonly Player[])];
  const scene = { world, ledger: openLedger(tell, players), policies: order.policies };
  await before(scene);
  await apply(scene);
  await inbound(scene);
  await outbound(scene);
  await draft(scene);
  const reader = await names(scene, daemon);
  const later = order.openclaw === undefined ? scene : await moveIn(scene, players, order.openclaw, tell);
  await killed(later, reader);
  await lease(later);
  await stay(later);
  await leave(later, tables);
  if (order.keep) await keep(order.policies.names);
  tell({
    kind: "end",
    players: { host: process.pid, internet: world.internet.pid, container: world.container.pid },
  });
  if (!order.keep) process.stdout.write("", () => process.exit(0));
}

/** The real gateway takes the place of the stand-in, who cannot be asked any more. Returns the scene from then on. */
async function moveIn(
  scene: Scene,
  players: readonly Player[],
  modules: string,
  tell: (message: Message) => void,
): Promise<Scene> {
  const ledger = openLedger(
    tell,
    players.filter((player) => player !== scene.world.gateway),
  );
  const later = { ...scene, ledger };
  await openclaw(later, modules);
  return later;
}

/** A world that is looked at is one with Seawall in it. */
async function keep(policy: string): Promise<void> {
  await startDaemon();
  seawallOk("apply", policyFile("enforcing", policy), "--confirm-within", "60s");
  seawallOk("confirm", "--console");
}
