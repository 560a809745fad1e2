/**
 * Runs a child script inside a network namespace of its own, so that nothing it does to interfaces, rules
 * or sysctls can reach the machine. The namespace goes with the child, also after a kill of the test.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface NamespaceRun {
  /** The child's exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface NamespaceOptions {
  /** The child is killed after this time. Default 60 s. */
  readonly timeoutMs?: number;
  /** Added to the environment of the child. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to the child's standard input, which is then closed. */
  readonly stdin?: string;
}

const TIMEOUT_DEFAULT_MS = 300_000;
const OUTPUT_MAX_BYTES = 64 * 1024 * 1024;

/**
 * Runs `node SCRIPT ARGS` in a fresh network namespace and returns how it ended. Throws when the process
 * is not root, because a kernel test that quietly does nothing proves nothing.
 */
export async function runInNamespace(
  script: URL,
  args: readonly string[] = [],
  options: NamespaceOptions = {},
): Promise<NamespaceRun> {
  if (process.getuid?.() !== 0) throw new Error("kernel tests need root: they make network namespaces");
  const child = spawn(
    "unshare",
    ["-n", "--", "setpriv", "--pdeathsig", "KILL", process.execPath, fileURLToPath(script), ...args],
    { env: { ...process.env, ...options.env }, stdio: ["pipe", "pipe", "pipe"] },
  );
  const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? TIMEOUT_DEFAULT_MS);
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.stdin ?? "");
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  try {
    const { code, signal } = await new Promise<Pick<NamespaceRun, "code" | "signal">>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (exitCode, exitSignal) => resolve({ code: exitCode, signal: exitSignal }));
    });
    return { code, signal, stdout: stdout(), stderr: stderr() };
  } finally {
    clearTimeout(timer);
  }
}

/** As runInNamespace, but throws with the child's own words unless it exits 0. Returns its stdout. */
export async function outputInNamespace(
  script: URL,
  args: readonly string[] = [],
  options: NamespaceOptions = {},
): Promise<string> {
  const run = await runInNamespace(script, args, options);
  if (run.code !== 0) {
    throw new Error(
      `${fileURLToPath(script)} ended with ${run.code ?? run.signal}\n${run.stderr}\n${run.stdout}`,
    );
  }
  return run.stdout;
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= OUTPUT_MAX_BYTES) chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString("utf8");
}
