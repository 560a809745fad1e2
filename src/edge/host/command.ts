/** The only place that starts other programs: an argument list, an absolute path, a deadline, a size limit. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { SeawallError } from "../../core/base/error.ts";

/** Where system programs live. The caller's PATH is not asked: root must not run what a user can place there. */
const SYSTEM_FOLDERS = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
export const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;
/** LIMIT: characters that a program beside us may say. */
const ANSWER_CHARS_MAX = 32 * 1024 * 1024;
export const DEADLINE_MS = 60_000;

/** LIMIT: process ids remembered of programs that we started. */
const CHILDREN_MAX = 64;
const children: number[] = [];

export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly input?: string;
  readonly deadlineMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Returns the absolute path of a system program, or undefined when it is not installed. */
export function findProgram(program: string): string | undefined {
  for (const folder of SYSTEM_FOLDERS) {
    const path = `${folder}/${program}`;
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not there: the next folder may have it.
    }
  }
  return undefined;
}

/** Runs a program to its end and returns what it said; its exit status is for the caller to judge. */
export function runSync(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): CommandResult {
  const result = spawnSync(pathOf(program), [...args], {
    encoding: "utf8",
    timeout: options.deadlineMs ?? DEADLINE_MS,
    maxBuffer: OUTPUT_BYTES_MAX,
    env: environment(options.env),
    ...(options.input === undefined ? {} : { input: options.input }),
  });
  noteChild(result.pid);
  if (result.error !== undefined) {
    throw new SeawallError("SEAWALL_COMMAND", `${program} did not end well: ${result.error.message}`, {
      cause: result.error,
    });
  }
  return { status: result.status, stdout: result.stdout, stderr: result.stderr };
}

/**
 * Runs a program to its end without waiting for it; its exit status is for the caller to judge. One that is still
 * there after its deadline is killed, and refused like one that says more than ANSWER_CHARS_MAX.
 */
export function run(
  program: string,
  args: readonly string[],
  { deadlineMs = DEADLINE_MS }: { readonly deadlineMs?: number } = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = startTied(program, args, ["ignore", "pipe", "pipe"]);
    const said = { stdout: "", stderr: "" };
    const end = (why: string): void => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      // What it started may hold them open for longer.
      for (const name of ["stdout", "stderr"] as const) child[name]?.destroy();
      reject(new SeawallError("SEAWALL_COMMAND", `${program} did not end well: ${why}`));
    };
    const timer = setTimeout(() => end(`no answer for ${deadlineMs / 1_000} s`), deadlineMs);
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.setEncoding("utf8").on("data", (text: string) => {
        said[name] += text;
        if (said[name].length > ANSWER_CHARS_MAX) end("it says too much");
      });
    }
    child.once("error", ({ message }) => end(message));
    child.once("close", (status) => {
      clearTimeout(timer);
      resolve({ status, ...said });
    });
  });
}

/** Starts a program that the kernel ends when we end, however that is; the caller ends it before. */
export function startTied(
  program: string,
  args: readonly string[],
  stdio: readonly ("pipe" | "ignore" | "inherit")[],
): ChildProcess {
  const path = pathOf(program);
  // Without setpriv(1) it ends when it next writes into a pipe that nobody reads.
  if (findProgram("setpriv") === undefined) return start(path, args, stdio);
  return start("setpriv", ["--pdeathsig", "KILL", "--", path, ...args], stdio);
}

/** Starts a program that runs beside us; the caller ends it. */
export function start(
  program: string,
  args: readonly string[],
  stdio: readonly ("pipe" | "ignore" | "inherit")[],
  env?: Readonly<Record<string, string>>,
): ChildProcess {
  const child = spawn(pathOf(program), [...args], { stdio: [...stdio], env: environment(env) });
  noteChild(child.pid);
  return child;
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
  if (path !== undefined) return path;
  throw new SeawallError("SEAWALL_COMMAND", `\`${program}\` is not installed`, {
    help: `apt-get install ${program === "nft" ? "nftables" : program}`,
  });
}

/** Programs are read by us, so they speak plain English; nothing of the caller's environment reaches them. */
function environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PATH: SYSTEM_FOLDERS.join(":"), LC_ALL: "C", TZ: "UTC", ...more };
}
