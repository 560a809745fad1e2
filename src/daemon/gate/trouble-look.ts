/** Looks at everything that can keep names from being decided, and keeps what is wrong for `status`. */
import { networkInterfaces } from "node:os";
import type { GateHealth } from "../../core/gate/health.ts";
import type { DoorPlan } from "../../core/gate/message.ts";
import type { DatedTrouble, GateTrouble } from "../../core/gate/trouble.ts";
import { gatedScopes } from "../../core/policy/gated.ts";
import type { ResolvedPolicy } from "../../core/policy/resolved.ts";
import { readResolvConf } from "../../edge/host/resolv-conf.ts";
import { readLive } from "../../edge/kernel/live.ts";
import { openSocketTable } from "../../edge/kernel/socket-table.ts";
import type { Guard } from "../guarded.ts";
import { doorTroubles } from "./door-watch.ts";
import type { GateKeeperOptions } from "./keeper-options.ts";
import type { PinKeeper } from "./pin-keeper.ts";
import { allOf, type PoliciesInForce } from "./policy-watch.ts";
import { resolverTroubles } from "./resolver-trouble.ts";
import { createTroubleBook, type TroubleBook } from "./trouble-book.ts";

/** What the keeper of the gates knows at each moment. */
export interface GateView {
  readonly options: GateKeeperOptions;
  readonly guard: Guard;
  readonly pins: PinKeeper;
  readonly known: PoliciesInForce;
  readonly doors: () => readonly DoorPlan[];
  readonly link: { readonly isLinked: () => boolean } | null;
  /** Whether a gate has carried out its last setup, and whether another one is on its way. */
  readonly isSetUp: boolean;
  readonly settingUp: number;
  /** What a gate said of doors that it could not open. SECURITY: of this only errnos are believed. */
  readonly trouble: readonly string[];
  /** What we found out ourselves: networks that dockerd does not know, a kernel that does not answer. */
  readonly ownTrouble: readonly string[];
  readonly resolvers: () => readonly { readonly address: string; readonly port: number }[];
  /** Ends the gate; another one starts. */
  readonly replaceGate: () => void;
}

const STEP_MS = 1_000;
/** Looks in a row after which a gate whose door was shut under it is ended, and how often that may be. */
const LOST_LOOKS_MAX = 5;
const REPLACE_STEP_MS = 60_000;

export class TroubleLook {
  readonly view: GateView;
  readonly book: TroubleBook;
  health: GateHealth | null = null;
  timer: NodeJS.Timeout | null = null;
  /** Sets of our table at the look before: what is changed just now is not missed. */
  setsBefore: ReadonlySet<string> | null = null;
  lostLooks = 0;
  replacedMs = Number.NEGATIVE_INFINITY;

  constructor(view: GateView) {
    this.view = view;
    this.book = createTroubleBook(view.options.say);
  }

  start(): void {
    const look = this.view.guard.callback("what is wrong with names is not looked for", () => this.look());
    this.timer = setInterval(look, STEP_MS);
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
  }

  /** The gate that is linked says how it is. */
  heard(health: GateHealth | null): void {
    this.health = health;
  }

  look(): void {
    const { options, pins, known } = this.view;
    const now = options.nowMs();
    const policies = allOf(known).map(({ policy }) => policy);
    if (policies.length === 0) return this.book.take([], now);
    const found = [...pins.trouble(this.liveSets(), now)];
    if (policies.some((policy) => gatedScopes(policy).length > 0)) found.push(...this.ofGates(policies));
    this.book.take(found, now);
  }

  /** Null while our table is gone: that is no matter of names, and it comes back. */
  liveSets(): ReadonlySet<string> | null {
    const sets = readLive()?.sets ?? null;
    const before = this.setsBefore;
    this.setsBefore = sets;
    return sets === null || before === null ? null : new Set([...sets, ...before]);
  }

  all(): readonly DatedTrouble[] {
    return this.book.all();
  }

  ofGates(policies: readonly ResolvedPolicy[]): GateTrouble[] {
    const { view } = this;
    const health = view.link?.isLinked() === true ? this.health : null;
    const left = view.options.resolvers.length === 0 ? readResolvConf().left : [];
    const own = view.ownTrouble.map(
      (said): GateTrouble => ({ kind: "network", scope: null, stops: true, said, help: null }),
    );
    return [
      ...this.ofDoors(),
      ...own,
      ...resolverTroubles({ asked: view.resolvers(), left, health: health?.resolvers ?? [] }),
      ...fullScopes(policies, health),
    ];
  }

  ofDoors(): GateTrouble[] {
    const { view } = this;
    const plans = view.doors();
    if (plans.length === 0) return [];
    const isServing = view.isSetUp && view.settingUp === 0 && view.link?.isLinked() === true;
    const here = new Set(
      Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? []),
    );
    const table = openSocketTable();
    try {
      const found = doorTroubles(table, {
        plans,
        gateUid: view.options.gateUid,
        isServing,
        hasAddress: (address) => address === "127.0.0.1" || here.has(address),
        errnos: errnosOf(view.trouble),
      });
      this.replaceIfLost(found.some(({ isLost }) => isLost));
      return found.map(({ trouble }) => trouble);
    } finally {
      table.close();
    }
  }

  /** A gate that opened a door does not know that it was shut since; another one opens it anew. */
  replaceIfLost(isLost: boolean): void {
    this.lostLooks = isLost ? this.lostLooks + 1 : 0;
    const nowMs = performance.now();
    if (this.lostLooks <= LOST_LOOKS_MAX || nowMs - this.replacedMs < REPLACE_STEP_MS) return;
    this.replacedMs = nowMs;
    this.lostLooks = 0;
    this.view.replaceGate();
  }
}

/** `DNS on 127.0.0.1 port 18953: EADDRINUSE`. */
function errnosOf(said: readonly string[]): Map<string, string> {
  return new Map(
    said.flatMap((one): [string, string][] => {
      const [, door, errno] = /^([A-Za-z]{3,5} on \S{2,64} port \d{1,5}): (E[A-Z0-9]{1,20})$/.exec(one) ?? [];
      return door === undefined || errno === undefined ? [] : [[door, errno]];
    }),
  );
}

function fullScopes(policies: readonly ResolvedPolicy[], health: GateHealth | null): GateTrouble[] {
  const names = new Set(policies.flatMap((policy) => gatedScopes(policy).map(({ name }) => name)));
  return [...new Set(health?.full ?? [])].flatMap((scope): GateTrouble[] =>
    names.has(scope) ? [{ kind: "limit", scope, stops: false, said: FULL, help: FULL_HELP }] : [],
  );
}

const FULL = "has as many connections open at the gate as one scope may have; more are refused";
const FULL_HELP = "end what holds them open: restart the agent";
