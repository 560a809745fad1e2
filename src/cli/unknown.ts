/** Words and options that no command has: what was probably meant. Loaded only then. */
import { SeawallError } from "../core/base/error.ts";
import { closest } from "../core/policy/parse/closest.ts";
import type { Command, Commands } from "./command.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { meantCommand, meantOption, synonymOf } from "./meant.ts";
import { commandsBelow, overviewOf } from "./render/help.ts";

/** Prints what is below a word such as `policy --help`; refuses every other word that is no command. */
export function helpOrRefuse(all: Commands, argv: readonly string[]): ExitCode {
  const [noun = "", next] = argv;
  if (commandsBelow(all, noun).length > 0 && (next === "--help" || next === "-h")) {
    process.stdout.write(overviewOf(all, noun));
    return EXIT.ok;
  }
  throw unknownCommand(all, argv);
}

/** Returns the error that names the nearest command. */
export function unknownCommand(all: Commands, argv: readonly string[]): SeawallError {
  const [noun = "", verb] = argv;
  const below = commandsBelow(all, noun);
  if (below.length > 0) {
    const shown = verb === undefined ? noun : `${noun} ${verb}`;
    const near = closest(shown, below);
    return near === null
      ? refusal(incomplete(noun, verb), `seawall ${noun} --help`)
      : refusal(`there is no command \`${shown}\`; did you mean \`${near}\`?`, `seawall ${near} --help`);
  }
  if (noun.startsWith("-")) return misplacedOption(all, argv);
  const ours = synonymOf(all, noun);
  if (ours !== null) {
    const { say, note = "here it is" } = ours;
    return refusal(
      `there is no command \`${noun}\`: ${note} \`seawall ${say}\``,
      `seawall ${say.split(" --")[0] ?? ""} --help`,
    );
  }
  const words = Object.keys(all);
  // `polcy check` is near to a command as a whole, `statsu --json` by its first word.
  const near =
    closest(argv.slice(0, 2).join(" "), words) ?? closest(noun, words) ?? closest(noun, nouns(all));
  return near === null
    ? refusal(`there is no command \`${noun}\``, "seawall --help")
    : refusal(`there is no command \`${noun}\`; did you mean \`${near}\`?`, `seawall ${near} --help`);
}

/** `seawall --json status`: options stand behind the command that they belong to. */
function misplacedOption(all: Commands, argv: readonly string[]): SeawallError {
  const [option = "", next = ""] = argv;
  const isCommand = Object.hasOwn(all, next);
  return refusal(
    `\`${option}\` stands before a command; options stand behind it`,
    isCommand ? `seawall ${next} ${option}` : "seawall --help",
  );
}

function incomplete(noun: string, verb: string | undefined): string {
  return verb === undefined
    ? `\`seawall ${noun}\` is not a whole command`
    : `there is no command \`${noun} ${verb}\``;
}

/** Whether a word behind a command is near to one of the commands below it. */
export function nearBelow(noun: string, word: string, below: readonly string[]): boolean {
  return closest(`${noun} ${word}`, below) !== null;
}

function nouns(all: Commands): string[] {
  return Object.keys(all).flatMap((words) => (words.includes(" ") ? (words.split(" ")[0] ?? []) : []));
}

function refusal(message: string, help: string): SeawallError {
  return new SeawallError("SEAWALL_USAGE", message, { still: "nothing was done", help });
}

/** Returns what parseArgs did not take, in our words: an unknown option with the nearest one of the command. */
export function unusableArguments(command: Command, cause: unknown): SeawallError {
  const text =
    cause instanceof Error ? (cause.message.split(". ")[0] ?? cause.message) : "unusable arguments";
  const option = /^Unknown option '(-[^']*)'/.exec(text)?.[1];
  const help = `seawall ${command.path.join(" ")} --help`;
  const still = "nothing was done";
  if (option === undefined) return new SeawallError("SEAWALL_USAGE", lowered(text), { still, help, cause });
  const near = closest(
    option,
    Object.keys(command.options).map((name) => `--${name}`),
  );
  const meant = near === null ? "" : `; did you mean \`${near}\`?`;
  const message = `\`seawall ${command.path.join(" ")}\` has no option \`${option}\`${meant}`;
  return new SeawallError("SEAWALL_USAGE", message, { still, help, cause });
}

/** Returns the error about an option that was given twice, or without a value. */
export function unusableOption(command: Command, name: string, problem: "twice" | "empty"): SeawallError {
  const message =
    problem === "twice" ? `\`--${name}\` is given twice, and holds once` : `\`--${name}\` is given no value`;
  return new SeawallError("SEAWALL_USAGE", message, {
    still: "nothing was done",
    help: `seawall ${command.path.join(" ")} --help`,
  });
}

/** Returns the error about words that a command does not take, with what was probably meant. */
export function unusableWords(command: Command, given: readonly string[]): SeawallError {
  const name = `seawall ${command.path.join(" ")}`;
  const help = `${name} --help`;
  const still = "nothing was done";
  if (given.includes("")) {
    const message = `an empty word stands behind \`${name}\`: is a variable of the shell unset?`;
    return new SeawallError("SEAWALL_USAGE", message, { still, help });
  }
  const { most, shown } = command.words;
  const extra = given[most] ?? "";
  const takes = most === 0 ? "takes no words" : `takes ${shown} and nothing more`;
  const option = meantOption(command, extra, given[most + 1]);
  const other = option === null ? meantCommand(command, extra) : `${command.path.join(" ")} ${option}`;
  const meant = other === null ? "" : `; did you mean \`${option ?? `seawall ${other}`}\`?`;
  return new SeawallError("SEAWALL_USAGE", `\`${name}\` ${takes}, and \`${extra}\` is one too many${meant}`, {
    still,
    help: other === null ? help : sudoed(command, `seawall ${other}`),
  });
}

function sudoed({ who }: Command, line: string): string {
  return who === "anybody" ? line : `sudo ${line}`;
}

function lowered(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
