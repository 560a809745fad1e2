/** Setups on their way to the gates, and what they say of their doors. */
import { performance } from "node:perf_hooks";
import type { ToGate } from "../../core/gate/message.ts";
import type { RefusalKey } from "../../core/gate/refusal.ts";
import { ownAddresses } from "../../edge/host/own-address.ts";
import { allOf, type PoliciesInForce } from "./policy-watch.ts";

type Setup = Extract<ToGate, { kind: "setup" }>;

/** LIMIT: how long a gate may say nothing while it carries out a setup, */
const SETUP_SILENT_MS = 5_000;
/** and how long it may take in all: doors, and the pins of what is known. */
const SETUP_MS_MAX = 15_000;

/** Setups on their way: each ends with what the gate says of its doors, or with null when it says nothing. */
export class Setups {
  readonly waiting = new Map<number, (trouble: readonly string[] | null) => void>();
  last = 0;
  lastMs = 0;
  workedMs = 0;

  ask(send: (id: number) => void): Promise<readonly string[] | null> {
    this.last += 1;
    this.lastMs = performance.now();
    this.workedMs = this.lastMs;
    const endMs = this.lastMs + SETUP_MS_MAX;
    const id = this.last;
    return new Promise((resolve) => {
      const end = (found: readonly string[] | null): void => {
        clearTimeout(timer);
        this.waiting.delete(id);
        resolve(found);
      };
      const look = (): void => {
        const leftMs = Math.min(this.workedMs + SETUP_SILENT_MS, endMs) - performance.now();
        if (leftMs <= 0) end(null);
        else timer = setTimeout(look, leftMs);
      };
      let timer = setTimeout(look, SETUP_SILENT_MS);
      this.waiting.set(id, end);
      send(id);
    });
  }

  /** The gate asks for pins: it is at work. */
  work(): void {
    this.workedMs = performance.now();
  }

  answer(id: number, trouble: readonly string[]): void {
    this.waiting.get(id)?.(trouble);
  }

  lose(): void {
    for (const end of this.waiting.values()) end(null);
  }
}

/** Returns what gates are told: everything, each time. */
export function setupOf(
  known: PoliciesInForce,
  rest: Pick<Setup, "doors" | "resolvers" | "bindings">,
  refusalKeyOf: (scope: string) => RefusalKey,
): Omit<Setup, "id"> {
  const scopes = allOf(known).flatMap(({ policy }) => policy.scopes);
  return {
    kind: "setup",
    committed: known.committed?.policy ?? null,
    candidate: known.candidate,
    ownAddresses: ownAddresses(),
    refusalKeys: new Map(scopes.map(({ name }) => [name, refusalKeyOf(name)])),
    ...rest,
  };
}
