import { SeawallError } from "../core/base/error.ts";
import type { Command, CommandContext } from "./command.ts";
import { EXIT, exitCodeOf, type ExitCode } from "./exit-code.ts";
import { type Given, readGiven } from "./given.ts";
import { COMMANDS } from "./registry.ts";
import { requireWho } from "./root.ts";
import { plain, plainJson, plainLines } from "../core/base/plain.ts";
import { shellWord } from "../core/base/shell-word.ts";

/** What is written as an option elsewhere. */
const ALIASES = new Map([
  ["--version", "version"],
  ["-V", "version"],
  ["-v", "version"],
  ["--help", "help"],
  ["-h", "help"],
]);

/** Whether somebody listens for the errors of stderr. */
let isTalking = false;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<ExitCode> {
  try {
    return await dispatch(argv);
  } catch (cause) {
    return report(cause);
  }
}

async function dispatch(argv: readonly string[]): Promise<ExitCode> {
  const [first = "help", ...rest] = argv;
  const given = [ALIASES.get(first) ?? first, ...rest];
  const words = Object.hasOwn(COMMANDS, given.slice(0, 2).join(" ")) ? 2 : 1;
  const name = given.slice(0, words).join(" ");
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry === undefined) return (await import("./unknown.ts")).helpOrRefuse(COMMANDS, given);
  const { command } = await entry.load();
  return runCommand(command, given.slice(words));
}

async function runCommand(command: Command, argv: readonly string[]): Promise<ExitCode> {
  const given = await readGivenOrBelow(command, argv);
  if (given.values["help"] === true) {
    const { helpOf } = await import("./render/help.ts");
    process.stdout.write(helpOf(command));
    return EXIT.ok;
  }
  requireWho(command);
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  // What it started has no terminal, so that Ctrl-C reaches us alone.
  if (command.onlyLooks !== true) {
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
  }
  // A reader that closes early (head) is no failure of ours.
  process.stdout.on("error", (cause: NodeJS.ErrnoException) => {
    if (cause.code === "EPIPE") process.exit(EXIT.ok);
  });
  const color =
    process.stdout.isTTY && process.env["NO_COLOR"] === undefined && process.env["TERM"] !== "dumb";
  const isJson = given.values["json"] === true;
  const shown = (text: string): string => {
    if (command.isDocument === true && !process.stdout.isTTY) return text;
    return isJson ? plainJson(text) : plainLines(text, color);
  };
  const context: CommandContext = {
    positionals: given.positionals,
    flags: given.values,
    // SECURITY: whatever a command prints, nothing of a stranger's drives the terminal behind it.
    out: (text) => void process.stdout.write(shown(text)),
    err: talk,
    env: process.env,
    cwd: process.cwd(),
    nowMs: () => Date.now(),
    signal: abort.signal,
    color,
    ...(process.stdin.isTTY && process.stderr.isTTY ? { ask } : {}),
  };
  return command.run(context);
}

/** As `readGiven`; a word that is near to a command below this one is taken for that: `audit hstory`. */
async function readGivenOrBelow(command: Command, argv: readonly string[]): Promise<Given> {
  const [word = ""] = argv;
  const noun = command.path.join(" ");
  if (command.words.most === 0 && !word.startsWith("-") && word !== "") {
    const below = Object.keys(COMMANDS).filter((words) => words.startsWith(`${noun} `));
    if (below.length > 0) {
      const { nearBelow, unknownCommand } = await import("./unknown.ts");
      if (nearBelow(noun, word, below)) throw unknownCommand(COMMANDS, [noun, word]);
    }
  }
  return readGiven(command, argv);
}

async function ask(question: string): Promise<boolean> {
  return (await import("./ask.ts")).askOnTerminal(plain(question));
}

/** Talk that nobody can read (a full disk, a reader that went) ends no command, and seawalld and the gates least. */
function talk(text: string): void {
  try {
    if (!isTalking) process.stderr.on("error", () => undefined);
    isTalking = true;
    process.stderr.write(plainLines(text, false));
  } catch {
    // The next line is tried again.
  }
}

function report(cause: unknown): ExitCode {
  if (!(cause instanceof SeawallError)) {
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    process.stderr.write(
      `seawall: a mistake of Seawall itself; the kernel keeps the rules it has\n${plainLines(text, false)}\n`,
    );
    return EXIT.unusable;
  }
  process.stderr.write(`error: ${plain(cause.message)}\n`);
  if (cause.still !== null) process.stderr.write(`still true: ${plain(cause.still)}\n`);
  const help = cause.help ?? (cause.code === "SEAWALL_NOT_ROOT" ? `sudo ${typedLine()}` : null);
  if (help !== null) process.stderr.write(`try: ${plain(help)}\n`);
  process.stderr.write(`[${cause.code}]\n`);
  return exitCodeOf(cause.code);
}

/** The line as it was typed, to be typed again. */
function typedLine(): string {
  return ["seawall", ...process.argv.slice(2).map(shellWord)].join(" ");
}
