/** Runs the programs that are measured, from inside the throw-away namespace. */
import { spawnSync } from "node:child_process";

export interface CommandOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
  /** Exit codes that are no failure. Default: 0. */
  readonly accept?: readonly number[];
}

const DEADLINE_MS = 120_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** Runs a program to its end and returns its stdout. Throws with what it said when it fails or is late. */
export function run(argv: readonly string[], options: CommandOptions = {}): string {
  const [file = "", ...args] = argv;
  const result = spawnSync(file, args, {
    encoding: "utf8",
    timeout: options.deadlineMs ?? DEADLINE_MS,
    maxBuffer: OUTPUT_BYTES_MAX,
    env: { ...process.env, ...options.env },
    ...(options.input === undefined ? {} : { input: options.input }),
  });
  if (result.error !== undefined)
    throw new Error(`${file}: ${result.error.message}`, { cause: result.error });
  if (result.status !== null && (options.accept ?? [0]).includes(result.status)) return result.stdout;
  const said = `${result.stderr}${result.stdout}`.trim().split("\n").slice(0, 2).join(" / ");
  throw new Error(`${argv.join(" ").slice(0, 200)}: exit ${result.status ?? result.signal}: ${said}`);
}

/** Returns the wall time of a whole process in ms. */
export function processMs(argv: readonly string[], options: CommandOptions = {}): number {
  const startMs = performance.now();
  run(argv, options);
  return performance.now() - startMs;
}

/** Loads nft text. */
export function nft(text: string): void {
  run(["nft", "-f", "-"], { input: text });
}

/** Takes our table out, whether it is there or not. */
export function deleteTable(name = "seawall"): void {
  nft(`table inet ${name}\ndelete table inet ${name}\n`);
}

/** Returns whether a program is there. */
export function hasProgram(program: string): boolean {
  return spawnSync("sh", ["-c", 'command -v -- "$1"', "sh", program], { stdio: "ignore" }).status === 0;
}

export function requireProgram(program: string, packageName = program): void {
  if (!hasProgram(program)) {
    throw new Error(`\`${program}\` is not installed. Next: apt-get install ${packageName}`);
  }
}
