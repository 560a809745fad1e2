import type { Reading } from "../reading.ts";
import type { FileState } from "./file.ts";

/** What sshd itself says it does for one user from one address (`sshd -T -C`). */
export interface SshContext {
  readonly user: string;
  readonly address: string;
  /** Keyword in lower case to its values in order; a keyword that may repeat has several. */
  readonly options: ReadonlyMap<string, readonly string[]>;
}

/** A file of sshd's configuration, in the order in which sshd reads it. */
export interface SshConfigFile extends FileState {
  readonly text: string;
}

export interface SshHostKey extends FileState {
  /** As ssh-keygen names it: `RSA`, `ED25519`, `ECDSA`; null when it cannot be read. */
  readonly type: string | null;
  readonly bits: number | null;
}

/** An account that may log in, with the keys that sshd would accept for it. */
export interface SshUser {
  readonly name: string;
  readonly uid: number;
  readonly sudo: boolean;
  /** Why it cannot log in at all (expired, no shell); null when it can. */
  readonly barred: string | null;
  readonly keys: readonly { readonly type: string; readonly file: string }[];
  /** Why a key, or the account with it, would not get in or become root: one line each. */
  readonly refused: readonly string[];
}

export interface SshFacts {
  /** `9.2`, or null when sshd did not say. */
  readonly version: string | null;
  readonly contexts: readonly SshContext[];
  readonly files: readonly SshConfigFile[];
  /** Drop-ins (`*.conf`) that lie in sshd_config.d, read or not. */
  readonly dropIns: readonly string[];
  /** Those of them that sshd does not read, as far as we may. */
  readonly unread: readonly SshConfigFile[];
  readonly hostKeys: readonly SshHostKey[];
  readonly users: readonly SshUser[];
  /** Ports on which sshd, or systemd for it, really listens. */
  readonly listening: Reading<readonly number[]>;
  readonly socketActivated: boolean;
  /** Addresses from which somebody is logged in now. */
  readonly operators: readonly string[];
  /** The systemd unit of the running sshd, and the file with its number; null when it has none. */
  readonly unit: string | null;
  readonly pidFile: string | null;
  /** When the running sshd last read its files, in ms since 1970; null when that cannot be seen. */
  readonly loadedMs: number | null;
}
