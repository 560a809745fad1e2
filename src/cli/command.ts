import type { ParseArgsOptionsConfig } from "node:util";
import type { ExitCode } from "./exit-code.ts";
import type { PlaceName } from "./render/place.ts";

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
  /** Asks whoever sits at the terminal, and resolves to whether the answer is yes. Absent where nobody sits. */
  readonly ask?: (question: string) => Promise<boolean>;
}

/** What a shell completes: a file, a command of ours, one of some words, or several of them by comma. */
export type Offer =
  | { readonly kind: "file" }
  | { readonly kind: "command" }
  | { readonly kind: "word"; readonly words: readonly string[] }
  | { readonly kind: "words"; readonly words: readonly string[] };

/** How many words a command takes after its own, and what stands for them in the usage: `FILE`, `FROM PORT`. */
export interface Words {
  readonly least: number;
  readonly most: number;
  readonly shown: string;
}

export const NO_WORDS: Words = { least: 0, most: 0, shown: "" };

/**
 * Who may run a command. `anybody` reads what its caller may read, and says so where that is not enough; the others
 * are root's, by what they would do.
 */
export type Who = "anybody" | "root-changes" | "root-sees" | "root-files" | "root-tries";

/** One command, one file: src/cli/command/<path>.ts. */
export interface Command {
  readonly path: readonly string[];
  /** One line, starts with a capital, no final period. */
  readonly summary: string;
  /** What it does, and what it never does: one or two sentences for somebody who is tired. */
  readonly about: string;
  /** `seawall <path> ...`, naming every option; a line for each way to call it. */
  readonly usage: string;
  /** The words it takes; main.ts refuses every other before it runs. */
  readonly words: Words;
  /** Who may run it; main.ts refuses everybody else before it runs. */
  readonly who: Who;
  readonly options: ParseArgsOptionsConfig;
  /** One line for each option. */
  readonly optionHelp: Readonly<Record<string, string>>;
  /** Every exit code it can end with, and what that means here. */
  readonly exits: Readonly<Partial<Record<ExitCode, string>>>;
  /** Files and variables of render/place.ts that it reads or writes. */
  readonly places: readonly PlaceName[];
  readonly examples: readonly string[];
  /** Words of the commands to read about next. */
  readonly seeAlso: readonly string[];
  /** What a shell offers as the value of an option; without an entry nothing is offered. */
  readonly offers?: Readonly<Record<string, Offer>>;
  /** What a shell offers as an argument. */
  readonly argument?: Offer;
  /** It changes nothing of this machine: Ctrl-C ends it wherever it is, and the kernel ends what it started. */
  readonly onlyLooks?: true;
  /** What it prints is a file for a program: into a pipe or file it goes as it is. */
  readonly isDocument?: true;
  readonly run: (context: CommandContext) => Promise<ExitCode>;
}

export const SCHEMA = "seawall/v1";

/** A command that is not loaded yet: `status` does not pay for the parser. */
export interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

/** Commands by their words. What looks at all of them is given them: the registry imports every command. */
export type Commands = Readonly<Record<string, CommandEntry>>;
