/**
 * The only place that starts other programs: an argument list, an absolute path, a deadline, a size limit.
 *
 * SECURITY: what we start has no terminal. It leads a session of its own (setsid(2) before it is executed), so that
 * /dev/tty is not there and TIOCSTI is refused; its input, output and errors are pipes or /dev/null, never what we
 * were given; and none of our other descriptors stay open in it.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { SeawallError } from "../../core/base/error.ts";
import { endSession } from "./process-session.ts";

/** Where system programs live. The caller's PATH is not asked: root must not run what a user can place there. */
const SYSTEM_FOLDERS = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
export const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;
/** LIMIT: bytes that a program beside us may say; it is ended when it says more. */
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;
export const DEADLINE_MS = 60_000;

/** LIMIT: process ids remembered of programs that we started. */
const CHILDREN_MAX = 64;
const children: number[] = [];

export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a program said that was not waited for without end. */
export interface Answer extends CommandResult {
  /** Why it was ended before it ended by itself: its deadline, or what it said was too much. */
  readonly cut: string | null;
}

export interface CommandOptions {
  readonly input?: string;
  readonly deadlineMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** The folder it starts in; ours when absent. */
  readonly cwd?: string;
}

/** What a child has as its standard input, output and errors: nothing of ours can be named here. */
export type Stdio = readonly ["pipe" | "ignore", "pipe" | "ignore", "pipe" | "ignore"];

/** Returns the absolute path of a system program, or undefined when it is not installed. */
export function findProgram(program: string): string | undefined {
  return SYSTEM_FOLDERS.map((folder) => `${folder}/${program}`).find(isProgram);
}

/** Whether there is a file that somebody may execute. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs a program to its end and returns what it said; its exit status is for the caller to judge. */
export function runSync(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): CommandResult {
  const [file, ...words] = tied([pathOf(program), ...args]);
  const result = spawnSync(file, words, {
    encoding: "utf8",
    timeout: options.deadlineMs ?? DEADLINE_MS,
    killSignal: "SIGKILL",
    maxBuffer: OUTPUT_BYTES_MAX,
    env: environment(options.env),
    cwd: options.cwd,
    ...OWN_SESSION,
    ...(options.input === undefined ? { stdio: ["ignore", "pipe", "pipe"] } : { input: options.input }),
  });
  noteChild(result.pid);
  if (result.error !== undefined) {
    if (result.pid > 0) endSession(result.pid);
    throw new SeawallError("SEAWALL_COMMAND", `${program} did not end well: ${result.error.message}`, {
      cause: result.error,
    });
  }
  return { status: result.status, stdout: result.stdout, stderr: result.stderr };
}

/** Node's spawnSync hands it to libuv like spawn does, though its types do not name it; a test holds it. */
const OWN_SESSION: object = { detached: true };

/**
 * Runs a program to its end without waiting for it; its exit status is for the caller to judge. One that is still
 * there after its deadline is killed, and refused like one that says more than ANSWER_BYTES_MAX.
 */
export async function run(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { cut, ...result } = await ask(program, args, options).catch((cause: unknown) => {
    throw new SeawallError("SEAWALL_COMMAND", `${program} did not end well: ${messageOf(cause)}`, { cause });
  });
  if (cut !== null) throw new SeawallError("SEAWALL_COMMAND", `${program} did not end well: ${cut}`);
  return result;
}

/** Runs a program beside us and returns what it said until it ended or was ended; rejects when it does not start. */
export async function ask(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Answer> {
  const stdio: Stdio = [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"];
  const child = begin(tied([pathOf(program), ...args]), stdio, options);
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(options.input ?? "");
  return answerOf(child, options.deadlineMs ?? DEADLINE_MS);
}

/** Returns what a child with pipes says until it ends; ends it and its session at the deadline. */
function answerOf(child: ChildProcess, deadlineMs: number): Promise<Answer> {
  const said: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
  let bytes = 0;
  let cut: string | null = null;
  const end = (why: string): void => {
    cut ??= why;
    endChild(child);
    // Who got the pipes from it may hold them open for longer: they are not waited for.
    for (const name of ["stdout", "stderr"] as const) child[name]?.destroy();
  };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= ANSWER_BYTES_MAX) said[name].push(chunk);
      else end("it says too much");
    });
  }
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => end(`no answer for ${deadlineMs / 1_000} s`), deadlineMs);
    child.once("error", (cause) => {
      clearTimeout(timer);
      reject(cause);
    });
    child.once("close", (status) => {
      clearTimeout(timer);
      const [stdout, stderr] = [said.stdout, said.stderr].map((all) => Buffer.concat(all).toString("utf8"));
      resolve({ status, stdout: stdout ?? "", stderr: stderr ?? "", cut });
    });
  });
}

/** Ends a program that we started, and whoever is still in its session. */
export function endChild(child: ChildProcess): void {
  // SECURITY: once it was waited for, its number may be somebody else's.
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) endSession(child.pid);
}

/**
 * Starts a program beside us. The caller ends it; the kernel ends it when we end, however that is, for Ctrl-C does
 * not reach it.
 */
export function start(
  program: string,
  args: readonly string[],
  stdio: Stdio,
  env?: Readonly<Record<string, string>>,
): ChildProcess {
  return begin(tied([pathOf(program), ...args]), stdio, env === undefined ? {} : { env });
}

/** Starts a program that goes on when we end; it has to end by itself. */
export function startLasting(program: string, args: readonly string[], stdio: Stdio): ChildProcess {
  return begin([pathOf(program), ...args], stdio);
}

type Words = readonly [program: string, ...args: string[]];

function begin([file, ...words]: Words, stdio: Stdio, { env, cwd }: CommandOptions = {}): ChildProcess {
  const child = spawn(file, words, { stdio: Array.from(stdio), env: environment(env), cwd, detached: true });
  noteChild(child.pid);
  return child;
}

/** Without setpriv(1) it ends when it next writes into a pipe that nobody reads. */
function tied(words: Words): Words {
  const setpriv = findProgram("setpriv");
  return setpriv === undefined ? words : [setpriv, "--pdeathsig", "KILL", "--", ...words];
}

/** Whether the process was one of the last programs that we started; most have ended by the time one asks. */
export function isRecentChild(pid: number): boolean {
  return children.includes(pid);
}

/** A program that could not be started has no id, or 0. */
function noteChild(pid: number | undefined): void {
  if (pid === undefined || pid === 0) return;
  children.push(pid);
  if (children.length > CHILDREN_MAX) children.shift();
}

function pathOf(program: string): string {
  const path = program.startsWith("/") ? program : findProgram(program);
  if (path !== undefined && isProgram(path)) return path;
  const why = `\`${program}\` is not installed`;
  if (path !== undefined) throw new SeawallError("SEAWALL_COMMAND", why);
  const help = `apt-get install ${program === "nft" ? "nftables" : program}`;
  throw new SeawallError("SEAWALL_COMMAND", why, { help });
}

/** Programs are read by us, so they speak plain English; nothing of the caller's environment reaches them. */
function environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PATH: SYSTEM_FOLDERS.join(":"), LC_ALL: "C", TZ: "UTC", ...more };
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
