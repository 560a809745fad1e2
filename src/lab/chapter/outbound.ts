import {
  AGENT_UID,
  BRIDGE4,
  ELSEWHERE,
  HOST4,
  HOST6,
  METADATA,
  MODEL,
  OFFICE,
  PORT,
  RESOLVER,
} from "../address.ts";
import type { Claim } from "../ledger.ts";
import { canPing } from "../player/attempt.ts";
import { policyFile, seawallOk } from "../seawall.ts";
import { leaveBehind, readLeftovers } from "./leftover.ts";
import { fact, outTo, sayOver, type Scene, toHost } from "./scene.ts";

/** What the agent may reach: first only watched, then enforced. */
export async function outbound(scene: Scene): Promise<void> {
  const { world, ledger, policies } = scene;
  ledger.chapter("Outbound, only watched");
  for (const claim of watched(scene)) await ledger.attempt(claim);
  const leftovers = await leaveBehind();
  await ledger.settle();

  ledger.chapter("Outbound, enforced");
  seawallOk("apply", policyFile("enforcing", policies.enforcing), "--confirm-within", "60s");
  seawallOk("confirm", "--console");
  const after = await sayOver(world.agent, "elsewhere");
  ledger.row(fact("a connection that was only watched is cut", "outbound", "reset", after));
  ledger.row(await readLeftovers(world, leftovers));
  for (const claim of [...reached(scene), ...refused(scene), ...beside(scene)]) await ledger.attempt(claim);
  await ledger.settle();
}

function watched({ world }: Scene): Claim[] {
  const direction = "outbound";
  return [
    {
      claim: "an unlisted destination passes, and the log says it would not",
      direction,
      probes: outTo(world.agent, ELSEWHERE, PORT.https, { keep: "elsewhere" }),
      wire: "connected",
      said: "internet",
      log: "would refuse default",
    },
    {
      claim: "cloud metadata is refused even now",
      direction,
      probes: outTo(world.agent, METADATA, 80),
      wire: "refused",
      log: "refuse guard.metadata",
    },
  ];
}

function reached({ world }: Scene): Claim[] {
  const direction = "outbound";
  return [
    {
      claim: "the agent reaches its model",
      direction,
      probes: outTo(world.agent, MODEL, PORT.https),
      wire: "connected",
      said: "internet",
      log: "accept model",
    },
    {
      claim: "the agent reaches its own gateway over loopback",
      direction,
      probes: outTo(world.agent, ["127.0.0.1"], PORT.gateway),
      wire: "connected",
      said: "gateway",
      log: "accept own-gateway",
    },
  ];
}

function refused({ world }: Scene): Claim[] {
  const { agent } = world;
  const udp = { protocol: "udp" } as const;
  const rows: readonly (readonly [claim: string, probes: Claim["probes"], rule: string])[] = [
    [
      "unlisted addresses, and other ports of listed ones, are refused",
      [...outTo(agent, ELSEWHERE, PORT.https), ...outTo(agent, MODEL, 80)],
      "default",
    ],
    ["cloud metadata is refused", outTo(agent, METADATA, 80), "guard.metadata"],
    ["QUIC is refused, to a listed address too", outTo(agent, [...MODEL, ELSEWHERE[0]], 443, udp), "default"],
    [
      "DNS to a foreign resolver is refused: UDP, TCP and TLS",
      [...outTo(agent, [RESOLVER], 53, udp), ...[53, 853].flatMap((port) => outTo(agent, [RESOLVER], port))],
      "default",
    ],
    [
      "a database of this host is refused, by whatever address",
      outTo(agent, ["127.0.0.1", "::1", HOST4, HOST6], PORT.database),
      "default",
    ],
    [
      "the Docker API of this host is refused",
      outTo(agent, ["127.0.0.1", BRIDGE4], PORT.dockerApi),
      "guard.docker-api-out",
    ],
    [
      "a program that the agent starts is refused",
      outTo(agent, [ELSEWHERE[0]], PORT.https, { child: true }),
      "default",
    ],
  ];
  const claims = rows.map(
    ([claim, probes, rule]): Claim => ({
      claim,
      direction: "outbound",
      probes,
      wire: "refused",
      log: `refuse ${rule}`,
    }),
  );
  return canPing() ? [...claims, pinged(world.host)] : claims;
}

/** Sent by a program that root starts as the agent's user, for it needs a raw socket. */
function pinged(host: Scene["world"]["host"]): Claim {
  return {
    claim: "a ping of the agent goes nowhere",
    direction: "outbound",
    probes: outTo(host, ELSEWHERE, 0, { protocol: "ping", uid: AGENT_UID }),
    wire: "unanswered",
    log: "refuse default",
  };
}

function beside({ world }: Scene): Claim[] {
  return [
    {
      claim: "other users of the host, and containers, are not touched",
      direction: "outbound",
      probes: [
        ...outTo(world.other, ELSEWHERE, PORT.https),
        ...outTo(world.container, ELSEWHERE, PORT.https),
      ],
      wire: "connected",
      said: "internet",
      log: null,
    },
    {
      claim: "what the agent serves answers those who may come in",
      direction: "inbound",
      probes: toHost(world, PORT.panel, OFFICE),
      wire: "connected",
      said: "panel",
      log: "accept panel",
    },
  ];
}
