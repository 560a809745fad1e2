import { SeawallError } from "../core/base/error.ts";
import type { Command, CommandContext } from "./command.ts";
import { EXIT, exitCodeOf, type ExitCode } from "./exit-code.ts";
import { COMMANDS } from "./registry.ts";
import { plain, plainJson, plainLines } from "../core/base/plain.ts";

// `status` runs on every prompt: importing a module of Node as ESM costs 3 to 5 ms each, asking for it nothing.
const { parseArgs } = process.getBuiltinModule("node:util");

/** What is written as an option elsewhere. */
const ALIASES = new Map([
  ["--version", "version"],
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
  const parsed = await parseArguments(command, argv);
  if (parsed.values["help"] === true) {
    const { helpOf } = await import("./render/help.ts");
    process.stdout.write(helpOf(command));
    return EXIT.ok;
  }
  const [first] = parsed.positionals;
  if (first !== undefined && command.argument === undefined) await refuseBelow(command, first);
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  // A reader that closes early (head) is no failure of ours.
  process.stdout.on("error", (cause: NodeJS.ErrnoException) => {
    if (cause.code === "EPIPE") process.exit(EXIT.ok);
  });
  const color =
    process.stdout.isTTY && process.env["NO_COLOR"] === undefined && process.env["TERM"] !== "dumb";
  const isJson = parsed.values["json"] === true;
  const shown = (text: string): string => {
    if (command.isDocument === true && !process.stdout.isTTY) return text;
    return isJson ? plainJson(text) : plainLines(text, color);
  };
  const context: CommandContext = {
    positionals: parsed.positionals,
    flags: parsed.values,
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

async function ask(question: string): Promise<boolean> {
  return (await import("./ask.ts")).askOnTerminal(plain(question));
}

/** Refuses a word behind a command that has commands below it and takes no argument: `audit hstory`. */
async function refuseBelow({ path }: Command, word: string): Promise<void> {
  const noun = path.join(" ");
  if (!Object.keys(COMMANDS).some((words) => words.startsWith(`${noun} `))) return;
  throw (await import("./unknown.ts")).unknownCommand(COMMANDS, [noun, word]);
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

async function parseArguments(command: Command, argv: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { ...command.options, help: { type: "boolean", short: "h" } },
      allowPositionals: true,
      strict: true,
    });
    return { positionals, values: values as Record<string, string | boolean | undefined> };
  } catch (cause) {
    throw (await import("./unknown.ts")).unusableArguments(command, cause);
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
  if (cause.help !== null) process.stderr.write(`try: ${plain(cause.help)}\n`);
  process.stderr.write(`[${cause.code}]\n`);
  return exitCodeOf(cause.code);
}
