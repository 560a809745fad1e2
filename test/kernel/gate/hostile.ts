/** What a test tells a gate that is taken over to do, and how it takes the place of the real one. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { asker } from "./line-client.ts";
import type { World } from "./world.ts";

const SCRIPT = fileURLToPath(new URL("./in-namespace/hostile-gate.ts", import.meta.url));
const TAKE_OVER_MS = 10_000;

export interface WrongPin {
  readonly scope: string;
  readonly host: string;
  readonly addresses: readonly string[];
  readonly seconds: number;
}

export type HostileAsk =
  | { readonly do: "link"; readonly forMs: number }
  | { readonly do: "pin"; readonly wish: object }
  /** A frame of these bytes; `header` instead of their length. */
  | { readonly do: "frame"; readonly base64: string; readonly header: number | null }
  | {
      readonly do: "flood";
      readonly texts: readonly string[];
      readonly forMs: number;
      readonly deaf: boolean;
    }
  /** How it answers setups from now on: with this trouble, or not at all. */
  | { readonly do: "answer"; readonly trouble: readonly string[] | null }
  | { readonly do: "leave" };

export interface Linked {
  readonly linked: boolean;
  /** Of the last error, or `none`. */
  readonly code: string;
}

export type Tell = <Answer>(ask: HostileAsk) => Promise<Answer>;

/** Starts a process of this user that can pretend to be a gate. */
export function startHostile(world: World, uid: number, gid: number): Tell {
  const user = ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"];
  return asker(world.host.start([...user, process.execPath, SCRIPT]));
}

/** Kills the real gate and takes its place before seawalld has started the next one. */
export async function takeOver(world: World, tell: Tell): Promise<void> {
  await tell({ do: "leave" });
  const linking = tell<Linked>({ do: "link", forMs: TAKE_OVER_MS });
  await world.signal("KILL", "gate");
  assert.equal((await linking).linked, true);
}
