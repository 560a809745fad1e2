/** The policy's own `tests:` and `assert:`, judged by `evaluate`. A failing one is an error of the policy. */
import type { Diagnostic, Span } from "../base/diagnostic.ts";
import { judgeAssertion } from "./assertion.ts";
import type { Decision } from "./decision.ts";
import type { PolicyDocument, TestEntry } from "./document.ts";
import { evaluator, type Evaluate } from "./evaluate.ts";
import { parseFlow } from "./flow-input.ts";
import type { ResolvedPolicy } from "./resolved.ts";

export interface TestResult {
  readonly entry: TestEntry;
  readonly decision: Decision;
  readonly passed: boolean;
}

/** Returns what each entry of `tests:` gave. */
export function runTests(document: PolicyDocument, policy: ResolvedPolicy, nowMs: number): TestResult[] {
  const judge = evaluator(policy);
  return document.tests.map((entry) => {
    const decision = judgeRecord(judge, recordOf(entry), nowMs);
    return { entry, decision, passed: decision.verdict === entry.expect };
  });
}

/** Returns an error for each test that fails and each assertion that does not hold. */
export function selfTest(document: PolicyDocument, policy: ResolvedPolicy, nowMs: number): Diagnostic[] {
  const failed = runTests(document, policy, nowMs).filter((result) => !result.passed);
  return [
    ...failed.map(({ entry, decision }) =>
      error(
        "policy/test-failed",
        `test expects \`${entry.expect}\`, but the policy says \`${decision.verdict}\``,
        `${decision.rule === null ? "no rule decides" : `rule \`${decision.rule}\` decides`}: ${decision.why}`,
        entry.span,
      ),
    ),
    ...document.asserts.flatMap((entry) => judgeAssertion(entry, document, policy, nowMs) ?? []),
  ];
}

function recordOf({ flow }: TestEntry): Record<string, unknown> {
  if (flow.direction === "inbound") return { ...flow };
  return {
    direction: "outbound",
    host: flow.to,
    port: flow.port,
    protocol: flow.protocol,
    scope: flow.scope,
  };
}

function judgeRecord(judge: Evaluate, record: Readonly<Record<string, unknown>>, nowMs: number): Decision {
  const parsed = parseFlow(record);
  return parsed.ok ? judge(parsed.flow, nowMs) : parsed.decision;
}

function error(code: string, message: string, help: string, span: Span): Diagnostic {
  return { code, severity: "error", message, help, span };
}
