/** Names decide: what the agent's model is called, not where it happens to be. */
import { setTimeout as sleep } from "node:timers/promises";
import { CDN, PASTE, RESOLVER, SITE } from "../address.ts";
import { gatePorts } from "../../core/policy/gate-port.ts";
import { tally } from "../ledger.ts";
import type { Player } from "../player.ts";
import type { Fetched, FetchRequest } from "../player/request.ts";
import type { Row } from "../row.ts";
import { type Daemon, killGate, namedFlows, policyFile, seawallOk, startDaemon } from "../seawall.ts";
import type { Scene } from "./scene.ts";

const FETCH_DEADLINE_MS = 3_000;
/** How long the log may take: a gate tells at once, the daemon writes every 250 ms. */
const LOG_MS = 3_000;
const LOG_STEP_MS = 200;

interface NamedClaim {
  readonly claim: string;
  /** Each starts when its turn comes. */
  readonly attempts: readonly (() => Promise<Fetched>)[];
  readonly expected: string;
  /** `verdict rule-or-reason` of the newest line about this name; null: none is expected. */
  readonly log: { readonly host: string; readonly words: string } | null;
}

/** Enforces names, then kills the gate and brings it back. Returns the daemon that runs in the end. */
export async function names(scene: Scene, daemon: Daemon): Promise<Daemon> {
  const { ledger, policies, world } = scene;
  ledger.chapter(
    "Outbound by name: DNS, TLS and HTTP say who is meant, and the kernel lets nothing past that",
  );
  await daemon.kill();
  const started = await startDaemon();
  seawallOk("apply", policyFile("names", policies.names), "--confirm-within", "60s");
  seawallOk("confirm", "--console");
  for (const claim of [...allowed(world.agent), ...denied(world.agent)]) ledger.row(await show(claim));
  ledger.row(await tunnel(scene));
  ledger.row(await withoutGate(scene, started));
  ledger.row(await comesBack(world.agent));
  await ledger.settle();
  return started;
}

function fetchFrom(
  agent: Player,
  scheme: FetchRequest["scheme"],
  host: string,
  more: Partial<FetchRequest> = {},
): Promise<Fetched> {
  const proxyPort = gatePorts(1).proxy;
  return agent.ask<Fetched>({
    do: "fetch",
    scheme,
    host,
    family: 4,
    resolver: RESOLVER,
    proxyPort,
    deadlineMs: FETCH_DEADLINE_MS,
    ...more,
  });
}

function allowed(agent: Player): NamedClaim[] {
  const { listed, below } = SITE;
  return [
    {
      claim: "a listed name is reached over TLS and HTTP, IPv4 and IPv6",
      attempts: [
        () => fetchFrom(agent, "https", listed),
        () => fetchFrom(agent, "http", listed),
        () => fetchFrom(agent, "https", listed, { family: 6 }),
      ],
      expected: `this is ${listed} x3`,
      log: { host: listed, words: "accept api" },
    },
    {
      claim: "a name below a wildcard is reached, and through the explicit proxy",
      attempts: [() => fetchFrom(agent, "https", below), () => fetchFrom(agent, "proxy", below)],
      expected: `this is ${below} x2`,
      log: { host: below, words: "accept files" },
    },
  ];
}

function denied(agent: Player): NamedClaim[] {
  const { listed, neighbour, unlisted, inside } = SITE;
  return [
    {
      claim: "an unlisted name does not exist, whatever resolver is asked",
      attempts: [
        () => fetchFrom(agent, "https", unlisted),
        () => fetchFrom(agent, "https", unlisted, { family: 6 }),
      ],
      expected: "unknown name x2",
      log: { host: unlisted, words: "refuse default" },
    },
    {
      claim: "its address is refused when it is known already",
      attempts: PASTE.map((to) => () => fetchFrom(agent, "https", unlisted, { to })),
      expected: "refused x2",
      log: null,
    },
    {
      claim: "a neighbour on the listed name's address is refused by its name: TLS",
      attempts: [() => fetchFrom(agent, "https", neighbour, { to: CDN[0] })],
      expected: "alert",
      log: { host: neighbour, words: "refuse default" },
    },
    {
      claim: "a neighbour on the listed name's address is refused by its name: HTTP",
      attempts: [() => fetchFrom(agent, "http", neighbour, { to: CDN[0] })],
      expected: "403 default",
      log: { host: neighbour, words: "refuse default" },
    },
    {
      claim: "the explicit proxy says the same, with the reason",
      attempts: [() => fetchFrom(agent, "proxy", unlisted)],
      expected: "403 default",
      log: { host: unlisted, words: "refuse default" },
    },
    {
      claim: "a listed name that leads to a private address is refused",
      attempts: [() => fetchFrom(agent, "http", inside)],
      expected: "unknown name",
      log: { host: inside, words: "refuse private-address" },
    },
    {
      claim: "the doors of the gate are no way in by themselves",
      attempts: [() => fetchFrom(agent, "http", listed, { to: "127.0.0.1" })],
      expected: "refused",
      log: null,
    },
  ];
}

