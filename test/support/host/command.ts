import { type ChildProcess, spawn } from "node:child_process";

const DEADLINE_MS = 20_000;
const OUTPUT_LIMIT_BYTES = 256 * 1024 * 1024;

export type Finished = {
  /** Exit code, or null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** True when the deadline passed and the command was killed. */
  readonly timedOut: boolean;
};

export type RunOptions = {
  readonly deadlineMs?: number;
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
};

/** Runs `argv` to its end. Never throws for a failing command; kills it at the deadline (20 s unless said). */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = start(argv, options);
  child.stdin?.on("error", () => {}); // A command that reads no input closes the pipe: EPIPE is not a failure.
  child.stdin?.end(options.input ?? "");
  return finished(child, options.deadlineMs ?? DEADLINE_MS);
}

/** Runs `argv` and returns its stdout. Throws with both outputs when it fails or is late. */
export async function runOk(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await run(argv, options);
  if (result.code === 0) return result.stdout;
  throw new Error(`${argv.join(" ").slice(0, 400)}: ${describe(result)}`);
}

/** Starts `argv` with three pipes. The caller ends it, or it ends with its namespace. */
export function start(argv: readonly string[], options: RunOptions = {}): ChildProcess {
  const [file, ...rest] = argv;
  if (file === undefined) throw new Error("an empty command");
  return spawn(file, rest, {
    stdio: ["pipe", "pipe", "pipe"],
    ...(options.env && { env: options.env }),
    ...(options.cwd !== undefined && { cwd: options.cwd }),
  });
}

/** Waits for a started command. `stdout` and `stderr` are what it printed from now on. */
export function finished(child: ChildProcess, deadlineMs: number): Promise<Finished> {
  const out: string[] = [];
  const err: string[] = [];
  let timedOut = false;
  collect(child.stdout, out);
  collect(child.stderr, err);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
      // A grandchild may hold the pipes open: do not wait for them.
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, deadlineMs);
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code, stdout: out.join(""), stderr: err.join(""), timedOut });
    });
  });
}

/** One line about a result, for an error message or an assertion. */
export function describe(result: Finished): string {
  const end = result.timedOut ? "killed at its deadline" : `exit ${result.code}`;
  return `${end}\n${result.stdout}${result.stderr}`.trim();
}

function collect(stream: NodeJS.ReadableStream | null, into: string[]): void {
  let bytes = 0;
  stream?.setEncoding("utf8");
  stream?.on("data", (text: string) => {
    bytes += text.length;
    if (bytes <= OUTPUT_LIMIT_BYTES) into.push(text);
  });
}
