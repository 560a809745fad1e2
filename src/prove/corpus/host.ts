/** Ways to services of this host, and by them to everything else. */
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import type { Judged } from "../row.ts";
import { held, notPossible, notShown } from "../row.ts";
import { judgeFlow, type Scene, tryAddress } from "../scene.ts";
import { NOBODY } from "../person.ts";
import { openWitness } from "../witness.ts";
import type { Entry } from "./entry.ts";

const DASHBOARD_PORT = 18_900;

export const HOST: readonly Entry[] = [
  {
    id: "loopback-ipv4",
    title: "a service of this host on 127.0.0.1",
    run: (scene) => own(scene, "127.0.0.1"),
  },
  { id: "loopback-ipv6", title: "a service of this host on ::1", run: (scene) => own(scene, "::1") },
  {
    id: "own-address",
    title: "a service of this host on its own public address",
    run: (scene) => outer(scene, 4),
  },
  {
    id: "own-address-ipv6",
    title: "a service of this host on its own IPv6 address",
    run: (scene) => outer(scene, 6),
  },
  { id: "other-user", title: "a port of another user on 127.0.0.1", run: otherUser },
  {
    id: "gate-tls",
    title: "the gate's TLS port, not diverted",
    run: (scene) => gatePort(scene, scene.ports.tls),
  },
  {
    id: "gate-http",
    title: "the gate's HTTP port, not diverted",
    run: (scene) => gatePort(scene, scene.ports.http),
  },
  {
    id: "gate-dns",
    title: "the gate's DNS port, not diverted",
    run: (scene) => gatePort(scene, scene.ports.dns),
  },
  { id: "dashboard", title: `Seawall's own control port (${DASHBOARD_PORT})`, run: dashboard },
  { id: "after-exit", title: "packets that the kernel sends after the process is gone", run: afterExit },
];

const OWN_LOOPBACK = "it has a loopback of its own";

async function own(scene: Scene, address: string): Promise<Judged> {
  const { place, witness } = scene;
  if (place.kind === "guest") return notPossible(OWN_LOOPBACK);
  if (!witness.addresses.includes(address)) return notPossible(`this host has no ${address}`);
  return reach(scene, address, witness.port);
}

function outer(scene: Scene, family: 4 | 6): Promise<Judged> {
  const { witness, place } = scene;
  const address = outerAddress(witness.addresses, family, place.nearAddress);
  if (address === undefined)
    return Promise.resolve(notPossible(`this host has no IPv${family} address but loopback`));
  return reach(scene, address, witness.port);
}

function outerAddress(addresses: readonly string[], family: 4 | 6, near: string | null): string | undefined {
  const outside = addresses.filter((one) => one !== "127.0.0.1" && one !== "::1");
  const ofFamily = outside.filter((one) => one.includes(":") === (family === 6));
  return ofFamily.find((one) => one !== near) ?? ofFamily[0];
}

/** Root reaches it, so it listens; then the agent tries. */
async function reach(scene: Scene, address: string, port: number): Promise<Judged> {
  if (!(await scene.witness.reaches(address, port)))
    return notPossible(`nothing listens on ${address} port ${port}, not even for root`);
  return tryAddress(scene, { do: "tcp", address, port });
}

async function otherUser(scene: Scene): Promise<Judged> {
  if (scene.place.kind === "guest") return notPossible(OWN_LOOPBACK);
  const listening = await scene.outsider(NOBODY).ask({ do: "listen" });
  if (listening.outcome !== "reached") return notPossible(`no port for uid ${NOBODY.uid}: ${listening.code}`);
  return reach(scene, "127.0.0.1", Number(listening.text));
}

function gatePort(scene: Scene, port: number): Promise<Judged> {
  if (!scene.hasGate) return Promise.resolve(notPossible("no rule is by name, so it has no gate"));
  return reachNear(scene, port);
}

/** A guest's 127.0.0.1 is its own: it meets this host at the address that leads to it. */
function reachNear(scene: Scene, port: number): Promise<Judged> {
  const address = nearAddress(scene);
  return address === null ? Promise.resolve(notPossible(NOT_NEAR)) : reach(scene, address, port);
}

function nearAddress({ place }: Scene): string | null {
  return place.nearAddress ?? (place.kind === "guest" ? null : "127.0.0.1");
}

const NOT_NEAR = "this host has no address on the interface that leads there";

/** Where no dashboard runs, root stands in for it, so that there is something to reach. */
async function dashboard(scene: Scene): Promise<Judged> {
  const standIn = await openWitness({ port: DASHBOARD_PORT, addresses: [nearAddress(scene) ?? "127.0.0.1"] });
  try {
    return await reachNear(scene, DASHBOARD_PORT);
  } finally {
    standIn.close();
  }
}

/** Time in which what was sent on this host has come to its listener. */
const ARRIVAL_MS = 300;

/** After a process its packets have no uid, so a rule by uid alone lets them pass. */
async function afterExit(scene: Scene): Promise<Judged> {
  const near = scene.place.nearAddress;
  const address = near ?? outerAddress(scene.witness.addresses, 4, null) ?? "127.0.0.1";
  const ear = await openWitness({ port: 0, addresses: [address] });
  try {
    const control = await vanishing(scene.outsider(NOBODY), ear, address);
    if (typeof control === "string") return notShown(control);
    if (control === 0)
      return notPossible("what a process sends with its last breath does not arrive here at all");
    const arrived = await vanishing(scene.another(), ear, address);
    if (typeof arrived === "string") return notShown(arrived);
    const decision = scene.decide(null, address, ear.port, "tcp");
    if (arrived === 0 && !decision.observed) return held(`0 of ${control} arrived`);
    if (arrived === 0) return notPossible("nothing arrived, and not by Seawall, which only watches");
    const answer = {
      outcome: "reached",
      code: `${arrived} of ${control} arrived`,
      ms: ARRIVAL_MS,
      text: "",
      dns: null,
    } as const;
    return await judgeFlow(scene, answer, { address, port: ear.port, protocol: "tcp" });
  } finally {
    ear.close();
  }
}

/** How many came of it; or why nothing is shown: it has to end by itself, once it has sent. */
async function vanishing(
  person: ReturnType<Scene["another"]>,
  ear: Awaited<ReturnType<typeof openWitness>>,
  address: string,
): Promise<number | string> {
  const before = ear.heard();
  const { outcome, code } = await person.ask({ do: "vanish", address, port: ear.port });
  if (outcome === "failed") return code;
  await sleep(ARRIVAL_MS);
  // What arrived while this process was busy is taken before it is counted.
  await setImmediate();
  return ear.heard() - before;
}
