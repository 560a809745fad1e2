import type { ParseArgsOptionsConfig } from "node:util";
import type { ExitCode } from "./exit-code.ts";

/** What a command may touch of the outside; nothing else. Data goes to `out`, talk to `err`. */
export interface CommandContext {
  readonly positionals: readonly string[];
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
  /** Whether the terminal behind stdout takes colour. */
  readonly color: boolean;
}

/** One command, one file: src/cli/command/<path>.ts. */
export interface Command {
  readonly path: readonly string[];
  /** One line, starts with a capital, no final period. */
  readonly summary: string;
  /** `seawall <path> ...` */
  readonly usage: string;
  readonly options: ParseArgsOptionsConfig;
  /** One line for each option. */
  readonly optionHelp: Readonly<Record<string, string>>;
  readonly examples: readonly string[];
  readonly run: (context: CommandContext) => Promise<ExitCode>;
}

export const SCHEMA = "seawall/v1";
