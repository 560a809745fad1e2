// What the events of node:test say about one test file.
import type { TestEvent } from "node:test/reporters";

export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

export interface FileResult {
  readonly file: string;
  passed: number;
  readonly failures: Failure[];
  readonly skipped: string[];
  /** What tests report by `t.diagnostic`. */
  readonly figures: string[];
  /** The last lines the file printed. */
  readonly output: string[];
  /** False while its tests are not all over: a file may end in the middle with exit code 0. */
  isWhole: boolean;
  /** Milliseconds; null while the file runs. */
  duration: number | null;
}

interface Failure {
  readonly name: string;
  readonly text: string;
}

const OUTPUT_LIMIT_LINES = 30;
const FAILURE_LIMIT_LINES = 40;

export function newFileResult(file: string): FileResult {
  return {
    file,
    passed: 0,
    failures: [],
    skipped: [],
    figures: [],
    output: [],
    isWhole: false,
    duration: null,
  };
}

/** Adds one event. Containers are not counted: a suite, or a test that failed only because a part of it did. */
export function addEvent(result: FileResult, event: TestEvent): void {
  switch (event.type) {
    case "test:stdout":
    case "test:stderr":
      result.output.push(...event.data.message.trimEnd().split("\n"));
      result.output.splice(0, result.output.length - OUTPUT_LIMIT_LINES);
      return;
    case "test:diagnostic":
      result.figures.push(event.data.message);
      return;
    case "test:summary":
      result.isWhole = true;
      return;
    case "test:complete":
      addTest(result, event.data);
      return;
    default:
  }
}

type Completed = Extract<TestEvent, { type: "test:complete" }>["data"];

function addTest(result: FileResult, test: Completed): void {
  const isFile = test.name === test.file;
  const { passed, type, error } = { error: undefined, ...test.details };
  if (isFile) result.duration = test.details.duration_ms;
  if (type === "suite" && (passed || isFromParts(error))) return;
  if (test.skip !== undefined && test.skip !== false)
    result.skipped.push(reason(test.name, "skipped", test.skip));
  else if (test.todo !== undefined && test.todo !== false)
    result.skipped.push(reason(test.name, "todo", test.todo));
  else if (isFile && passed) return;
  else if (passed) result.passed += 1;
  else if (!isFromParts(error))
    result.failures.push({ name: isFile ? "the file itself" : test.name, text: textOf(error) });
}

function reason(name: string, kind: string, why: string | boolean): string {
  return typeof why === "string" && why !== "" ? `${name}: ${kind} (${why})` : `${name}: ${kind}`;
}

function isFromParts(error: unknown): boolean {
  return error instanceof Error && "failureType" in error && error.failureType === "subtestsFailed";
}

/** The test's own error, without the frames of the test runner. */
function textOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  const lines = text.split("\n").filter((line) => !/^\s+at .*(node:internal|node:test)/.test(line));
  return lines.slice(0, FAILURE_LIMIT_LINES).join("\n");
}

/** Counts the files' tests. A file without a test has failed, and in CI so has a skipped one. */
export function summarise(results: readonly FileResult[]): Tally {
  let passed = 0;
  let failed = 0;
  for (const result of results) {
    passed += result.passed;
    failed +=
      result.failures.length + (flawOf(result) === null ? 0 : 1) + (isStrict() ? result.skipped.length : 0);
  }
  return { passed, failed };
}

/** Prints what failed in a file, as soon as it is over. */
export function printFailures({ file, failures, output }: FileResult): void {
  for (const { name, text } of failures) console.log(`FAILED ${file}\n  ${name}\n${indent(text)}`);
  if (failures.length > 0 && output.length > 0) console.log(`  it printed:\n${indent(output.join("\n"))}`);
}

/** Prints which files ended in the middle or have no test, and what was skipped. */
export function printFlaws(results: readonly FileResult[]): void {
  for (const result of results) {
    const { file, skipped } = result;
    const flaw = flawOf(result);
    if (flaw !== null) console.log(`FAILED ${file}\n  ${flaw}`);
    for (const line of skipped) console.log(`${isStrict() ? "FAILED" : "skip  "} ${file}\n  ${line}`);
  }
}

/** What is wrong with a file that reported no failure. */
function flawOf({ passed, failures, skipped, isWhole }: FileResult): string | null {
  if (failures.length > 0) return null;
  if (!isWhole && passed > 0) return "ended before all of its tests did";
  return passed + skipped.length === 0 ? "has no test, or ended before the first" : null;
}

/** CI=true: nobody reads a skip there. */
function isStrict(): boolean {
  return process.env["CI"] === "true" || process.env["CI"] === "1";
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "    ");
}
