/**
 * What seawalld and the gates say to each other. seawalld is root and trusted; what a gate says is read by the
 * strict parser below and believed in nothing that can be checked.
 */
import { z } from "zod";
import type { PrefixSet } from "../net/prefix-set.ts";
import type { ResolvedPolicy } from "../policy/resolved.ts";
import { GATE_HEALTH, type GateHealth } from "./health.ts";
import type { RefusalKey } from "./refusal.ts";
import type { GateReport } from "./report.ts";

export interface DoorPlan {
  readonly scope: string;
  /** Position in the mark, which gives the ports. */
  readonly index: number;
  readonly addresses: readonly string[];
  /** Whether the scope shares the loopback, and so has an explicit proxy. */
  readonly hasProxy: boolean;
}

export interface KnownBinding {
  readonly scope: string;
  readonly host: string;
  readonly address: string;
  readonly leftMs: number;
}

/** From seawalld. Everything is said anew each time; nothing is a difference. */
export type ToGate =
  | {
      readonly kind: "setup";
      readonly id: number;
      readonly committed: ResolvedPolicy | null;
      readonly candidate: { readonly policy: ResolvedPolicy; readonly leftMs: number } | null;
      readonly ownAddresses: PrefixSet;
      readonly doors: readonly DoorPlan[];
      readonly resolvers: readonly { readonly address: string; readonly port: number }[];
      /** What a gate before this one bound; only with the first setup. */
      readonly bindings: readonly KnownBinding[];
      /** What the ids of refusals are made with, by scope. */
      readonly refusalKeys: ReadonlyMap<string, RefusalKey>;
    }
  /** `health`: the answer is to say how the gate is; a gate of an earlier version knows nothing of it. */
  | { readonly kind: "ping"; readonly health?: true }
  /** No policy needs a gate any more. */
  | { readonly kind: "stop" }
  /** Another version takes the place: doors close, what is open has a while, nothing more is said. */
  | { readonly kind: "retire" }
  | { readonly kind: "pinned"; readonly id: number; readonly ok: boolean };

export type FromGate =
  | { readonly kind: "hello"; readonly pid: number; readonly version: string }
  | { readonly kind: "pong"; readonly health?: GateHealth | undefined }
  | { readonly kind: "ready"; readonly id: number; readonly trouble: readonly string[] }
  | {
      readonly kind: "pin";
      readonly id: number;
      readonly scope: string;
      readonly host: string;
      readonly addresses: readonly string[];
      readonly seconds: number;
    }
  | { readonly kind: "report"; readonly report: GateReport };

/** LIMIT: bytes of one frame from a gate. */
export const GATE_FRAME_BYTES_MAX = 65_536;
/** LIMIT: bytes of one frame to a gate: policies with large sets. */
export const DAEMON_FRAME_BYTES_MAX = 256 * 1024 * 1024;
/** LIMIT: addresses of one wish to pin. */
export const PIN_ADDRESSES_MAX = 128;

const ID = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const PORT = z.int().min(0).max(65_535);
const TEXT = z.string().max(300);

const REPORT = z.strictObject({
  door: z.enum(["dns", "tls", "http", "proxy"]),
  scope: TEXT,
  host: TEXT.nullable(),
  address: TEXT.nullable(),
  port: PORT,
  protocol: z.enum(["tcp", "udp", "icmp", "other"]),
  decision: z.strictObject({
    verdict: z.enum(["accept", "refuse", "drop"]),
    observed: z.boolean(),
    rule: TEXT.nullable(),
    reason: z.string().max(32),
    why: z.string().max(600),
  }),
  id: TEXT.nullable(),
});

const FROM_GATE = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("hello"), pid: ID, version: z.string().max(64) }),
  z.strictObject({ kind: z.literal("pong"), health: GATE_HEALTH.optional() }),
  z.strictObject({ kind: z.literal("ready"), id: ID, trouble: z.array(TEXT).max(64) }),
  z.strictObject({
    kind: z.literal("pin"),
    id: ID,
    scope: TEXT,
    host: TEXT,
    addresses: z.array(z.string().max(45)).max(PIN_ADDRESSES_MAX),
    seconds: z.int().min(1).max(4_000),
  }),
  z.strictObject({ kind: z.literal("report"), report: REPORT }),
]);

/** Returns a message of a gate, or undefined for anything else: the link is then cut. */
export function parseFromGate(bytes: Uint8Array): FromGate | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
  const parsed = FROM_GATE.safeParse(value);
  return parsed.success ? (parsed.data as FromGate) : undefined;
}
