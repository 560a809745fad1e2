/** What stands behind a command's own words, checked once for every command. */
import type { Command } from "./command.ts";

// `status` runs on every prompt: importing a module of Node as ESM costs 3 to 5 ms each, asking for it nothing.
const { parseArgs } = process.getBuiltinModule("node:util");

export interface Given {
  readonly positionals: readonly string[];
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
}

/**
 * Returns the words and options that were given. Refuses, before anything is done: an option that the command does not
 * have, one given twice or without its value, an empty word, and a word more than the command takes. Words that are
 * missing are left to the command, which says better what they are for. With `--help` only options are looked at.
 */
export async function readGiven(command: Command, argv: readonly string[]): Promise<Given> {
  const { values, positionals, tokens } = await parsed(command, argv);
  const given = { positionals, values: values as Given["values"] };
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const problem = seen.has(token.name) ? "twice" : token.value === "" ? "empty" : null;
    if (problem !== null) throw (await import("./unknown.ts")).unusableOption(command, token.name, problem);
    seen.add(token.name);
  }
  if (given.values["help"] === true) return given;
  if (positionals.length > command.words.most || positionals.includes(""))
    throw (await import("./unknown.ts")).unusableWords(command, positionals);
  return given;
}

async function parsed(command: Command, argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: { ...command.options, help: { type: "boolean", short: "h" } },
      allowPositionals: true,
      strict: true,
      tokens: true,
    });
  } catch (cause) {
    throw (await import("./unknown.ts")).unusableArguments(command, cause);
  }
}
