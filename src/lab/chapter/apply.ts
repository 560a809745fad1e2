import { setTimeout as sleep } from "node:timers/promises";
import { ATTACKER, PORT } from "../address.ts";
import { policyFile, seawallOk, status } from "../seawall.ts";
import { fact, sayOver, type Scene, toHost } from "./scene.ts";

/** The first policy: on trial, then kept. */
export async function apply({ world, ledger, policies }: Scene): Promise<void> {
  ledger.chapter("Apply: a change is on trial until it is confirmed");
  seawallOk("apply", policyFile("watching", policies.watching), "--confirm-within", "60s");
  const pending = status();
  ledger.row(
    fact(
      "the kernel goes back by itself unless somebody confirms",
      "both",
      "pending",
      pending.state,
      pending.confirmBy ?? "-",
    ),
  );
  await ledger.attempt({
    claim: "on trial, the policy judges already: the gateway is closed",
    direction: "inbound",
    probes: toHost(world, PORT.gateway, ATTACKER),
    wire: "refused",
    log: "refuse guard.gateway",
  });
  ledger.row(
    fact(
      "on trial, not even the intruder's older connection is cut",
      "inbound",
      "echoed",
      await sayOver(world.internet, "intruder"),
    ),
  );
  seawallOk("confirm", "--console");
  const confirmed = status();
  ledger.row(
    fact("confirmed, it stays", "both", "enforcing", confirmed.state, `generation ${confirmed.generation}`),
  );
  await sleep(100);
  ledger.row(
    fact(
      "confirmed, the intruder's old connection is cut",
      "inbound",
      "reset",
      await sayOver(world.internet, "intruder"),
    ),
  );
  ledger.row(
    fact(
      "confirmed, the operator's login goes on",
      "inbound",
      "echoed",
      await sayOver(world.internet, "operator"),
    ),
  );
  await ledger.settle();
}
