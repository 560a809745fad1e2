/** The policy's own `tests:` and `assert:`, judged by `evaluate`. A failing one is an error of the policy. */
import type { Diagnostic, Span } from "../base/diagnostic.ts";
import type { PortRange } from "../net/port-range.ts";
import { formatPrefix, type Prefix, prefixEnd } from "../net/prefix.ts";
import type { Ip } from "../net/ip.ts";
import { formatPattern, type Hostname } from "../net/hostname.ts";
import type { Decision } from "./decision.ts";
import type { AssertEntry, DestinationTerm, PolicyDocument, SourceTerm, TestEntry } from "./document.ts";
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
    ...document.asserts.flatMap((entry) => runAssert(entry, document, policy, nowMs)),
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

/**
 * An assertion is about whole ranges. The policy can only change its mind at the ends of its own ranges, so
 * judging those (and the assertion's own ends) judges every address and port of it.
 */
function runAssert(
  entry: AssertEntry,
  document: PolicyDocument,
  policy: ResolvedPolicy,
  nowMs: number,
): Diagnostic[] {
  const who = subjectsOf(entry, document);
  if (who === undefined) {
    return [
      error(
        "policy/assert-unjudgeable",
        "an assertion names something whose addresses are not in the file",
        "name addresses, prefixes, sets or host names",
        entry.span,
      ),
    ];
  }
  const judge = evaluator(policy);
  const wanted = entry.kind === "always";
  for (const record of assertRecords(entry, who, policy)) {
    const decision = judgeRecord(judge, record, nowMs);
    const accepted = decision.verdict === "accept";
    if (accepted === wanted) continue;
    const shown = String(record["from"] ?? record["host"] ?? record["address"]);
    const decides = decision.rule === null ? "the default" : `rule \`${decision.rule}\``;
    return [
      error(
        "policy/assert-failed",
        `\`${entry.kind}\` does not hold: ${shown} ${record["protocol"]}/${record["port"]} is \`${decision.verdict}\``,
        `${decides} decides: ${decision.why}`,
        entry.span,
      ),
    ];
  }
  return [];
}

function* assertRecords(
  entry: AssertEntry,
  who: readonly Subject[],
  policy: ResolvedPolicy,
): Generator<Probe> {
  const protocols = entry.protocol === null ? ["tcp", "udp"] : [entry.protocol];
  const rules = entry.direction === "inbound" ? policy.inbound : (policy.outbound ?? []);
  const sets = rules.map((rule) => ("from" in rule ? rule.from : rule.to));
  for (const ends of subjectPoints(entry, who, sets)) {
    for (const port of portPoints(entry.ports ?? [{ first: 1, last: 65_535 }], policy)) {
      for (const protocol of protocols) {
        yield entry.direction === "inbound"
          ? { direction: "inbound", ...ends, port, protocol }
          : { direction: "outbound", scope: entry.scope, ...ends, port, protocol };
      }
    }
  }
}

interface IntervalEnds {
  readonly v4: { readonly first: ArrayLike<number>; readonly last: ArrayLike<number> };
  readonly v6: { readonly first: ArrayLike<bigint>; readonly last: ArrayLike<bigint> };
}

/** LIMIT: points tried for one assertion and axis; a policy with more ends is judged at the first of them. */
export const ASSERT_POINTS_MAX = 4_096;

/** A flow as the check of one point writes it. */
type Probe = Readonly<Record<string, string | number>>;
type Subject = { readonly host: string } | { readonly first: Ip; readonly last: Ip };

/** What an assertion is about as names and address ranges, or undefined when part of it cannot be known here. */
function subjectsOf(entry: AssertEntry, document: PolicyDocument): Subject[] | undefined {
  const subjects: Subject[] = [];
  const addPrefix = (prefix: Prefix): void =>
    void subjects.push({ first: prefix.base, last: prefixEnd(prefix) });
  for (const term of entry.who as readonly (SourceTerm | DestinationTerm)[]) {
    switch (term.kind) {
      case "any":
        subjects.push({ first: { family: 4, value: 0x0100_0000 }, last: { family: 4, value: 0xdfff_ffff } });
        subjects.push({
          first: { family: 6, value: 1n << 125n },
          last: { family: 6, value: (1n << 126n) - 1n },
        });
        break;
      case "prefix":
        addPrefix(term.prefix);
        break;
      case "name":
        subjects.push({ host: term.pattern.kind === "exact" ? term.pattern.name : belowName(term.pattern) });
        break;
      case "word":
      case "set": {
        const set = document.sets.find((one) => one.name === term.ref.name);
        if (set === undefined || set.file !== null) return undefined;
        set.prefixes.forEach(addPrefix);
        break;
      }
      case "country":
      case "public-web":
      case "container":
      case "preset":
        return undefined;
    }
  }
  return subjects;
}

function* subjectPoints(
  entry: AssertEntry,
  who: readonly Subject[],
  sets: readonly IntervalEnds[],
): Generator<Record<string, string>> {
  const key = entry.direction === "inbound" ? "from" : "address";
  for (const subject of who) {
    if ("host" in subject) yield { host: subject.host };
    else yield* addressPoints(subject.first, subject.last, sets, key);
  }
}

function belowName(pattern: { readonly kind: "below"; readonly suffix: Hostname }): string {
  return formatPattern(pattern).replace("*", "any-name");
}

function* addressPoints(
  first: Ip,
  last: Ip,
  sets: readonly IntervalEnds[],
  key: string,
): Generator<Record<string, string>> {
  const low = BigInt(first.value);
  const high = BigInt(last.value);
  const points = new Set<bigint>([low, high]);
  for (const set of sets) {
    const ends = first.family === 4 ? set.v4 : set.v6;
    for (let at = 0; at < ends.first.length && points.size < ASSERT_POINTS_MAX; at += 1) {
      const from = BigInt(ends.first[at] ?? 0);
      const to = BigInt(ends.last[at] ?? 0);
      for (const point of [from - 1n, from, to, to + 1n])
        if (point >= low && point <= high) points.add(point);
    }
  }
  for (const point of points) {
    const bits = first.family === 4 ? 32 : 128;
    const base: Ip = first.family === 4 ? { family: 4, value: Number(point) } : { family: 6, value: point };
    yield { [key]: formatPrefix({ base, bits }) };
  }
}

function portPoints(ranges: readonly PortRange[], policy: ResolvedPolicy): number[] {
  const services = [...policy.inbound, ...(policy.outbound ?? []), ...policy.guards].flatMap(
    (rule) => rule.services,
  );
  const points = new Set(ranges.flatMap((range) => [range.first, range.last]));
  for (const { ports } of services) {
    for (const point of [ports.first - 1, ports.first, ports.last, ports.last + 1]) {
      if (ranges.some((range) => point >= range.first && point <= range.last)) points.add(point);
    }
  }
  return [...points].filter((port) => port >= 1 && port <= 65_535).sort((a, b) => a - b);
}

function error(code: string, message: string, help: string, span: Span): Diagnostic {
  return { code, severity: "error", message, help, span };
}
