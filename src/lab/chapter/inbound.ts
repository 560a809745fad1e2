import {
  ATTACKER,
  BANNED,
  CONTAINER4,
  CONTAINER6,
  HASTY,
  HOST4,
  HOST6,
  OFFICE,
  OFFICE_GUEST,
  PORT,
  RATE,
  VISITOR,
} from "../address.ts";
import type { Claim } from "../ledger.ts";
import { canPing } from "../player/attempt.ts";
import { randomAddresses } from "./random-address.ts";
import { type Scene, toHost } from "./scene.ts";

const STRANGERS = 32;

/** Who may come in. */
export async function inbound(scene: Scene): Promise<void> {
  const { ledger } = scene;
  ledger.chapter("Inbound: enforced, for the host and its containers");
  for (const claim of [
    ...guarded(scene),
    ...listed(scene),
    ...published(scene),
    ...looks(scene),
    ...rated(scene),
  ]) {
    await ledger.attempt(claim);
  }
  if (!canPing()) ledger.note("not shown: ping, inbound and outbound, for this machine has no ping program");
  await ledger.settle();
}

function guarded({ world }: Scene): Claim[] {
  const direction = "inbound";
  const wire = "refused";
  return [
    {
      claim: `the gateway is closed to ${STRANGERS} addresses picked at random`,
      direction,
      probes: toHost(world, PORT.gateway, randomAddresses(STRANGERS)),
      wire,
      log: "refuse guard.gateway",
    },
    {
      claim: "the Docker API is closed, even to the office",
      direction,
      probes: toHost(world, PORT.dockerApi, [...ATTACKER, ...OFFICE]),
      wire,
      log: "refuse guard.docker-api",
    },
    {
      claim: "a port that no rule names is closed",
      direction,
      probes: toHost(world, PORT.database, ATTACKER),
      wire,
      log: "refuse default",
    },
  ];
}

function listed({ world }: Scene): Claim[] {
  const direction = "inbound";
  return [
    {
      claim: "SSH stays open",
      direction,
      probes: toHost(world, PORT.ssh, VISITOR),
      wire: "connected",
      said: "ssh",
      log: "accept ssh",
    },
    {
      claim: "https is open to anybody",
      direction,
      probes: toHost(world, PORT.https, VISITOR),
      wire: "connected",
      said: "web",
      log: "accept web",
    },
    {
      claim: "the panel is open to the office, by prefix",
      direction,
      probes: toHost(world, PORT.panel, OFFICE),
      wire: "connected",
      said: "panel",
      log: "accept panel",
    },
    {
      claim: "the panel is closed to others, and to a guest of the office",
      direction,
      probes: toHost(world, PORT.panel, [...ATTACKER, OFFICE_GUEST]),
      wire: "refused",
      log: "refuse default",
    },
    {
      claim: "a deny beats an allow, whatever their order",
      direction,
      probes: toHost(world, PORT.https, [BANNED]),
      wire: "refused",
      log: "refuse banned",
    },
  ];
}

function published({ world }: Scene): Claim[] {
  const direction = "inbound";
  return [
    {
      claim: "the published container is open to the office",
      direction,
      probes: toHost(world, PORT.published, OFFICE),
      wire: "connected",
      said: "shop",
      log: "accept shop",
    },
    {
      claim: "it is closed to others, also at the container's own address",
      direction,
      probes: [
        ...toHost(world, PORT.published, ATTACKER),
        { by: world.internet, from: ATTACKER[0], to: CONTAINER4, port: PORT.container },
        { by: world.internet, from: ATTACKER[1], to: CONTAINER6, port: PORT.container },
      ],
      wire: "refused",
      log: "refuse default",
    },
  ];
}

function looks({ world }: Scene): Claim[] {
  const direction = "inbound";
  const { telemetry } = PORT;
  const ping: Claim = {
    claim: "a ping is answered",
    direction,
    probes: [HOST4, HOST6].map((to) => ({ by: world.internet, to, port: 0, protocol: "ping" })),
    wire: "answered",
    log: null,
  };
  return [
    {
      claim: "a UDP port is open to the office",
      direction,
      probes: toHost(world, telemetry, OFFICE, { protocol: "udp" }),
      wire: "answered",
      said: "host",
      log: "accept panel",
    },
    {
      claim: "a UDP port that no rule names is refused",
      direction,
      probes: toHost(world, telemetry + 1, ATTACKER, { protocol: "udp" }),
      wire: "refused",
      log: "refuse default",
    },
    {
      claim: "a rule that drops keeps the scanner waiting",
      direction,
      probes: toHost(world, PORT.silent, ATTACKER),
      wire: "timeout",
      log: "drop silent",
    },
    ...(canPing() ? [ping] : []),
  ];
}

function rated({ world }: Scene): Claim[] {
  const direction = "inbound";
  const once = toHost(world, PORT.rated, [HASTY]);
  return [
    {
      claim: `sign-up takes ${RATE} connections a minute of one address`,
      direction,
      probes: Array.from({ length: RATE }, () => once).flat(),
      wire: "connected",
      said: "web",
      log: "accept signup",
    },
    {
      claim: "the one above the rate is refused",
      direction,
      probes: once,
      wire: "refused",
      log: "refuse default",
    },
  ];
}
