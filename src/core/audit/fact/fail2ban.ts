import type { Reading } from "../reading.ts";

export interface Fail2banFacts {
  readonly running: boolean;
  readonly jails: readonly string[];
  /** `fail2ban-client -t`: whether the files can be loaded, and its words when not. */
  readonly parses: Reading<{ readonly ok: boolean; readonly said: string }>;
  /** The sshd jail, by what the running server answers; absent when there is none. */
  readonly sshd: Reading<SshdJail>;
  /** Addresses that a set or chain of fail2ban holds in the kernel. */
  readonly inKernel: Reading<readonly string[]>;
  /** Files of the package that were edited in place. */
  readonly edited: Reading<readonly string[]>;
  readonly hasNft: boolean;
  readonly hasIptables: boolean;
  /** `9.8` of the running OpenSSH, null when unknown. */
  readonly sshVersion: string | null;
  readonly operators: readonly string[];
}

export interface SshdJail {
  readonly backend: string | null;
  readonly journalMatch: string | null;
  readonly logFiles: readonly string[];
  /** Log files it reads that do not exist. */
  readonly missingLogs: readonly string[];
  readonly maxRetry: number;
  readonly findSeconds: number;
  readonly banSeconds: number;
  readonly increment: boolean;
  readonly recidive: boolean;
  readonly ports: readonly string[];
  readonly allPorts: boolean;
  readonly actions: readonly string[];
  readonly banned: readonly string[];
  readonly ignored: readonly string[];
}
