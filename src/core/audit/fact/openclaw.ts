import type { Reading } from "../reading.ts";
import type { FileState } from "./file.ts";
import type { Listener } from "./listener.ts";

export type ConfigValue = string | number | boolean | null | readonly ConfigValue[] | ConfigObject;
export interface ConfigObject {
  readonly [key: string]: ConfigValue;
}

/** One OpenClaw on this host, running or only installed. */
export interface OpenclawInstance {
  /** `gateway of ann (pid 812)`, `~/.openclaw-work of ann`. */
  readonly name: string;
  readonly pid: number | null;
  readonly uid: number;
  readonly user: string;
  readonly unit: string | null;
  readonly container: string | null;
  readonly profile: string | null;
  readonly stateFolder: FileState | null;
  readonly configFile: FileState | null;
  readonly config: Reading<ConfigObject>;
  /** Why OpenClaw does not accept its configuration, as far as its files say; null when they say nothing. */
  readonly refused: string | null;
  /** Sockets of its process. */
  readonly listeners: readonly Listener[];
  /** Old spellings in its configuration, and today's. */
  readonly oldSpellings: readonly { readonly key: string; readonly today: string }[];
  /** `200`, `401` ... on /v1/models, without and with the token of the configuration. */
  readonly answers: Reading<{ readonly without: number; readonly withToken: number | null }>;
  readonly version: string | null;
  /** OpenClaw's own commands. */
  readonly audit: Reading<OpenclawAudit>;
  readonly secretsAudit: Reading<{ readonly plaintext: number; readonly details: readonly string[] }>;
  readonly doctor: Reading<{ readonly ok: boolean; readonly findings: readonly string[] }>;
  readonly process: Reading<{
    readonly uid: number;
    readonly groups: readonly string[];
    readonly sudo: Reading<readonly string[]>;
  }>;
  readonly sandbox: Reading<UnitSandbox>;
  readonly skills: Reading<readonly string[]>;
  readonly plugins: Reading<readonly string[]>;
  readonly backups: Reading<{ readonly path: string; readonly newestMs: number }[]>;
  /** Whether the environment sets the gateway's token or password. */
  readonly tokenInEnvironment: { readonly present: boolean; readonly length: number };
}

export interface OpenclawAudit {
  readonly critical: number;
  readonly warn: number;
  readonly findings: readonly {
    readonly id: string;
    readonly severity: string;
    readonly title: string;
    readonly detail: string;
  }[];
  readonly suppressed: number;
}

/** What systemd lets the unit do, from `systemctl show`. */
export interface UnitSandbox {
  readonly unit: string;
  readonly properties: Readonly<Record<string, string>>;
}

export interface OpenclawFacts {
  readonly instances: readonly OpenclawInstance[];
  /** Of whom there are more than are looked at, each as a sentence: what holds for all is then not known. */
  readonly notLookedAt: readonly string[];
  /** Who calls itself OpenClaw and is not taken for it, each as a sentence. */
  readonly claims: readonly string[];
}
