import { setTimeout as sleep } from "node:timers/promises";
import { ATTACKER, ELSEWHERE, MODEL, OFFICE, PORT, VISITOR } from "../address.ts";
import { runShipped, seawallOk, startDaemon, status, takeTableAway } from "../seawall.ts";
import { fact, outTo, sayOver, type Scene, toHost } from "./scene.ts";

const UNREAD = "not asked";
const STEP_MS = 10;
/** How long healing may take at the latest: a machine under load looks late. */
const HEAL_MS_MAX = 15_000;

/** What becomes of the rules: others take them away, the owner panics, the machine starts anew, the owner is locked out. */
export async function stay(scene: Scene): Promise<void> {
  await healed(scene);
  await panicked(scene);
  await started(scene);
  await rescued(scene);
}

async function healed({ world, ledger }: Scene): Promise<void> {
  ledger.chapter("Somebody deletes our rules: seawalld puts them back");
  const daemon = await startDaemon();
  const began = performance.now();
  takeTableAway();
  while (status().state !== "enforcing" && performance.now() - began < HEAL_MS_MAX) await sleep(STEP_MS);
  const { state, changes } = status();
  const by = changes?.last?.by?.split(" ")[0];
  const who = by === undefined ? "who took them was not seen" : `taken away by ${by}`;
  ledger.row(fact("the rules are back by themselves", "both", "enforcing", state, who));
  await ledger.attempt({
    claim: "and judge as before: strangers are refused",
    direction: "inbound",
    probes: toHost(world, PORT.gateway, ATTACKER),
    wire: "refused",
    unread: UNREAD,
  });
  await daemon.kill();
  await ledger.settle();
}

async function panicked({ world, ledger }: Scene): Promise<void> {
  ledger.chapter("seawall panic: the agent is cut off, SSH stays");
  await world.agent.ask({ do: "rename", name: "sshd" });
  seawallOk("panic");
  await ledger.attempt({
    claim: "a process of the agent that calls itself sshd gets no port",
    direction: "inbound",
    probes: toHost(world, PORT.panel, OFFICE),
    wire: "refused",
    unread: UNREAD,
  });
  await ledger.attempt({
    claim: "the agent reaches nothing, not even its model",
    direction: "outbound",
    probes: [...outTo(world.agent, MODEL, PORT.https), ...outTo(world.agent, ELSEWHERE, PORT.https)],
    wire: "refused",
    unread: UNREAD,
  });
  await ledger.attempt({
    claim: "nothing but SSH comes in",
    direction: "inbound",
    probes: toHost(world, PORT.https, VISITOR),
    wire: "refused",
    unread: UNREAD,
  });
  const operator = await sayOver(world.internet, "operator");
  ledger.row(fact("the operator is still logged in", "inbound", "echoed", operator, status().state));
  seawallOk("panic", "--off");
  await ledger.attempt({
    claim: "panic --off: the agent reaches its model again, and the site is open",
    direction: "both",
    probes: [...outTo(world.agent, MODEL, PORT.https), ...toHost(world, PORT.https, VISITOR)],
    wire: "connected",
    unread: UNREAD,
  });
  await ledger.settle();
}

/** What a start does to the kernel: our table is gone, and nothing of ours runs. */
async function started({ world, ledger }: Scene): Promise<void> {
  ledger.chapter("The machine starts anew: the confirmed rules, without Node");
  takeTableAway();
  const said = runShipped("boot.sh");
  ledger.row(fact("the boot script loads them", "both", "exit 0", `exit ${said}`));
  await ledger.attempt({
    claim: "strangers are refused before anything of Seawall runs",
    direction: "inbound",
    probes: toHost(world, PORT.gateway, ATTACKER),
    wire: "refused",
    unread: UNREAD,
  });
  await ledger.attempt({
    claim: "so is what the agent may not reach",
    direction: "outbound",
    probes: outTo(world.agent, ELSEWHERE, PORT.https),
    wire: "refused",
    unread: UNREAD,
  });
  await ledger.settle();
}

async function rescued({ world, ledger }: Scene): Promise<void> {
  ledger.chapter("seawall rescue: the way back, without Node");
  const said = runShipped("rescue.sh");
  ledger.row(fact("a shell script is enough", "both", "exit 0", `exit ${said}`));
  await ledger.attempt({
    claim: "what the policy closed is open",
    direction: "inbound",
    probes: toHost(world, PORT.panel, ATTACKER),
    wire: "connected",
    unread: UNREAD,
  });
  await ledger.attempt({
    claim: "the guards are not: the gateway stays closed",
    direction: "inbound",
    probes: toHost(world, PORT.gateway, ATTACKER),
    wire: "refused",
    unread: UNREAD,
  });
  await ledger.settle();
}
