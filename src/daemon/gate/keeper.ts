/** Keeps the gates: which policies they judge by, that they run, that the kernel knows it, what they tell. */
import { chmodSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { readLandmark } from "../../apply/landmark.ts";
import { VERSION } from "../../core/base/version.ts";
import type { FromGate } from "../../core/gate/message.ts";
import { gatedScopes } from "../../core/policy/gated.ts";
import type { PrefixSet } from "../../core/net/prefix-set.ts";
import { ownAddresses } from "../../edge/host/own-address.ts";
import { readResolvers } from "../../edge/host/resolv-conf.ts";
import { readLive } from "../../edge/kernel/live.ts";
import { openSetElements, type SetElements } from "../../edge/kernel/set-elements.ts";
import { createGuard, type Guard } from "../guarded.ts";
import { createTurns, type Turns } from "../turns.ts";
import { type Beliefs, createBeliefs } from "./belief.ts";
import { ContainerKeeper } from "./container-keeper.ts";
import { doorsOf, hasMoreDoors, heldByOthers, isEnforced, networksOf } from "./door-plan.ts";
import type { GateKeeperOptions } from "./keeper-options.ts";
import { nameResolvers } from "./kernel-signs.ts";
import { type LinkServer, openLinkServer } from "./link-server.ts";
import { createPinKeeper, type PinKeeper, type PinWish } from "./pin-keeper.ts";
import { allOf, isSame, type KnownPolicy, type PoliciesInForce, policiesInForce } from "./policy-watch.ts";
import { createGateProcess, type GateProcess } from "./process.ts";
import { setupOf, Setups } from "./setups.ts";
import { TroubleLook } from "./trouble-look.ts";

export interface GateKeeper {
  /** Looks at the kernel now; resolves once the gates judge by what it holds. `comingId`: loaded, not yet in force. */
  readonly sync: (
    comingId: number | null,
  ) => Promise<{ readonly ready: boolean; readonly trouble: readonly string[] }>;
  /** Our table was made anew: everything that was pinned in it is pinned again. */
  readonly refill: () => void;
  /** What keeps names from being decided. */
  readonly troubles: TroubleLook;
  readonly stop: () => void;
}

const LOOK_STEP_MS = 250;
/** How often resolvers and containers are named anew; every time makes those begin again who list a large set. */
const SIGN_STEP_MS = 20_000;
/** LIMIT: how long a change waits for gates: one that is silent, and the fresh one that takes its place. */
const SYNC_WAIT_MS = 25_000;
/** LIMIT: how long a gate that is not needed any more may take to end. */
const STOP_WAIT_MS = 3_000;
/** LIMIT: how long a change waits for dockerd to say where the containers are that its rules name. */
const PINNED_WAIT_MS = 2_000;
/** LIMIT: how long a policy that was announced is waited for. */
const COMING_MS_MAX = 60_000;
/** How long wishes that failed are gathered before the kernel is looked at for them. */
const FAILED_PIN_WAIT_MS = 50;
/** How soon doors that could not be opened are tried again. */
const TROUBLE_WAIT_MS = 2_000;
const DNS_PORT = 53;
/** How long a gate of an earlier daemon is waited for before one is started. */
const RELINK_WAIT_MS = 600;
const LINK_FILE = "gate.sock";
const NOBODY: PoliciesInForce = { committed: null, candidate: null, coming: null };

/** Starts to keep the gates. Refuses when its socket cannot be made. */
export async function startGateKeeper(options: GateKeeperOptions): Promise<GateKeeper> {
  // The gates come back to a new daemon as their own user, so they must be able to reach its socket.
  chmodSync(options.folders.run, 0o711);
  const keeper = new Keeper(options);
  await keeper.start();
  return keeper;
}

class Keeper implements GateKeeper {
  readonly options: GateKeeperOptions;
  readonly elements: SetElements = openSetElements();
  readonly pins: PinKeeper = createPinKeeper(this.elements);
  readonly process: GateProcess;
  readonly startedMs = performance.now();
  readonly setups = new Setups();
  link: LinkServer | null = null;
  known = NOBODY;
  knownAround = "";
  trouble: readonly string[] = [];
  /** Of that, what no gate said. */
  ownTrouble: readonly string[] = [];
  readonly troubles: TroubleLook;
  isSetUp = false;
  isStopped = false;
  /** Of the gate that is linked; null while one retires, which is no loss. */
  gateVersion: string | null = VERSION;
  coming: { readonly id: number; readonly untilMs: number } | null = null;
  soon: Promise<boolean> | null = null;
  timers: NodeJS.Timeout[] = [];
  /** Since when the gate that is linked is told to stop. */
  stopSinceMs: number | null = null;
  /** Whether it is the gate that says it has trouble, and not we. */
  isGateTroubled = false;
  /** Whether it did not answer the last setup. */
  isMute = false;
  replacedMs = -Infinity;
  readonly beliefs: Beliefs;
  readonly containers: ContainerKeeper;
  /** Resolves once the containers of the policies in force are pinned, or dockerd did not say where they are. */
  pinned: Promise<void> = Promise.resolve();
  readonly setupTurns: Turns<boolean> = createTurns();
  /** How many setups are not answered yet. */
  settingUp = 0;
  readonly guard: Guard;

  constructor(options: GateKeeperOptions) {
    this.options = options;
    this.guard = createGuard(options.say);
    const { folders, nowMs, say } = options;
    this.troubles = new TroubleLook(this);
    this.beliefs = createBeliefs(options.refusalKeyOf);
    this.containers = new ContainerKeeper({ pins: this.pins, state: folders.state, nowMs, say });
    this.process = createGateProcess(`${options.folders.run}/${LINK_FILE}`, () => performance.now(), say);
  }

  async start(): Promise<void> {
    const { folders, gateUid } = this.options;
    this.link = await openLinkServer({
      path: `${folders.run}/${LINK_FILE}`,
      gateUid,
      onLink: this.guard.callback("the gate was not told", (version: string) => {
        this.gateVersion = version;
        return this.greet();
      }),
      onMessage: this.guard.callback("the gate was not answered", (message: FromGate) => this.take(message)),
      onLoss: this.guard.callback("no gate is started", () => this.lose()),
      ownPid: () => this.process.pid(),
      isOwnWanted: () => this.process.startedMs() < this.replacedMs + SYNC_WAIT_MS,
      killOwn: () => this.process.kill(),
      say: this.options.say,
    });
    this.timers = [
      setInterval(
        this.guard.callback("the gate is not watched", () => {
          this.link?.ping(performance.now());
          return this.look();
        }),
        LOOK_STEP_MS,
      ),
      setInterval(
        this.guard.callback("resolvers and containers are not named anew", () => this.nameAround()),
        SIGN_STEP_MS,
      ),
    ];
    this.troubles.start();
    await this.look();
  }

  stop(): void {
    this.isStopped = true;
    this.troubles.stop();
    for (const timer of this.timers) clearInterval(timer);
    this.containers.stop();
    this.link?.close();
    this.elements.close();
  }

  /**
   * A gate that says it cannot, or says nothing, may be one that is taken over: a change is refused on the word of a
   * gate only if that gate was started for this change, and so has read nothing of anybody yet.
   */
  async sync(comingId: number | null): Promise<{ ready: boolean; trouble: readonly string[] }> {
    const beganMs = performance.now();
    this.coming = comingId === null ? null : { id: comingId, untilMs: beganMs + COMING_MS_MAX };
    for (;;) {
      const isDone = await this.look();
      if (isDone && (!this.isGateTroubled || this.isGateBelieved(beganMs))) {
        await Promise.race([this.pinned, sleep(PINNED_WAIT_MS, null, { ref: false })]);
        return { ready: this.trouble.length === 0 || this.isNoWorse(), trouble: this.trouble };
      }
      const nowMs = performance.now();
      if (nowMs - beganMs > SYNC_WAIT_MS) return { ready: false, trouble: ["the gate did not start"] };
      if ((this.isGateTroubled || (!isDone && this.isMute)) && !this.isFresh(beganMs)) this.replaceGate();
      await sleep(20);
    }
  }

  /** Whether the doors that a gate cannot open are missing already: then a refusal would protect nothing. */
  isNoWorse(): boolean {
    const { committed, coming } = this.known;
    if (!this.isGateTroubled || committed === null || coming === null) return false;
    return isEnforced(committed) && !hasMoreDoors(coming, committed, this.containers.bridges);
  }

  /** Whether the gate was started after that moment, by us. */
  isFresh(sinceMs: number): boolean {
    return this.process.pid() !== null && this.process.startedMs() >= sinceMs;
  }

  /** What a gate says of its doors is believed where the kernel says the same, and of one that is fresh. */
  isGateBelieved(sinceMs: number): boolean {
    return this.isFresh(sinceMs) || heldByOthers(this.doors(), this.options.gateUid);
  }

  replaceGate(): void {
    this.options.say("the gate has trouble or does not answer; a fresh one takes its place");
    this.isGateTroubled = false;
    this.isMute = false;
    this.replacedMs = performance.now();
    this.link?.end();
    this.process.kill();
  }

  doors(): ReturnType<typeof doorsOf> {
    return doorsOf(
      allOf(this.known).map(({ policy }) => policy),
      this.containers.bridges,
    );
  }

  refill(): void {
    this.known = NOBODY;
    void this.look();
  }

  async nameAround(): Promise<void> {
    if (allOf(this.known).length === 0) return;
    nameResolvers(this.elements, this.resolvers());
    await this.containers.pin();
  }

  take(message: FromGate): Promise<void> | void {
    const { candidate, committed } = this.known;
    switch (message.kind) {
      case "pin":
        this.setups.work();
        return this.answerPin(message);
      case "ready":
        return this.setups.answer(message.id, message.trouble);
      case "report": {
        const believed = this.beliefs.believe(message.report, performance.now());
        if (believed === null) return this.options.onUnbelieved();
        return this.options.onReport(believed, (candidate ?? committed)?.generation ?? 0);
      }
      case "pong":
        return this.troubles.heard(message.health ?? null);
      case "hello":
    }
  }

  lose(): void {
    if (this.isStopped) return;
    this.isSetUp = false;
    this.stopSinceMs = null;
    this.isMute = false;
    this.setups.lose();
    if (allOf(this.known).length === 0) return;
    if (this.gateVersion !== null) this.options.say("the gate ended; it is started again");
    this.process.ensure();
  }

  /** After an upgrade: the gate of before has told by now what it had pinned; what is open in it ends in its own time. */
  retireOther(): void {
    const version = this.gateVersion;
    if (version === null || version === VERSION || allOf(this.known).length === 0) return;
    this.options.say(
      `the gate is of version ${version}: ours takes its place, open connections have a minute`,
    );
    this.gateVersion = null;
    this.link?.send({ kind: "retire" });
  }

  /** A set may have gone with the policy it belonged to: the kernel is looked at, and the wish tried once more. */
  async answerPin(wish: PinWish): Promise<void> {
    let outcome = this.pins.pin(wish, this.options.nowMs());
    if (outcome === "failed") {
      await this.lookSoon();
      outcome = this.pins.pin(wish, this.options.nowMs());
    }
    // What opens nothing needs no pin: the kernel refuses it by itself.
    this.link?.send({ kind: "pinned", id: wish.id, ok: outcome !== "failed" });
  }

  resolvers(): GateKeeperOptions["resolvers"] {
    const { resolvers } = this.options;
    return resolvers.length > 0 ? resolvers : readResolvers().map((address) => ({ address, port: DNS_PORT }));
  }

  /** Tells the gates everything anew; resolves to whether they follow. One at a time: what is asked meanwhile is next. */
  setUp(withBindings: boolean): Promise<boolean> {
    this.settingUp += 1;
    const done = this.setupTurns.take(`${withBindings}`, () => this.setUpNow(withBindings));
    return done.finally(() => (this.settingUp -= 1));
  }

  /** Its doors first; what an earlier gate had bound may be much to pin. */
  async greet(): Promise<void> {
    if (await this.setUp(false)) await this.setUp(true);
  }

  async setUpNow(withBindings: boolean): Promise<boolean> {
    if (this.link?.isLinked() !== true) return false;
    const trouble = await this.containers.findBridges(networksOf(allOf(this.known)));
    const found = await this.tell(withBindings);
    this.isMute = found === null && this.link.isLinked();
    if (found === null) return false;
    const all = [...trouble, ...found];
    for (const one of all) {
      if (!this.trouble.includes(one)) this.options.say(`the gate cannot listen: ${one}`);
    }
    this.trouble = all;
    this.ownTrouble = trouble;
    this.isGateTroubled = found.length > 0;
    this.isSetUp = true;
    this.retireOther();
    return true;
  }

  /** Resolves to what the gates cannot do, or to null where none answers. */
  async tell(withBindings: boolean): Promise<readonly string[] | null> {
    const { link, known, options } = this;
    if (link === null || !link.isLinked()) return null;
    const resolvers = this.resolvers();
    nameResolvers(this.elements, resolvers);
    const bindings = withBindings ? this.pins.bindings(options.nowMs()) : [];
    const setup = setupOf(known, { doors: this.doors(), resolvers, bindings }, options.refusalKeyOf);
    return this.setups.ask((id) => link.send({ ...setup, id }));
  }

  /** Never throws: what is wrong is said, and the next look may find it right. */
  async look(): Promise<boolean> {
    try {
      return await this.lookClosely();
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      if (!this.trouble.includes(message)) this.options.say(message);
      this.trouble = [message];
      this.ownTrouble = [message];
      return false;
    }
  }

  /** However many wishes fail at once, the kernel is looked at once for all of them. */
  lookSoon(): Promise<boolean> {
    this.soon ??= sleep(FAILED_PIN_WAIT_MS).then(() => {
      this.soon = null;
      return this.look();
    });
    return this.soon;
  }

  async lookClosely(): Promise<boolean> {
    const coming = this.comingId();
    const live = readLive();
    // Somebody took our table away, and it comes back: that is no reason to end what the gates carry.
    if (live === null && readLandmark(this.options.folders)?.committed != null) return this.isSetUp;
    const found = policiesInForce(this.options.folders.state, live, coming);
    const own = ownAddresses();
    const around = JSON.stringify([this.resolvers(), [...own.v4.first], own.v6.first.map(String)]);
    const isNew = !isSame(found, this.known) || around !== this.knownAround;
    this.known = found;
    this.knownAround = around;
    const policies = allOf(found);
    if (isNew) this.follow(policies, own);
    if (policies.every(({ policy }) => gatedScopes(policy).length === 0)) {
      this.stopGate();
      return true;
    }
    this.stopSinceMs = null;
    if (this.link?.isLinked() !== true) {
      if (performance.now() - this.startedMs > RELINK_WAIT_MS || coming !== null) this.process.ensure();
      return false;
    }
    return isNew || this.isDue() ? this.setUp(false) : this.isSetUp;
  }

  /** One that an earlier daemon started is told, too; one that does not listen is ended. */
  stopGate(): void {
    this.process.stop();
    if (this.link?.isLinked() !== true) return;
    const nowMs = performance.now();
    if (this.stopSinceMs === null) {
      this.stopSinceMs = nowMs;
      this.link.send({ kind: "stop" });
    } else if (nowMs - this.stopSinceMs > STOP_WAIT_MS) this.link.end();
  }

  comingId(): number | null {
    return this.coming !== null && performance.now() < this.coming.untilMs ? this.coming.id : null;
  }

  follow(policies: readonly KnownPolicy[], own: PrefixSet): void {
    this.beliefs.follow(
      policies.map(({ policy }) => policy),
      performance.now(),
    );
    this.pins.setPolicies(policies, own, this.options.nowMs());
    this.pinned = this.containers.follow(policies);
  }

  /** A gate that was too slow the last time, or whose doors were taken, is asked again. */
  isDue(): boolean {
    if (this.settingUp > 0) return false;
    const isTroubled = this.trouble.length > 0 && performance.now() - this.setups.lastMs > TROUBLE_WAIT_MS;
    return !this.isSetUp || isTroubled;
  }
}
