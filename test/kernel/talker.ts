/** Both ends of connections that a test holds: on the host as some user, in a namespace of it, or in the internet. */
import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { eventually } from "../support/host/eventually.ts";
import { asker } from "./gate/line-client.ts";

export const TALKER = fileURLToPath(new URL("./in-namespace/talker.ts", import.meta.url));

export interface TalkerState {
  /** How often something came. */
  readonly received: number;
  /** The end of it. */
  readonly text: string;
  /** Numbers in angle brackets that were left out. */
  readonly missing: number;
  /** How it ended: an errno, `closed`, or null. */
  readonly ended: string | null;
  readonly endedAtMs: number | null;
  /** Since when nothing came. */
  readonly silentMs: number;
  readonly port: number;
}

export interface Place {
  readonly address: string;
  readonly port: number;
}

interface Named {
  readonly key: string;
}

export type TalkerRequest =
  | (Named & {
      readonly do: "connect";
      readonly address: string;
      readonly port: number;
      readonly from?: string;
      readonly fromPort?: number;
    })
  | (Named & {
      readonly do: "listen";
      readonly address: string;
      readonly port: number;
      readonly deaf?: boolean;
    })
  | (Named & {
      readonly do: "udp";
      readonly address: string;
      readonly port: number;
      readonly peer?: Place;
    })
  | (Named & { readonly do: "send"; readonly text: string; readonly times?: number; readonly to?: Place })
  | (Named & { readonly do: "read" })
  | { readonly do: "exit" }
  | (Named & { readonly do: "talk"; readonly everyMs: number })
  | (Named & { readonly do: "state" });

export interface Talker {
  readonly ask: (request: TalkerRequest) => Promise<unknown>;
  readonly state: (key: string) => Promise<TalkerState>;
  /** Waits until something more came to `key`. False when nothing did. */
  readonly hears: (key: string, limitMs?: number) => Promise<boolean>;
  /** Waits until `key` has ended, and returns how; null when it lives on. */
  readonly ends: (key: string, limitMs?: number) => Promise<string | null>;
  /** Ends the process by SIGKILL. */
  readonly exit: () => void;
}

/** Makes a talker of a process that runs TALKER. */
export function talkerOf(child: ChildProcess): Talker {
  const line = asker(child);
  const ask = (request: TalkerRequest): Promise<unknown> => line(request);
  const state = async (key: string): Promise<TalkerState> => (await ask({ do: "state", key })) as TalkerState;
  return {
    ask,
    state,
    hears: async (key, limitMs = 5_000) => {
      const { received } = await state(key);
      return eventually(async () => (await state(key)).received > received, true, limitMs);
    },
    ends: async (key, limitMs = 5_000) => {
      await eventually(async () => (await state(key)).ended !== null, true, limitMs);
      return (await state(key)).ended;
    },
    exit: () => void ask({ do: "exit" }).catch(() => undefined),
  };
}
