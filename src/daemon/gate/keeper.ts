/** Keeps the gates: which policies they judge by, that they run, that the kernel knows it, what they tell. */
import { chmodSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { scopeInterfaces } from "../../apply/scope.ts";
import type { DoorPlan, FromGate, ToGate } from "../../core/gate/message.ts";
import type { GateReport } from "../../core/gate/report.ts";
import { gatedScopes, isOfThisHost } from "../../core/policy/gated.ts";
import type { ResolvedPolicy } from "../../core/policy/resolved.ts";
import { containerAddresses } from "../../edge/docker/network.ts";
import { addressesOf, ownAddresses } from "../../edge/host/own-address.ts";
import { readResolvers } from "../../edge/host/resolv-conf.ts";
import { readLive } from "../../edge/kernel/live.ts";
import { openSetElements } from "../../edge/kernel/set-elements.ts";
import type { Folders } from "../../edge/state/folder.ts";
import { nameResolvers } from "./kernel-signs.ts";
import { type LinkServer, openLinkServer } from "./link-server.ts";
import { createPinKeeper } from "./pin-keeper.ts";
import { allOf, isSame, type PoliciesInForce, policiesInForce } from "./policy-watch.ts";
import { createGateProcess } from "./process.ts";

export interface GateKeeper {
  /** Looks at the kernel now; resolves once the gates judge by what it holds. `comingId`: loaded, not yet in force. */
  readonly sync: (
    comingId: number | null,
  ) => Promise<{ readonly ready: boolean; readonly trouble: readonly string[] }>;
  readonly state: () => GateState;
  readonly stop: () => void;
}

export interface GateState {
  readonly needed: boolean;
  readonly running: boolean;
  readonly trouble: readonly string[];
}

export interface GateKeeperOptions {
  readonly folders: Folders;
  readonly gateUid: number;
  /** Named by the operator; else those of resolv.conf. */
  readonly resolvers: readonly { readonly address: string; readonly port: number }[];
  readonly nowMs: () => number;
  readonly err: (text: string) => void;
  readonly onReport: (report: GateReport, generation: number) => void;
}

const LOOK_STEP_MS = 250;
/** How often resolvers and containers are named anew; every time makes those begin again who list a large set. */
const SIGN_STEP_MS = 20_000;
/** LIMIT: how long a setup may take: doors, and the pins of what is known. */
const SETUP_WAIT_MS = 10_000;
/** LIMIT: how long a policy that was announced is waited for. */
const COMING_MS_MAX = 30_000;
/** How long wishes that failed are gathered before the kernel is looked at for them. */
const FAILED_PIN_WAIT_MS = 50;
/** How soon doors that could not be opened are tried again. */
const TROUBLE_WAIT_MS = 2_000;
const DNS_PORT = 53;
/** How long a gate of an earlier daemon is waited for before one is started. */
const RELINK_WAIT_MS = 600;
const NOBODY: PoliciesInForce = { committed: null, candidate: null, coming: null };

/** Starts to keep the gates. Refuses when its socket cannot be made. */
export async function startGateKeeper(options: GateKeeperOptions): Promise<GateKeeper> {
  const { folders, gateUid, nowMs, err, onReport } = options;
  const elements = openSetElements();
  const pins = createPinKeeper(elements);
  const ready = new Map<number, (trouble: readonly string[]) => void>();
  let known = NOBODY;
  let knownAround = "";
  let lastSetup = 0;
  let trouble: readonly string[] = [];
  let isSetUp = false;
  /** Setups that no gate has answered yet. */
  let settingUp = 0;
  let lastSetUpMs = 0;
  let comingId: number | null = null;
  let comingUntilMs = 0;
  const startedMs = performance.now();
  // The gates come back to a new daemon as their own user, so they must be able to reach its socket.
  chmodSync(folders.run, 0o711);

  const take = (message: FromGate): void => {
    switch (message.kind) {
      case "pin":
        return void answerPin(message);
      case "ready":
        ready.get(message.id)?.(message.trouble);
        return;
      case "report":
        return onReport(message.report, (known.candidate ?? known.committed)?.generation ?? 0);
      case "hello":
      case "pong":
    }
  };
  /** A set may have gone with the policy it belonged to: the kernel is looked at, and the wish tried once more. */
  const answerPin = async (wish: Extract<FromGate, { kind: "pin" }>): Promise<void> => {
    let outcome = pins.pin(wish, nowMs());
    if (outcome === "failed") {
      await lookSoon();
      outcome = pins.pin(wish, nowMs());
    }
    // What opens nothing needs no pin: the kernel refuses it by itself.
    link.send({ kind: "pinned", id: wish.id, ok: outcome !== "failed" });
  };
  const link: LinkServer = await openLinkServer({
    path: `${folders.run}/gate.sock`,
    gateUid,
    onLink: () => {
      void setUp(true);
    },
    onMessage: take,
    onLoss: () => {
      isSetUp = false;
      for (const end of ready.values()) end(["the gate ended"]);
      if (allOf(known).length === 0) return;
      err("seawalld: the gate ended; it is started again\n");
      process.ensure();
    },
  });
  const process = createGateProcess(link.path, () => performance.now());
  const resolversNow = (): { address: string; port: number }[] =>
    options.resolvers.length > 0
      ? [...options.resolvers]
      : readResolvers().map((address) => ({ address, port: DNS_PORT }));

  /** Tells the gates everything anew; resolves to whether they follow. */
  const setUp = async (withBindings: boolean): Promise<boolean> => {
    if (!link.isLinked()) return false;
    settingUp += 1;
    lastSetUpMs = performance.now();
    try {
      return await tellAll(withBindings);
    } finally {
      settingUp -= 1;
    }
  };
  const tellAll = async (withBindings: boolean): Promise<boolean> => {
    const own = ownAddresses();
    const resolvers = resolversNow();
    nameResolvers(elements, resolvers);
    lastSetup += 1;
    const id = lastSetup;
    const message: ToGate = {
      kind: "setup",
      id,
      committed: known.committed?.policy ?? null,
      candidate: known.candidate,
      ownAddresses: own,
      doors: doorsOf(allOf(known).map(({ policy }) => policy)),
      resolvers,
      bindings: withBindings ? pins.bindings(nowMs()) : [],
    };
    link.send(message);
    const found = await answerOf(ready, id);
    if (found === null) return false;
    for (const one of found) if (!trouble.includes(one)) err(`seawalld: the gate cannot listen: ${one}\n`);
    trouble = found;
    isSetUp = true;
    return true;
  };

  /** Never throws: what is wrong is said, and the next look may find it right. */
  const look = async (): Promise<boolean> => {
    try {
      return await lookClosely(performance.now() < comingUntilMs ? comingId : null);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      if (!trouble.includes(message)) err(`seawalld: ${message}\n`);
      trouble = [message];
      return false;
    }
  };
  let soon: Promise<boolean> | null = null;
  /** However many wishes fail at once, the kernel is looked at once for all of them. */
  const lookSoon = (): Promise<boolean> => {
    soon ??= sleep(FAILED_PIN_WAIT_MS).then(() => {
      soon = null;
      return look();
    });
    return soon;
  };
  const lookClosely = async (coming: number | null): Promise<boolean> => {
    const found = policiesInForce(folders.state, readLive(), coming);
    const around = JSON.stringify([
      resolversNow(),
      [...ownAddresses().v4.first],
      ownAddresses().v6.first.map(String),
    ]);
    const isNew = !isSame(found, known) || around !== knownAround;
    known = found;
    knownAround = around;
    if (allOf(known).length === 0) {
      // One that an earlier daemon started is told, too.
      link.send({ kind: "stop" });
      process.stop();
      return true;
    }
    if (isNew) pins.setPolicies(allOf(known), ownAddresses(), nowMs());
    if (isNew) pins.pinContainers(containerAddresses);
    if (allOf(known).every(({ policy }) => gatedScopes(policy).length === 0)) return true;
    if (!link.isLinked()) {
      if (performance.now() - startedMs > RELINK_WAIT_MS || coming !== null) process.ensure();
      return false;
    }
    // One that was too slow the last time is asked again, or it would never count as set up; so is one whose doors
    // were taken, by a gate of an earlier daemon that ends in a moment.
    const isTroubled = trouble.length > 0 && performance.now() > lastSetUpMs + TROUBLE_WAIT_MS;
    const isLate = settingUp === 0 && (!isSetUp || isTroubled);
    return isNew || isLate ? setUp(false) : isSetUp;
  };

  const timers = [
    setInterval(() => {
      link.ping(performance.now());
      void look();
    }, LOOK_STEP_MS),
    setInterval(() => {
      if (allOf(known).length === 0) return;
      nameResolvers(elements, resolversNow());
      pins.pinContainers(containerAddresses);
    }, SIGN_STEP_MS),
  ];
  await look();
  return {
    sync: async (coming) => {
      comingId = coming;
      comingUntilMs = coming === null ? 0 : performance.now() + COMING_MS_MAX;
      const untilMs = performance.now() + SETUP_WAIT_MS;
      for (;;) {
        const isReady = await look();
        if (isReady) return { ready: trouble.length === 0, trouble };
        if (performance.now() > untilMs) return { ready: false, trouble: ["the gate did not start"] };
        await sleep(20);
      }
    },
    state: () => ({ needed: allOf(known).length > 0, running: isSetUp && link.isLinked(), trouble }),
    stop: () => {
      for (const timer of timers) clearInterval(timer);
      link.close();
      elements.close();
    },
  };
}

function answerOf(
  ready: Map<number, (trouble: readonly string[]) => void>,
  id: number,
): Promise<readonly string[] | null> {
  return new Promise((resolve) => {
    const end = (found: readonly string[] | null): void => {
      clearTimeout(timer);
      ready.delete(id);
      resolve(found);
    };
    const timer = setTimeout(() => end(null), SETUP_WAIT_MS);
    ready.set(id, end);
  });
}

/** One set of doors for each scope of any policy; a scope keeps its doors while any of them needs it. */
function doorsOf(policies: readonly ResolvedPolicy[]): DoorPlan[] {
  const plans = new Map<string, DoorPlan>();
  for (const policy of policies) {
    const interfaces = scopeInterfaces(policy);
    for (const scope of gatedScopes(policy)) {
      const { name, index } = scope;
      const here = isOfThisHost(scope);
      const addresses = here ? ["127.0.0.1", "::1"] : (interfaces.get(name) ?? []).flatMap(addressesOf);
      plans.set(`${name} ${index}`, { scope: name, index, addresses, hasProxy: here });
    }
  }
  return [...plans.values()];
}
