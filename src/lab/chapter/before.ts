import { ATTACKER, CONTAINER4, METADATA, OPERATOR, PORT } from "../address.ts";
import { keepOpen, outTo, type Scene, toHost } from "./scene.ts";

/** A server as it is found: Docker publishes, the gateway listens everywhere, and nothing says no. */
export async function before({ world, ledger }: Scene): Promise<void> {
  ledger.chapter("Before: nothing of Seawall is in the kernel (the container is wired as dockerd wires it)");
  const unread = "Seawall is off";
  await ledger.attempt({
    claim: "the OpenClaw gateway is open to anybody, IPv4 and IPv6",
    direction: "inbound",
    probes: toHost(world, PORT.gateway, ATTACKER),
    wire: "connected",
    said: "gateway",
    unread,
  });
  await ledger.attempt({
    claim: "the container that Docker publishes is open to anybody",
    direction: "inbound",
    probes: [
      ...toHost(world, PORT.published, ATTACKER),
      { by: world.internet, from: ATTACKER[0], to: CONTAINER4, port: PORT.container },
    ],
    wire: "connected",
    said: "shop",
    unread,
  });
  await ledger.attempt({
    claim: "the agent can ask for the cloud's credentials of this machine",
    direction: "outbound",
    probes: outTo(world.agent, METADATA, 80),
    wire: "connected",
    said: "internet",
    unread,
  });
  await ledger.settle();
  await Promise.all([
    keepOpen(world, PORT.gateway, ATTACKER[0], "intruder"),
    keepOpen(world, PORT.ssh, OPERATOR, "operator"),
  ]);
}
