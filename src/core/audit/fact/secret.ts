import type { Reading } from "../reading.ts";
import type { FileState } from "./file.ts";

/** A secret that was found. Its value is nowhere in the facts: only where it is and what it looks like. */
export interface SecretHit {
  /** `openclaw.json: models.providers.x.apiKey`, `.bash_history:12`, `commit 1234567 .env`. */
  readonly place: string;
  /** `Anthropic API key`. */
  readonly rule: string;
}

export interface EnvFile extends FileState {
  readonly links: number;
  /** Who should own it. */
  readonly ownerUid: number;
  readonly parent: FileState;
  readonly hits: readonly SecretHit[];
}

export interface Repository {
  readonly path: string;
  readonly hits: readonly SecretHit[];
  /** `.env` files in it that git would take or already has. */
  readonly unignored: readonly string[];
  readonly hasEnv: boolean;
  /** Commits that were read, and whether those were all. */
  readonly commits: number;
  readonly complete: boolean;
}

export interface SecretFacts {
  readonly config: Reading<readonly SecretHit[]>;
  readonly envFiles: readonly EnvFile[];
  readonly repositories: Reading<readonly Repository[]>;
  /** In `Environment=` of units and in the environment of processes that are not the agent. */
  readonly units: readonly SecretHit[];
  readonly environments: Reading<readonly SecretHit[]>;
  /** Shell histories and start files, backups, transcripts. */
  readonly traces: Reading<readonly SecretHit[]>;
  /** Private files of OpenClaw that others may read, with their mode. */
  readonly statePermissions: Reading<readonly string[]>;
  readonly resolvers: readonly { readonly provider: string; readonly problem: string | null }[];
  /** Where OpenClaw gets secrets from: `exec`, `env`, `file`, `store`, `plain`. */
  readonly sources: readonly string[];
  /** Sealed files of Seawall, and what is wrong with them. */
  readonly sealed: readonly {
    readonly path: string;
    readonly problem: string | null;
    readonly createdMs: number | null;
    readonly keySource: string;
  }[];
  readonly swap: readonly string[];
  readonly swapEncrypted: boolean;
  readonly suidDumpable: number | null;
}
