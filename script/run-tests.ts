// Runs the test files in groups and counts them: `node script/run-tests.ts [unit|kernel|lab ...] [part-of-a-path]`.
// A capability that is missing, a file without a test and, in CI, a skipped test are failures.
import { spawnSync } from "node:child_process";
import { run } from "node:test";
import { accessSync, constants, globSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  addEvent,
  type FileResult,
  newFileResult,
  printFailures,
  printFlaws,
  summarise,
  type Tally,
} from "./test-result.ts";

export const GROUPS = ["unit", "kernel", "lab"] as const;
export type Group = (typeof GROUPS)[number];

const ROOT = join(import.meta.dirname, "..");
const FILE_LIMIT_MS = 25 * 60_000;
const SLOW_MS = 2_000;
const COMMAND_FOLDERS = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** A kernel file waits as often as it computes; the worlds of `lab` are measured in seconds, so one at a time. */
const CONCURRENCY: Readonly<Record<Group, number>> = { unit: 2, kernel: 3, lab: 1 };
/** Started first, so that none of them runs alone at the end. A file that is not named here only costs time. */
const LONGEST = [
  "change-kills",
  "gate/drift",
  "scope-docker-network",
  "daemon-kills",
  "kernel/confirm.",
  "install-deb",
  "install-systemd",
  "scope-netns",
  "daemon-disk",
  "gate/killed",
  "gate/panic",
  "attack/status",
  "kernel/lease.",
  "scope-docker.",
  "gate/observe",
  "install-npm",
  "kernel/cuts",
];
/** Node's compiled code, shared by every process that a test starts: starting Node is what most of the time goes to. */
const COMPILE_CACHE = join(import.meta.dirname, "..", ".cache/compile");
const FOLDERS: Readonly<Record<Exclude<Group, "unit">, RegExp>> = {
  kernel: /^test\/(kernel|differential|crash|audit\/host)\/|^test\/support\/host\//,
  lab: /^test\/(lab|e2e)\//,
};

if (import.meta.main) {
  const words = process.argv.slice(2);
  const chosen = GROUPS.filter((group) => words.includes(group));
  const part = words.find((word) => !GROUPS.some((group) => group === word)) ?? "";
  process.exitCode = printTotal(await runTests(chosen.length === 0 ? GROUPS : chosen, part));
}

/** Runs every test file of the groups whose path contains `part`; failures are printed as they are counted. */
export async function runTests(groups: readonly Group[], part = ""): Promise<Tally> {
  let total: Tally = { passed: 0, failed: 0 };
  for (const group of groups) {
    const files = testFiles(group).filter((file) => file.includes(part));
    if (files.length === 0) continue;
    const tally = await runGroup(group, files);
    total = { passed: total.passed + tally.passed, failed: total.failed + tally.failed };
  }
  return total;
}

/** Prints the one line that ends every run and returns the exit code; a run without a test has failed. */
export function printTotal({ passed, failed }: Tally): number {
  if (passed + failed === 0) console.log("no test ran");
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

function testFiles(group: Group): readonly string[] {
  return (
    globSync("{src,test,script,web/src}/**/*.test.ts", { cwd: ROOT })
      // Packages of their own (peers of the benchmarks, the real OpenClaw) bring their tests along.
      .filter((file) => !file.includes("node_modules") && groupOf(file) === group)
      .sort()
  );
}

function groupOf(file: string): Group {
  if (FOLDERS.kernel.test(file)) return "kernel";
  return FOLDERS.lab.test(file) ? "lab" : "unit";
}

async function runGroup(group: Group, files: readonly string[]): Promise<Tally> {
  const missing = group === "unit" ? null : (missingCapability() ?? buildProblem());
  if (missing !== null) {
    console.log(`FAILED ${group}: ${files.length} test files did not run: ${missing}`);
    return { passed: 0, failed: 1 };
  }
  const started = performance.now();
  const results = await runFiles(group, files);
  printFlaws(results);
  const tally = summarise(results);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const verdict = tally.failed === 0 ? "ok    " : "FAILED";
  console.log(
    `${verdict} ${group}: ${tally.passed} passed, ${tally.failed} failed in ${files.length} files, ${seconds} s`,
  );
  return tally;
}

function missingCapability(): string | null {
  if (process.geteuid?.() !== 0) return "they need root (network namespaces and nftables): sudo npm test";
  const missing = ["nft", "ip", "unshare"].filter((name) => !isCommand(name));
  if (missing.length === 0) return null;
  return `${missing.join(", ")} not found: apt-get install nftables iproute2 util-linux`;
}

function isCommand(name: string): boolean {
  return COMMAND_FOLDERS.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** These groups start the built command line; one that is older than its sources would prove nothing. */
function buildProblem(): string | null {
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, "bootstrap.mjs"), "build"], {
    encoding: "utf8",
  });
  return status === 0 ? null : stderr;
}

async function runFiles(group: Group, files: readonly string[]): Promise<readonly FileResult[]> {
  const results = new Map(files.map((file) => [join(ROOT, file), newFileResult(file)]));
  mkdirSync(COMPILE_CACHE, { recursive: true });
  process.env["NODE_COMPILE_CACHE"] = COMPILE_CACHE;
  const stream = run({
    files: [...results.keys()].toSorted((a, b) => place(a) - place(b)),
    concurrency: CONCURRENCY[group],
    timeout: FILE_LIMIT_MS,
    cwd: ROOT,
  });
  for await (const event of stream) {
    const path = "file" in event.data ? event.data.file : undefined;
    const result = path === undefined ? undefined : results.get(path);
    if (result === undefined) continue;
    const wasOver = result.duration !== null;
    addEvent(result, event);
    if (wasOver || result.duration === null) continue;
    printProgress(group, result, result.duration);
    printFailures(result);
  }
  return [...results.values()];
}

function place(file: string): number {
  const at = LONGEST.findIndex((part) => file.includes(part));
  return at === -1 ? LONGEST.length : at;
}

function printProgress(group: Group, result: FileResult, milliseconds: number): void {
  if (group === "unit" && milliseconds < SLOW_MS) return;
  console.log(`       ${(milliseconds / 1000).toFixed(1).padStart(6)} s  ${result.file}`);
  for (const figure of result.figures) console.log(`                 ${figure}`);
}
