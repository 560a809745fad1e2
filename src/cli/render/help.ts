import type { Command } from "../command.ts";
import { COMMANDS } from "../registry.ts";

/** Returns the list of commands, for `seawall --help`. */
export function overview(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((words) => words.length));
  const lines = Object.entries(COMMANDS).map(
    ([words, { summary }]) => `  ${words.padEnd(width)}  ${summary}`,
  );
  return [
    "seawall: who may reach your agent, and what it may reach",
    "",
    "usage: seawall COMMAND [ARGUMENTS]",
    "",
    ...lines,
    "",
    "seawall COMMAND --help says more about each.",
    "",
  ].join("\n");
}

/** Returns the help of one command. */
export function helpOf(command: Command): string {
  const options = Object.keys(command.options);
  const width = Math.max(6, ...options.map((option) => option.length + 2));
  const lines = options.map(
    (option) => `  ${`--${option}`.padEnd(width)}  ${command.optionHelp[option] ?? ""}`,
  );
  return [
    command.summary,
    "",
    `usage: ${command.usage}`,
    "",
    ...(lines.length === 0 ? [] : ["options:", ...lines, ""]),
    "examples:",
    ...command.examples.map((example) => `  ${example}`),
    "",
  ].join("\n");
}
