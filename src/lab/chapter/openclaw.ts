/** The real OpenClaw as the agent: what it is there for works, and every way out that its commands try ends at once. */
import { setTimeout as sleep } from "node:timers/promises";
import { gatePorts } from "../../core/policy/gate-port.ts";
import { ATTACKER, CDN, HOST4, OFFICE, PASTE, PORT, SITE } from "../address.ts";
import { certify } from "../openclaw/certificate.ts";
import { startGateway } from "../openclaw/gateway.ts";
import { makeHome } from "../openclaw/home.ts";
import { OPENCLAW_VERSION } from "../openclaw/install.ts";
import { loggedSince } from "../openclaw/logged.ts";
import { healthy, proxied, type Stage, type Step, waysOut, works } from "../openclaw/step.ts";
import { serveWeb } from "../openclaw/web.ts";
import type { Attempt } from "../player/request.ts";
import { outTo, type Scene, toHost } from "./scene.ts";

const WANTED = { modelUrl: `https://${SITE.listed}/v1`, bind: "lan" } as const;
const PROXY_URL = `http://127.0.0.1:${gatePorts(1).proxy}`;
const ALONE = "it is healthy with its catalogue, telemetry and hub out of reach";
const ALONE_BEHIND_PROXY = "with the proxy set, it is healthy and asks nobody else";
/** LIMIT: looks at the stand-in's port until it is free. */
const LOOKS_MAX = 50;
const LOOK_MS = 100;

/**
 * Needs the names policy in force and a daemon that runs. The gateway stays when it returns, on every address of the
 * host, as the stand-in was.
 */
export async function openclaw(scene: Scene, modules: string): Promise<void> {
  const { ledger, world } = scene;
  ledger.chapter(`OpenClaw ${OPENCLAW_VERSION} itself as the agent`);
  const certified = certify([SITE.listed, SITE.below, SITE.neighbour, SITE.unlisted], Date.now());
  makeHome(modules, certified.root);
  const web = await serveWeb(world.internet.pid, [...CDN, ...PASTE], certified, SITE.listed);
  await freePort(scene);
  const { internet } = world;
  const plain: Stage = { internet, web, gateway: await startGateway(WANTED) };
  await exposed(scene);
  for (const step of [...works(plain), ...waysOut(plain), healthy(plain, ALONE)]) await tell(scene, step);
  await plain.gateway.stop();

  ledger.chapter(`OpenClaw with proxy.proxyUrl ${PROXY_URL}`);
  const gateway = await startGateway({ ...WANTED, proxyUrl: PROXY_URL });
  const second: Stage = { internet, web, gateway };
  for (const step of [...proxied(second), healthy(second, ALONE_BEHIND_PROXY)]) await tell(scene, step);
}

/** The stand-in goes; what it was asked to show is shown. */
async function freePort({ world }: Scene): Promise<void> {
  world.gateway.stop();
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    const { outcome } = await world.agent.ask<Attempt>({
      do: "tcp",
      to: "127.0.0.1",
      port: PORT.gateway,
      deadlineMs: LOOK_MS,
    });
    if (outcome === "refused") return;
    await sleep(LOOK_MS);
  }
}

/** OpenClaw listens on IPv4 only. */
async function exposed({ ledger, world }: Scene): Promise<void> {
  await ledger.attempt({
    claim: "OpenClaw's gateway listens on every address of the host",
    direction: "inbound",
    probes: outTo(world.host, [HOST4], PORT.gateway),
    wire: "connected",
    unread: "from the host itself",
  });
  await ledger.attempt({
    claim: "it is closed to strangers and to the office",
    direction: "inbound",
    probes: toHost(world, PORT.gateway, [ATTACKER[0], OFFICE[0]]),
    wire: "refused",
    log: "refuse guard.gateway",
  });
  await ledger.settle();
}

async function tell({ ledger }: Scene, { claim, expected, log, seen }: Step): Promise<void> {
  const since = new Date().toISOString();
  const outcome = await seen();
  const logged = log === null ? "-" : await loggedSince(since, log.about, log.words);
  ledger.row({
    claim,
    direction: "outbound",
    expected: log === null ? expected : `${expected}; ${log.words}`,
    seen: outcome,
    log: logged,
    held: outcome === expected && (log === null || logged === log.words),
  });
  await ledger.settle();
}
