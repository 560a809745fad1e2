import { ATTACKER, ELSEWHERE, MODEL, OFFICE, PORT } from "../address.ts";
import type { Claim } from "../ledger.ts";
import { counted, type Daemon, killGate } from "../seawall.ts";
import { fact, outTo, type Scene, toHost } from "./scene.ts";

/** Nobody reads the log any more: the kernel goes on. */
export async function killed({ world, ledger }: Scene, daemon: Daemon): Promise<void> {
  ledger.chapter("kill -9 of the daemon and its gate: the kernel goes on");
  await daemon.kill();
  await killGate();
  const before = counted("count_guard.gateway");
  const unread = "no reader";
  const claims: Claim[] = [
    {
      claim: "strangers and unlisted destinations are refused as before",
      direction: "both",
      probes: [...toHost(world, PORT.gateway, ATTACKER), ...outTo(world.agent, ELSEWHERE, PORT.https)],
      wire: "refused",
      unread,
    },
    {
      claim: "the office gets in, the agent reaches its model",
      direction: "both",
      probes: [...toHost(world, PORT.panel, OFFICE), ...outTo(world.agent, MODEL, PORT.https)],
      wire: "connected",
      unread,
    },
  ];
  for (const claim of claims) await ledger.attempt(claim);
  const packets = counted("count_guard.gateway") - before;
  ledger.row(
    fact("what nobody logs is still counted", "inbound", "2 packets", `${packets} packets`, "guard.gateway"),
  );
  await ledger.settle();
}
