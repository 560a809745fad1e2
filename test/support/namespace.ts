import { spawn } from "node:child_process";

/** A script in a namespace that takes longer is killed. */
const DEADLINE_MS = 60_000;
/** LIMIT: bytes of a script's output that are kept. */
const OUTPUT_MAX_BYTES = 4 * 1024 * 1024;

/**
 * Runs a TypeScript file in a network namespace of its own and returns the JSON that it prints on its last
 * line. Fails with the script's own words when it fails. Needs root, and never touches the machine's network.
 */
export async function inNamespace(script: URL, parameters: readonly string[] = []): Promise<unknown> {
  const child = spawn("unshare", ["-n", process.execPath, script.pathname, ...parameters], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: DEADLINE_MS,
    killSignal: "SIGKILL",
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (part: string) => {
      if (output[name].length < OUTPUT_MAX_BYTES) output[name] += part;
    });
  }
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once("error", reject).once("close", resolve);
  const code = await promise;
  if (code !== 0) throw new Error(`${script.pathname} ended with ${code ?? child.signalCode}\n${output.stderr}`);
  const last = output.stdout.trimEnd().split("\n").at(-1) ?? "";
  return JSON.parse(last);
}
