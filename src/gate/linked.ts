/** The gates under seawalld: they do what it says, and ask it for every pin. */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { ToGate } from "../core/gate/message.ts";
import { parseHostname } from "../core/net/hostname.ts";
import { parseIp } from "../core/net/ip.ts";
import { EMPTY_SET } from "../core/net/prefix-set.ts";
import { createGate, type Gate } from "../edge/gate/gate.ts";
import { createUpstream, type Upstream } from "../edge/gate/upstream.ts";
import { peerUid } from "../edge/kernel/socket-option.ts";
import { createDoors, type Doors } from "./doors.ts";
import { gateUid } from "../edge/host/gate-user.ts";
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
/** LIMIT: how often seawalld may close a new link without a word before this gate ends. */
const TURNED_AWAY_MAX = 3;
const REVIEW_STEP_MS = 1_000;
const KEEP_STEP_MS = 30_000;
/** Several signs fit into the time after which the kernel takes the gates for dead. */
const KNOCK_STEP_MS = 300;

/** Runs until the signal, or until no daemon has been there for a minute. */
export async function runLinked({ path, err, nowMs, signal }: LinkedOptions): Promise<void> {
  const upstream = createUpstream([]);
  let ended: (() => void) | undefined;
  const over = new Promise<void>((resolve) => {
    ended = resolve;
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  const setups: Extract<ToGate, { kind: "setup" }>[] = [];
  let isSettingUp = false;
  /** Links that ended before a word was said on them. */
  let turnedAway = 0;
  let isServing = false;
  const link: Link = createLink({
    path,
    isTrusted: (socket) => peerUid(socket) === 0,
    onMessage: (message) => {
      turnedAway = 0;
      switch (message.kind) {
        case "ping":
          return link.send({ kind: "pong" });
        case "setup":
          return void setUpInTurn(message);
        case "stop":
          return ended?.();
      }
    },
    onClose: () => {
      turnedAway += 1;
      // Another gate has the place; two would hold each other's doors.
      if (turnedAway > TURNED_AWAY_MAX) ended?.();
      else void reconnect();
    },
  });
  const gate = createGate({
    policies: { committed: null, candidate: null },
    around: { ownAddresses: EMPTY_SET, nat64: null },
    upstream,
    pinner: link.pinner,
    tell: (report) => link.send({ kind: "report", report }),
    nowMs,
    steadyMs: () => performance.now(),
  });
  const doors = createDoors(gate);
  /** One after the other: the last word of seawalld is the last one that is carried out. */
  const setUpInTurn = async (message: Extract<ToGate, { kind: "setup" }>): Promise<void> => {
    setups.push(message);
    if (isSettingUp) return;
    isSettingUp = true;
    for (let next = setups.shift(); next !== undefined; next = setups.shift()) {
      const trouble = await setUp(gate, doors, upstream, next, nowMs());
      isServing = next.doors.length > 0;
      link.send({ kind: "ready", id: next.id, trouble });
    }
    isSettingUp = false;
  };
  const reconnect = async (): Promise<void> => {
    const untilMs = performance.now() + ALONE_MS_MAX;
    while (!signal.aborted && performance.now() < untilMs) {
      await sleep(RETRY_MS);
      if (
        await link.open().then(
          () => true,
          () => false,
        )
      )
        return;
    }
    ended?.();
  };
  await link.open();
  dropRoot(gateUid());
  err("seawall-gate: linked to seawalld\n");
  const knock = createKnock();
  const timers = [
    setInterval(() => isServing && knock(), KNOCK_STEP_MS),

    setInterval(gate.cutForbidden, REVIEW_STEP_MS),
    setInterval(() => void gate.review(), KEEP_STEP_MS),
  ];
  await over;
  for (const timer of timers) clearInterval(timer);
  await doors.follow([]);
  gate.close();
  link.close();
}

async function setUp(
  gate: Gate,
  doors: Doors,
  upstream: Upstream,
  message: Extract<ToGate, { kind: "setup" }>,
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
