import type { Command, Commands } from "../command.ts";
import { GROUPS } from "../group.ts";
import { placeLines } from "./place.ts";

/** LIMIT: columns of every help text. */
export const COLUMNS_MAX = 100;

/** Returns the list of commands by what one wants, for `seawall --help`. */
export function overview(all: Commands): string {
  const width = Math.max(...Object.keys(all).map((words) => words.length));
  const groups = GROUPS.flatMap(({ title, commands }) => [
    "",
    `${title}:`,
    ...commandLines(all, commands, width),
  ]);
  return [
    "seawall: who may reach your agent, and what it may reach",
    "",
    "usage: seawall COMMAND [ARGUMENTS]",
    "       seawall COMMAND --help",
    ...groups,
    "",
    "In doubt: `seawall status` changes nothing, and `seawall rollback` goes back.",
    "",
  ].join("\n");
}

/** Returns the list of the commands that begin with a word, for `seawall policy --help`. */
export function overviewOf(all: Commands, noun: string): string {
  const below = commandsBelow(all, noun);
  const width = Math.max(...below.map((words) => words.length));
  return [`usage: seawall ${noun} COMMAND [ARGUMENTS]`, "", ...commandLines(all, below, width), ""].join(
    "\n",
  );
}

/** Returns the words of the commands below a word: `policy` has `policy check` and others. */
export function commandsBelow(all: Commands, noun: string): string[] {
  return Object.keys(all).filter((words) => words.startsWith(`${noun} `));
}

function commandLines(all: Commands, commands: readonly string[], width: number): string[] {
  return columns(
    commands.map((words) => [words, all[words]?.summary ?? ""]),
    width,
  );
}

/** Returns the help of one command. */
export function helpOf(command: Command): string {
  const exits = Object.entries(command.exits).map(([code, meaning]): [string, string] => [code, meaning]);
  return [
    command.summary,
    "",
    ...wrapped(command.about, "", COLUMNS_MAX),
    "",
    ...usageLines(command),
    ...section("options", optionRows(command)),
    ...section("exit codes", exits),
    ...section("files and variables", placeLines(command.places)),
    "",
    "examples:",
    ...command.examples.map((example) => `  ${example}`),
    "",
    `see also: ${command.seeAlso.map((words) => `seawall ${words}`).join(", ")}`,
    "",
  ].join("\n");
}

/** Returns a row for each option: `-o, --output FORMAT`, and what it does. */
export function optionRows(command: Command): [string, string][] {
  const rows = Object.entries(command.options).map(([option, { type, short }]): [string, string] => {
    const flag = short === undefined ? `--${option}` : `-${short}, --${option}`;
    const name = type === "string" ? `${flag} ${placeholderOf(command, option, short)}` : flag;
    return [name, command.optionHelp[option] ?? ""];
  });
  return [...rows, ["-h, --help", "this text"]];
}

/** The word that stands for the value in the usage line. */
function placeholderOf(command: Command, option: string, short: string | undefined): string {
  const flag = short === undefined ? `--${option}` : `(?:--${option}|-${short})`;
  return new RegExp(`${flag}[ =]((?:\\[[^\\]\\s]*\\]|[^[\\]\\s])+)`).exec(command.usage)?.[1] ?? "VALUE";
}

/** Returns the ways to call a command, broken to fit; the first line begins with `usage: `. */
export function usageLines({ usage }: Command): string[] {
  return usage.split("\n").flatMap((line, at) => {
    const head = at === 0 ? "usage: " : "       ";
    return wrapped(line, " ".repeat(11), COLUMNS_MAX - head.length, true).map((part, row) =>
      row === 0 ? head + part : part,
    );
  });
}

function section(title: string, rows: readonly [string, string][]): string[] {
  if (rows.length === 0) return [];
  const width = Math.max(...rows.map(([name]) => name.length));
  return ["", `${title}:`, ...columns(rows, width)];
}

function columns(rows: readonly (readonly [string, string])[], width: number): string[] {
  const indent = " ".repeat(width + 4);
  return rows.flatMap(([name, text]) =>
    wrapped(text, indent, COLUMNS_MAX - indent.length).map((line, at) =>
      at === 0 ? `  ${name.padEnd(width)}  ${line}` : line,
    ),
  );
}

const BEFORE_OPTION = / (?=\[)| (?=--)(?![^[]*\])/;

/**
 * Breaks a text into lines of at most `width` columns; all but the first begin with `indent`. A usage line is
 * broken before a bracket, or before an option that stands in none.
 */
function wrapped(text: string, indent: string, width: number, usage = false): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(usage ? BEFORE_OPTION : " ")) {
    const room = lines.length === 0 ? width : COLUMNS_MAX - indent.length;
    if (line !== "" && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one, at) => (at === 0 ? one : indent + one));
}
