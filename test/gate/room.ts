/** Gates over real loopback sockets: the doors are the real ones, the resolver and the kernel are the test's. */
import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import type { GateReport } from "../../src/core/gate/report.ts";
import { EMPTY_SET } from "../../src/core/net/prefix-set.ts";
import { openDns } from "../../src/edge/gate/dns-door.ts";
import { createGate, type Gate } from "../../src/edge/gate/gate.ts";
import { serveHttp } from "../../src/edge/gate/http-door.ts";
import type { PinWish } from "../../src/edge/gate/pinner.ts";
import { serveProxy } from "../../src/edge/gate/proxy-door.ts";
import type { GateScope } from "../../src/edge/gate/scope.ts";
import { type Listening, openTcp, type Place } from "../../src/edge/gate/tcp-door.ts";
import { type Destination, serveTls } from "../../src/edge/gate/tls-door.ts";
import { createUpstream } from "../../src/edge/gate/upstream.ts";
import { policyOf } from "../support/policy.ts";
import { startNameServer, type NameServer, type React, zone } from "./name-server.ts";
import { freshAddress, listen } from "./place.ts";
import { connectTo, type Wire } from "./wire.ts";
import { testKey } from "../support/refusal-key.ts";

export interface Pinning {
  readonly wishes: readonly PinWish[];
  /** What seawalld says to the next wishes. */
  answer: (wish: PinWish) => boolean | Promise<boolean>;
}

export interface Room {
  readonly gate: Gate;
  readonly scope: GateScope;
  readonly resolver: NameServer;
  readonly reports: readonly GateReport[];
  readonly pins: Pinning;
  /** Unix time of the gate, which the test may move. */
  readonly clock: { nowMs: number };
  /** Puts another policy in force. */
  readonly setPolicy: (rules: readonly string[], mode?: string) => Promise<void>;
  readonly openProxy: (scope?: GateScope) => Promise<Place>;
  readonly openDns: (scope?: GateScope) => Promise<Place>;
  readonly openTls: (destination: Destination, scope?: GateScope) => Promise<Place>;
  readonly openHttp: (destination: Destination, scope?: GateScope) => Promise<Place>;
  /** Closes a door, as happens when a scope goes. */
  readonly closeDoors: () => void;
  /** Starts a server on an address of its own. */
  readonly startServer: (serve: (socket: Socket) => void, port?: number) => Promise<Place>;
  readonly connect: (place: Place) => Promise<Wire>;
  readonly close: () => Promise<void>;
}

export interface RoomOptions {
  readonly rules: readonly string[];
  readonly mode?: string;
  readonly names?: Readonly<Record<string, readonly string[]>>;
  readonly react?: React;
  readonly extra?: readonly string[];
}

const START_MS = Date.UTC(2026, 10, 21, 12);

/** Opens a room for the scope `agent`; `close` leaves nothing behind. */
export async function openRoom(options: RoomOptions): Promise<Room> {
  const { rules, mode = "enforce", names = {}, extra = [] } = options;
  const resolver = await startNameServer(options.react ?? zone(names));
  const clock = { nowMs: START_MS };
  const reports: GateReport[] = [];
  const wishes: PinWish[] = [];
  const pins: Pinning = { wishes, answer: () => true };
  const around = { ownAddresses: EMPTY_SET, nat64: null };
  const inForce = (wanted: readonly string[], how: string) => ({
    committed: policyOf(policyText(wanted, how, extra), START_MS),
    candidate: null,
  });
  const gate = createGate({
    policies: inForce(rules, mode),
    around,
    upstream: createUpstream([resolver]),
    pinner: {
      pin: async (wish) => {
        wishes.push(wish);
        return await pins.answer(wish);
      },
    },
    tell: (report) => reports.push(report),
    refusalKeyOf: testKey,
    nowMs: () => clock.nowMs,
    steadyMs: () => clock.nowMs,
  });
  const doors: Listening[] = [];
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  const wires: Wire[] = [];
  const open = async (door: (place: Place) => Promise<Listening>): Promise<Place> => {
    const place = { address: freshAddress(), port: DOOR_PORT };
    doors.push(await door(place));
    return place;
  };
  const closeDoors = (): void => {
    for (const door of doors.splice(0)) door.close();
  };
  const scope = gate.scope("agent");
  return {
    gate,
    scope,
    resolver,
    reports,
    pins,
    clock,
    setPolicy: (wanted, how = "enforce") => gate.setPolicies(inForce(wanted, how), around),
    openProxy: (of = scope) =>
      open((place) => openTcp(of, "proxy", place, (client) => serveProxy(of, client))),
    openDns: (of = scope) => open((place) => openDns(of, place)),
    openTls: (to, of = scope) =>
      open((place) => openTcp(of, "tls", place, (client) => serveTls(of, client, to))),
    openHttp: (to, of = scope) =>
      open((place) => openTcp(of, "http", place, (client) => serveHttp(of, client, to))),
    closeDoors,
    startServer: async (serve, port = 0) => {
      const address = freshAddress();
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        sockets.add(socket.on("close", () => sockets.delete(socket)));
        socket.on("error", () => socket.destroy());
        serve(socket);
      });
      servers.push(server);
      return { address, port: await listen(server, address, port) };
    },
    connect: async (place) => {
      const wire = await connectTo(place);
      wires.push(wire);
      return wire;
    },
    close: async () => {
      closeDoors();
      for (const wire of wires) wire.socket.destroy();
      for (const socket of sockets) socket.destroy();
      gate.close();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
      await resolver.close();
    },
  };
}

const DOOR_PORT = 18_901;

function policyText(rules: readonly string[], mode: string, extra: readonly string[]): string {
  return [
    "version: 1",
    `mode: ${mode}`,
    "scopes: {agent: {user: 4242}, helper: {user: 4343}}",
    ...extra,
    rules.length === 0 ? "outbound: []" : "outbound:",
    ...rules.map((rule) => `  - {${rule}, why: needed for work}`),
    "",
  ].join("\n");
}

/** Returns the reasons of all refusals that were told, in order. */
export function reasons({ reports }: Room): string[] {
  return reports.flatMap(({ decision }) => (decision.verdict === "accept" ? [] : [decision.reason]));
}

/** Fails unless every refusal that was told has an id, and returns the last one. */
export function lastRefusal({ reports }: Room): GateReport {
  const refusals = reports.filter(({ decision }) => decision.verdict !== "accept");
  for (const { id } of refusals) assert.match(id ?? "", /^sw-[a-z2-9]{20}$/);
  const last = refusals.at(-1);
  assert.ok(last !== undefined, "nothing was refused");
  return last;
}
