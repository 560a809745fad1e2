/** The gates under seawalld: they do what it says, and ask it for every pin. */
import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { GateHealth } from "../core/gate/health.ts";
import { KEY_BYTES, type RefusalKey, refusalKey } from "../core/gate/refusal.ts";
import type { ToGate } from "../core/gate/message.ts";
import { parseHostname } from "../core/net/hostname.ts";
import { parseIp } from "../core/net/ip.ts";
import { EMPTY_SET } from "../core/net/prefix-set.ts";
import { createGate, type Gate } from "../edge/gate/gate.ts";
import { createUpstream, type Upstream } from "../edge/gate/upstream.ts";
import { gateUid } from "../edge/host/gate-user.ts";
import { peerUid } from "../edge/kernel/socket-option.ts";
import { createDoors, type Doors } from "./doors.ts";
import { dropRoot } from "./identity.ts";
import { createKnock } from "./knock.ts";
import { createLink, type Link } from "./link.ts";

export interface LinkedOptions {
  /** The socket of seawalld. */
  readonly path: string;
  readonly err: (text: string) => void;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
}

/** LIMIT: how long the gates go on without a daemon, with what they know and what is pinned. */
const ALONE_MS_MAX = 60_000;
const RETRY_MS = 200;
/** LIMIT: how long connections live on in a gate whose place another version has taken. */
const DRAIN_MS_MAX = 60_000;
/** LIMIT: how often seawalld may close a new link without a word before this gate ends. */
const TURNED_AWAY_MAX = 3;
const REVIEW_STEP_MS = 1_000;
const KEEP_STEP_MS = 30_000;
/** Several signs fit into the time after which the kernel takes the gates for dead. */
const KNOCK_STEP_MS = 300;

/** Runs until the signal, or until no daemon has been there for a minute. */
export async function runLinked(options: LinkedOptions): Promise<void> {
  const gates = new LinkedGates(options);
  await gates.link.open();
  dropRoot(gateUid());
  options.err("seawall-gate: linked to seawalld\n");
  const knock = createKnock();
  const timers = [
    setInterval(() => gates.isServing && knock(), KNOCK_STEP_MS),
    setInterval(gates.gate.cutForbidden, REVIEW_STEP_MS),
    setInterval(() => void gates.gate.review(), KEEP_STEP_MS),
  ];
  await gates.over.promise;
  for (const timer of timers) clearInterval(timer);
  await gates.doors.follow([]);
  gates.gate.close();
  gates.link.close();
}

type Setup = Extract<ToGate, { kind: "setup" }>;

/** What seawalld says, carried out. */
class LinkedGates {
  readonly options: LinkedOptions;
  readonly over = Promise.withResolvers<void>();
  readonly upstream: Upstream = createUpstream([]);
  readonly link: Link;
  readonly gate: Gate;
  readonly doors: Doors;
  readonly setups: Setup[] = [];
  /** Of scopes that seawalld gave no key for: its log will then not have the id. */
  readonly ownSecret = randomBytes(KEY_BYTES);
  refusalKeys: ReadonlyMap<string, RefusalKey> = new Map();
  isSettingUp = false;
  isServing = false;
  /** Links that ended before a word was said on them. */
  turnedAway = 0;

  constructor(options: LinkedOptions) {
    this.options = options;
    const { path, nowMs, signal } = options;
    this.link = createLink({
      path,
      isTrusted: (socket) => peerUid(socket) === 0,
      onMessage: (message) => this.take(message),
      onClose: () => this.lose(),
    });
    this.gate = createGate({
      policies: { committed: null, candidate: null },
      around: { ownAddresses: EMPTY_SET, nat64: null },
      upstream: this.upstream,
      pinner: this.link.pinner,
      tell: (report) => this.link.send({ kind: "report", report }),
      refusalKeyOf: (scope) => this.refusalKeys.get(scope) ?? refusalKey(this.ownSecret, "", scope),
      nowMs,
      steadyMs: () => performance.now(),
    });
    this.doors = createDoors(this.gate);
    signal.addEventListener("abort", () => this.over.resolve(), { once: true });
  }

  take(message: Exclude<ToGate, { kind: "pinned" }>): void {
    this.turnedAway = 0;
    switch (message.kind) {
      case "ping":
        return this.link.send({
          kind: "pong",
          ...(message.health === true ? { health: this.health() } : {}),
        });
      case "setup":
        return void this.setUpInTurn(message);
      case "stop":
        return this.over.resolve();
      case "retire":
        return void this.retire();
    }
  }

  health(): GateHealth {
    return { resolvers: this.upstream.health(), full: this.gate.fullScopes() };
  }

  /** The doors are free before seawalld hears that we are gone, so that they are never taken twice. */
  async retire(): Promise<void> {
    this.isServing = false;
    await this.doors.follow([]);
    this.link.close();
    const untilMs = performance.now() + DRAIN_MS_MAX;
    while (!this.options.signal.aborted && performance.now() < untilMs && this.gate.openConnections() > 0) {
      await sleep(RETRY_MS);
    }
    this.over.resolve();
  }

  /** One after the other: the last word of seawalld is the last one that is carried out. */
  async setUpInTurn(message: Setup): Promise<void> {
    this.setups.push(message);
    if (this.isSettingUp) return;
    this.isSettingUp = true;
    for (let next = this.setups.shift(); next !== undefined; next = this.setups.shift()) {
      this.refusalKeys = next.refusalKeys;
      const trouble = await setUp(this.gate, this.doors, this.upstream, next, this.options.nowMs());
      this.isServing = next.doors.length > 0;
      this.link.send({ kind: "ready", id: next.id, trouble });
    }
    this.isSettingUp = false;
  }

  lose(): void {
    this.turnedAway += 1;
    // Another gate has the place; two would hold each other's doors.
    if (this.turnedAway > TURNED_AWAY_MAX) this.over.resolve();
    else void this.reconnect();
  }

  async reconnect(): Promise<void> {
    const untilMs = performance.now() + ALONE_MS_MAX;
    while (!this.options.signal.aborted && performance.now() < untilMs) {
      await sleep(RETRY_MS);
      const isOpen = await this.link.open().then(
        () => true,
        () => false,
      );
      if (isOpen) return;
    }
    this.over.resolve();
  }
}

async function setUp(
  gate: Gate,
  doors: Doors,
  upstream: Upstream,
  message: Setup,
  nowMs: number,
): Promise<string[]> {
  const { committed, candidate, ownAddresses, resolvers, bindings } = message;
  upstream.setServers(resolvers);
  for (const { scope, host: name, address: text, leftMs } of bindings) {
    const host = parseHostname(name);
    const address = parseIp(text);
    if (host.ok && address !== undefined)
      gate.scope(scope).bindings.bind(host.name, address, nowMs + leftMs, nowMs);
  }
  await gate.setPolicies(
    {
      committed,
      candidate:
        candidate === null
          ? null
          : { policy: candidate.policy, untilMs: performance.now() + candidate.leftMs },
    },
    { ownAddresses, nat64: null },
  );
  return doors.follow(message.doors);
}
