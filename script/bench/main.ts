/**
 * npm run bench [-- NAME...] [--quick] [--full] [--json] [--write]
 * Measures Seawall beside its peers in throw-away namespaces. A goal that is missed is said and is no failure; a
 * measurement that could not be made is one (exit 2).
 */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startNamespace } from "../../test/support/host/namespace.ts";
import { describeMachine, oneMinuteLoad } from "./machine.ts";
import { asPage, asText } from "./print.ts";
import { type Benchmark, BENCHMARKS } from "./registry.ts";
import type { BenchResult, Outcome } from "./result.ts";
import { prepareTools } from "./tool.ts";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const PAGE = "docs/benchmarks.md";
/** A benchmark that takes longer hangs. */
const DEADLINE_MS = 15 * 60_000;
const EXIT_NOT_MEASURED = 2;
const EXIT_NOT_ROOT = 5;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(argv);
  if (values.help) {
    process.stdout.write(help());
    return 0;
  }
  const wanted = BENCHMARKS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const unknown = positionals.filter((name) => !BENCHMARKS.some((one) => one.name === name));
  if (unknown.length > 0) {
    say(`there is no benchmark \`${unknown[0]}\`\n${help()}`);
    return EXIT_NOT_MEASURED;
  }
  if (process.getuid?.() !== 0) {
    say("benchmarks run in network namespaces of their own and need root. Next: sudo npm run bench");
    return EXIT_NOT_ROOT;
  }
  const startedMs = Date.now();
  const loadBefore = oneMinuteLoad();
  const outcomes: Outcome[] = [];
  for (const benchmark of wanted) {
    say(`measuring ${benchmark.name} ...`);
    const outcome = await measure(benchmark, values);
    outcomes.push(outcome);
    if (!values.json) process.stdout.write(`${asText(outcome)}\n`);
  }
  const machine = describeMachine(startedMs, loadBefore);
  if (values.json) process.stdout.write(`${JSON.stringify({ schema: "seawall/v1", machine, outcomes })}\n`);
  else process.stdout.write(`${machine.join("\n")}\n`);
  if (values.write) writeFileSync(join(ROOT, PAGE), asPage(outcomes, machine));
  return outcomes.every((outcome) => outcome.ok) ? 0 : EXIT_NOT_MEASURED;
}

function readArguments(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      full: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
}

function help(): string {
  const width = Math.max(...BENCHMARKS.map(({ name }) => name.length));
  return [
    "npm run bench [-- NAME...] [--quick] [--full] [--json] [--write]",
    "",
    ...BENCHMARKS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "  --quick  fewer rounds, under a minute in all",
    "  --full   also what takes minutes (200 rules with ufw)",
    `  --write  write ${PAGE}`,
    "",
  ].join("\n");
}

/** Measures in a namespace that ends with the benchmark, whatever happens in it. */
async function measure(
  benchmark: Benchmark,
  options: { readonly quick: boolean; readonly full: boolean },
): Promise<Outcome> {
  const startMs = performance.now();
  try {
    const tools = prepareTools(ROOT, benchmark.tools, say);
    await benchmark.prepare?.(ROOT, say);
    const given = JSON.stringify({ root: ROOT, tools, quick: options.quick, full: options.full });
    const namespace = await startNamespace();
    try {
      const script = fileURLToPath(new URL("inside.ts", import.meta.url));
      const line = await output(namespace.inside([process.execPath, script, benchmark.name, given]));
      const result = JSON.parse(line) as BenchResult;
      return { ok: true, result, seconds: (performance.now() - startMs) / 1_000 };
    } finally {
      await namespace.stop();
    }
  } catch (error) {
    return { ok: false, name: benchmark.name, why: error instanceof Error ? error.message : String(error) };
  }
}

/** Returns the stdout of a command; throws with the end of its stderr when it fails. */
function output([file = "", ...args]: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"], timeout: DEADLINE_MS });
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err = (err + text).slice(-8_192)));
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) resolve(out);
      else reject(new Error(reasonIn(err) ?? `ended by ${signal ?? `exit ${code}`}`));
    });
  });
}

/** The message of the error that ended a Node program, without its stack. */
function reasonIn(stderr: string): string | undefined {
  const lines = stderr.split("\n");
  const said =
    lines.find((line) => /^\w*Error( \[\w+\])?: /.test(line)) ?? lines.findLast((line) => line !== "");
  return said?.replace(/^Error: /, "").trim();
}

function say(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
