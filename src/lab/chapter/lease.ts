import { setTimeout as sleep } from "node:timers/promises";
import { ATTACKER, HOST4, PORT, VISITOR } from "../address.ts";
import type { Attempt } from "../player/request.ts";
import type { Row } from "../row.ts";
import { policyFile, seawallOk, seawallProcesses, status } from "../seawall.ts";
import type { World } from "../world.ts";
import { fact, keepOpen, sayOver, type Scene, toHost } from "./scene.ts";

const UNREAD = "no reader";
const STEP_MS = 50;
/** How long after the deadline the site may come back at the latest: a machine under load asks late. */
const LATE_MS_MAX = 10_000;
/** `confirmBy` is read after the kernel took the lease, so the kernel's own deadline is a little earlier. */
const EARLY_MS_MAX = 1_500;

/** A mistake that nobody confirms, with nobody alive to take it back. */
export async function lease({ world, ledger, policies }: Scene): Promise<void> {
  ledger.chapter("A mistake: https is closed, nobody confirms, the daemon is dead");
  const file = policyFile("mistake", policies.mistake);
  const printed = seawallOk("apply", file, "--confirm-within", "5s", "--json");
  const { confirmBy } = JSON.parse(printed) as { readonly confirmBy: string };
  await ledger.attempt({
    claim: "the mistake is in force: https is closed",
    direction: "inbound",
    probes: toHost(world, PORT.https, VISITOR),
    wire: "refused",
    unread: UNREAD,
  });
  await keepOpen(world, PORT.candidate, ATTACKER[0], "opportunist");
  const admitted = await sayOver(world.internet, "opportunist");
  const alive = seawallProcesses().length;
  ledger.row(
    fact("no process of Seawall is alive to take it back", "both", "0 processes", `${alive} processes`),
  );
  ledger.row(await comesBack(world, Date.parse(confirmBy)));
  const then = await sayOver(world.internet, "opportunist");
  const claim = "a connection that only the mistake let in is cut";
  ledger.row(fact(claim, "inbound", "echoed, then reset", `${admitted}, then ${then}`));
  await ledger.attempt({
    claim: "what the mistake opened is closed again",
    direction: "inbound",
    probes: toHost(world, PORT.candidate, ATTACKER),
    wire: "refused",
    unread: UNREAD,
  });
  const operator = await sayOver(world.internet, "operator");
  ledger.row(fact("the operator's login went through all of it", "inbound", "echoed", operator));
  const { state, generation } = status();
  ledger.row(
    fact(
      "Seawall says so: the policy before is in force",
      "both",
      "enforcing",
      state,
      `generation ${generation}`,
    ),
  );
  await ledger.settle();
}

/** Asks for the site until it answers. */
async function comesBack(world: World, deadlineMs: number): Promise<Row> {
  let last: Attempt["outcome"] = "timeout";
  while (Date.now() < deadlineMs + LATE_MS_MAX) {
    const begunMs = Date.now();
    const { outcome } = await world.internet.ask<Attempt>({
      do: "tcp",
      to: HOST4,
      port: PORT.https,
      from: VISITOR[0],
      deadlineMs: 500,
    });
    last = outcome;
    if (outcome === "connected") return backRow(begunMs - deadlineMs);
    await sleep(STEP_MS);
  }
  return backRow(null, last);
}

function backRow(afterMs: number | null, last = "connected"): Row {
  const held = afterMs !== null && afterMs >= -EARLY_MS_MAX && afterMs <= LATE_MS_MAX;
  const off = afterMs === null ? "" : ` (+${(Math.max(0, afterMs) / 1_000).toFixed(2)} s)`;
  return {
    claim: "at the deadline https is back, by the kernel alone",
    direction: "inbound",
    expected: "connected at the deadline",
    seen: `${last}${off}`,
    log: UNREAD,
    held,
  };
}
