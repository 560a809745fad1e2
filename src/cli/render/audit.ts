/** The audit as a person reads it in a minute: verdict, worst first, one sentence, evidence, the fix. */
import type { AuditReport } from "../../core/audit/report.ts";
import type { Finding, FindingStatus, Severity } from "../../core/audit/finding.ts";
import { scoreText } from "../../core/audit/score.ts";
import { plain } from "../../core/base/plain.ts";

export interface ScreenOptions {
  readonly color: boolean;
  /** Every finding, also what passed. */
  readonly all: boolean;
}

/** Lines of evidence of one finding on the screen; `--json` has them all. */
const EVIDENCE_SHOWN = 4;

const SENTENCES: Readonly<Record<AuditReport["verdict"], string>> = {
  exposed: "EXPOSED   something critical is open",
  weak: "WEAK      nothing critical is open, something important is",
  unproven: "UNPROVEN  nothing important was seen open, but not everything could be seen",
  fair: "FAIR      what is important holds; some of the rest does not",
  hard: "HARD      everything that applies holds",
};

export function auditScreen(report: AuditReport, options: ScreenOptions): string {
  const { score, summary, findings } = report;
  const paint = painter(options.color);
  const counts = (Object.entries(summary.failures) as [Severity, number][])
    .filter(([, count]) => count > 0)
    .map(([severity, count]) => `${count} ${severity}`);
  const head = [
    paint(report.verdict === "hard" || report.verdict === "fair" ? "good" : "bad", SENTENCES[report.verdict]),
    `score     ${score.value ?? "-"} of 100: ${scoreText(score)}`,
    `checks    ${summary.pass} pass, ${summary.fail} fail${counts.length === 0 ? "" : ` (${counts.join(", ")})`}, ${summary.unknown} unknown, ${summary.notApplicable} do not apply${summary.waived === 0 ? "" : `, ${summary.waived} waived`}`,
    ...(report.privileged
      ? []
      : [`without root ${summary.unknown} checks could not see what they need: sudo seawall audit`]),
  ];
  const open = findings.filter(({ status, waived }) => status === "fail" && waived === null);
  const grave = open.filter(({ severity }) => severity === "critical" || severity === "high");
  // A screen of trifles hides what matters: they have one line until nothing worse is open.
  const shown = options.all ? findings : grave.length > 0 ? grave : open;
  const blocks = shown.map((finding) => block(finding, paint));
  const rest = options.all ? [] : [...foldedLine(open, shown), ...restOf(findings)];
  return `${[...head, "", ...blocks, ...rest, ...lastLines(findings)].join("\n")}\n`;
}

const MARKS: Readonly<Record<FindingStatus, string>> = {
  fail: "FAIL",
  unknown: "?   ",
  pass: "ok  ",
  "not-applicable": "n/a ",
};

function block(finding: Finding, paint: Painter): string {
  const { status, severity, id, title, why, evidence, fix, waived } = finding;
  const mark = paint(
    status === "fail" && waived === null ? "bad" : status === "pass" ? "good" : "quiet",
    MARKS[status],
  );
  const head = `${mark} ${severity.padEnd(8)} ${id.padEnd(8)} ${title}`;
  const extra =
    evidence.length > EVIDENCE_SHOWN ? [`     ... ${evidence.length - EVIDENCE_SHOWN} more in --json`] : [];
  const seen = evidence
    .slice(0, EVIDENCE_SHOWN)
    .map((line, index) => `     ${index === 0 ? "seen" : "    "} ${plain(line)}`);
  const isTrifle = status === "fail" && (severity === "low" || severity === "info");
  if (status === "pass" || status === "not-applicable" || isTrifle)
    return [head, ...seen.slice(0, 1)].join("\n");
  const reason = status === "fail" ? [`     why  ${why}`] : [];
  const way = fix === null ? [] : fixLines(status === "unknown" ? "see " : "fix ", fix);
  const accepted =
    waived === null
      ? []
      : [`     waived until ${waived.expires} by ${plain(waived.owner)}: ${plain(waived.why)}`];
  return [head, ...reason, ...seen, ...extra, ...way, ...accepted, ""].join("\n");
}

/** A fix of several lines stands as it may be pasted: words are comments of the shell. */
function fixLines(label: string, fix: string): string[] {
  const [first = "", ...rest] = fix.split("\n").map(plain);
  return [`     ${label} ${first}`, ...rest.map((line) => `          ${line}`)];
}

/** Failures that are only counted. */
function foldedLine(open: readonly Finding[], shown: readonly Finding[]): string[] {
  const folded = open.filter((finding) => !shown.includes(finding));
  if (folded.length === 0) return [];
  const counts = (["medium", "low", "info"] as const).flatMap((severity) => {
    const count = folded.filter((finding) => finding.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}`];
  });
  return [`also      ${counts.join(", ")}: seawall audit --all`];
}

/** What is not shown one by one. */
function restOf(findings: readonly Finding[]): string[] {
  const unknown = findings.filter(({ status }) => status === "unknown");
  const waived = findings.filter((finding) => finding.waived !== null);
  const needs = [...new Set(unknown.map(({ fix }) => fix ?? ""))].filter((need) => need !== "");
  const lines: string[] = [];
  if (unknown.length > 0) {
    lines.push(`unknown   ${unknown.map(({ id }) => id).join(" ")}`);
    lines.push(...needs.slice(0, EVIDENCE_SHOWN).map((need) => `          see ${plain(need)}`));
  }
  if (waived.length > 0)
    lines.push(
      `waived    ${waived.map(({ id, waived: by }) => `${id} until ${by?.expires ?? ""}`).join(", ")}`,
    );
  return lines;
}

/** Findings that are named at the end, where the eye is when the screen has scrolled. */
const FIRST_MAX = 3;

/** The worst once more, in the order in which they are safe to mend, and the one command that goes on. */
function lastLines(findings: readonly Finding[]): string[] {
  const open = findings.filter(({ status, waived }) => status === "fail" && waived === null);
  const [worst] = open;
  if (worst === undefined) return [];
  const alike = open.filter(({ severity }) => severity === worst.severity);
  const first = alike.slice(0, FIRST_MAX);
  const order = first.length === alike.length ? "in this order" : `do these ${first.length} first`;
  return [
    `${alike.length} ${worst.severity}, ${alike.length === 1 ? "do this first" : order}:`,
    ...first.map(({ id, title }) => `  ${id.padEnd(8)} ${title}`),
    `Next: seawall checks show ${worst.id}`,
  ];
}

type Painter = (kind: "bad" | "good" | "quiet", text: string) => string;

function painter(color: boolean): Painter {
  const codes = { bad: "31;1", good: "32", quiet: "2" } as const;
  return (kind, text) => (color ? `\u001b[${codes[kind]}m${text}\u001b[0m` : text);
}

/** A checklist with an answer and its evidence for each item. */
export function viewScreen(view: NonNullable<AuditReport["view"]>, options: ScreenOptions): string {
  const paint = painter(options.color);
  const lines = view.items.flatMap(({ text, status, evidence }) => [
    `${paint(status === "fail" ? "bad" : status === "pass" ? "good" : "quiet", MARKS[status])} ${text}`,
    ...evidence
      .slice(0, options.all || status === "fail" ? EVIDENCE_SHOWN : 1)
      .map((line) => `       ${plain(line)}`),
  ]);
  const held = view.items.filter(({ status }) => status === "pass").length;
  return `${[view.title, "", ...lines, "", `${held} of ${view.items.length} hold`].join("\n")}\n`;
}
