// The one command before a commit. `node script/check.ts`: static checks and unit tests; `--all`: every test
// group too (`npm test`); `--static`: no test.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { driftOf } from "./drift.ts";
import { GROUPS, printTotal, runTests } from "./run-tests.ts";
import type { Tally } from "./test-result.ts";

interface Step {
  readonly name: string;
  /** Resolves to what is wrong; nothing when all is well. */
  readonly run: () => Promise<string>;
}

const ROOT = join(import.meta.dirname, "..");
const STEP_LIMIT_MS = 5 * 60_000;

const STEPS: readonly Step[] = [
  { name: "types", run: () => tool("tsc", "--noEmit", "-p", "tsconfig.json") },
  { name: "lint", run: () => tool("oxlint", "--format=unix") },
  { name: "format", run: () => tool("biome", "format", "--reporter=summary") },
  { name: "dead code", run: () => tool("knip", "--no-progress") },
  { name: "generated files", run: () => driftOf(ROOT) },
];

const failed = (await runSteps()) + missingPackages();
const tests = await runChosenTests();
process.exitCode = printTotal({ passed: tests.passed, failed: tests.failed + failed });

async function runChosenTests(): Promise<Tally> {
  if (process.argv.includes("--static")) return { passed: STEPS.length - failed, failed: 0 };
  return await runTests(process.argv.includes("--all") ? GROUPS : ["unit"]);
}

/** Runs the static checks beside each other and returns how many failed. */
async function runSteps(): Promise<number> {
  const failures = await Promise.all(STEPS.map(runStep));
  return failures.filter(Boolean).length;
}

async function runStep({ name, run }: Step): Promise<boolean> {
  const started = performance.now();
  const problem = await run();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(problem === "" ? `ok     ${name} ${seconds} s` : `FAILED ${name}\n${problem}`);
  return problem !== "";
}

async function tool(name: string, ...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [join(ROOT, "node_modules/.bin", name), ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: STEP_LIMIT_MS,
    env: { ...process.env, NO_COLOR: "1" },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += String(text)));
  const code = await new Promise((resolve) => child.on("close", resolve));
  return code === 0 ? "" : output.trim() || `${name} ended with ${String(code)}`;
}

/** What `npm test` could not install: the tests that need it fail too, but this says why. */
function missingPackages(): number {
  const missing = process.env["SEAWALL_TEST_MISSING"] ?? "";
  if (missing !== "") console.log(`FAILED system packages\n${missing}`);
  return missing === "" ? 0 : 1;
}
