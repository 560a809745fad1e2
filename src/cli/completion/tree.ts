/** The commands as a shell completes them. */
import type { Command, Commands, Offer } from "../command.ts";

/** What a shell completes, as words and files. */
export type Offered = Exclude<Offer, { readonly kind: "command" }>;

export interface CompletedOption {
  /** `--layer` */
  readonly long: string;
  /** `-o`, or null. */
  readonly short: string | null;
  readonly help: string;
  /** Whether a value follows. */
  readonly takesValue: boolean;
  /** What the value may be; null when nothing is known or there is none. */
  readonly offer: Offered | null;
}

export interface CompletedCommand {
  readonly words: string;
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  readonly argument: Offered | null;
}

/** Returns every command with all that can follow it. */
export async function completedCommands(all: Commands): Promise<CompletedCommand[]> {
  const first = [...new Set(Object.keys(all).map((words) => words.split(" ")[0] ?? ""))];
  return await Promise.all(
    Object.values(all).map(async ({ load }) => completed((await load()).command, first)),
  );
}

function completed(command: Command, first: readonly string[]): CompletedCommand {
  const offered = (offer: Offer | undefined): Offered | null =>
    offer?.kind === "command" ? { kind: "word", words: first } : (offer ?? null);
  const own = Object.entries(command.options).map(
    ([name, { type, short }]): CompletedOption => ({
      long: `--${name}`,
      short: short === undefined ? null : `-${short}`,
      help: command.optionHelp[name] ?? "",
      takesValue: type === "string",
      offer: offered(command.offers?.[name]),
    }),
  );
  const help = { long: "--help", short: "-h", help: "explain this command", takesValue: false, offer: null };
  return {
    words: command.path.join(" "),
    summary: command.summary,
    options: [...own, help],
    argument: offered(command.argument),
  };
}

/** A word that is the beginning of commands, and what may follow it. */
export interface Branch {
  /** The words so far: empty, or `policy`. */
  readonly words: string;
  readonly next: readonly { readonly word: string; readonly summary: string }[];
}

/** Returns what may follow no word, and each word that has commands below it. */
export function branchesOf(commands: readonly CompletedCommand[]): Branch[] {
  const nouns = new Set(
    commands.flatMap(({ words }) => (words.includes(" ") ? (words.split(" ")[0] ?? []) : [])),
  );
  const top = commands.filter(({ words }) => !words.includes(" "));
  const first = [
    ...top.map(({ words, summary }) => ({ word: words, summary })),
    ...[...nouns]
      .filter((noun) => !top.some(({ words }) => words === noun))
      .map((noun) => ({ word: noun, summary: summaryOf(commands, noun) })),
  ];
  const below = [...nouns].map((noun) => ({
    words: noun,
    next: commands
      .filter(({ words }) => words.startsWith(`${noun} `))
      .map(({ words, summary }) => ({ word: words.slice(noun.length + 1), summary })),
  }));
  return [{ words: "", next: first }, ...below];
}

function summaryOf(commands: readonly CompletedCommand[], noun: string): string {
  const verbs = commands.flatMap(({ words }) =>
    words.startsWith(`${noun} `) ? words.slice(noun.length + 1) : [],
  );
  return verbs.join(", ");
}