async function show({ claim, attempts, expected, log }: NamedClaim): Promise<Row> {
  const ended = await Promise.all(attempts.map((attempt) => attempt()));
  const seen = tally(ended.map(({ outcome, said }) => said ?? outcome));
  const logged = log === null ? "-" : await loggedAbout(log.host, log.words);
  const held = seen === expected && (log === null || logged === log.words);
  return {
    claim,
    direction: "outbound",
    expected: log === null ? expected : `${expected}; ${log.words}`,
    seen,
    log: logged,
    held,
  };
}

/** The newest words of the log about a name, once they are the ones that are waited for or the time is over. */
async function loggedAbout(host: string, wanted: string): Promise<string> {
  for (let waited = 0; ; waited += LOG_STEP_MS) {
    await sleep(LOG_STEP_MS);
    const flow = namedFlows().findLast((one) => one.host === host);
    const words = flow === undefined ? "-" : `${flow.verdict} ${flow.rule ?? flow.reason}`;
    if (words === wanted || waited >= LOG_MS) return words;
  }
}

/** Data in the labels of a question must not reach anybody's name server. */
async function tunnel({ world }: Scene): Promise<Row> {
  const suffix = `tunnel.${SITE.unlisted}`;
  const labels = ["c2VjcmV0", "a2V5cw", "ZG9uZQ"];
  const ended = await Promise.all(
    labels.map((label) =>
      world.agent.ask<Fetched>({
        do: "resolve",
        host: `${label}.${suffix}`,
        type: "TXT",
        resolver: RESOLVER,
      }),
    ),
  );
  const packets = await world.internet.ask<number>({ do: "asked", suffix });
  const seen = `${tally(ended.map(({ outcome }) => outcome))}; ${packets} packets`;
  const expected = "unknown name x3; 0 packets";
  return {
    claim: "a DNS tunnel carries nothing out",
    direction: "outbound",
    expected,
    seen,
    log: "-",
    held: seen === expected,
  };
}

/** What counts is what arrives: how an attempt that meets a dying door ends is the kernel's business. */
async function withoutGate({ world }: Scene, daemon: Daemon): Promise<Row> {
  // Held, so that it does not start the next gate meanwhile, however slow this machine is.
  daemon.hold();
  try {
    await killGate();
    const before = await world.internet.ask<number>({ do: "taken" });
    const ended = await Promise.all([
      fetchFrom(world.agent, "https", SITE.listed, { to: CDN[0] }),
      fetchFrom(world.agent, "http", SITE.unlisted, { to: PASTE[0] }),
    ]);
    const arrived = (await world.internet.ask<number>({ do: "taken" })) - before;
    const words = tally(ended.map(({ outcome, said }) => said ?? outcome));
    return {
      claim: "kill -9 of the gate: nothing gets past it, listed or not",
      direction: "outbound",
      expected: "0 arrive",
      seen: `${arrived} arrive; ${words}`,
      log: "-",
      held: arrived === 0 && ended.every(({ outcome }) => outcome !== "fetched"),
    };
  } finally {
    daemon.release();
  }
}

/** The daemon starts the gate again; what was pinned still counts. */
async function comesBack(agent: Player): Promise<Row> {
  const claim = "the gate is back by itself";
  const expected = `this is ${SITE.listed}`;
  let seen = "-";
  for (let attempt = 0; attempt < 100 && seen !== expected; attempt += 1) {
    await sleep(150);
    const { outcome, said } = await fetchFrom(agent, "https", SITE.listed);
    seen = said ?? outcome;
  }
  return { claim, direction: "outbound", expected, seen, log: "-", held: seen === expected };
}
