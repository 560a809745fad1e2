import type { Finding } from "../../core/audit/finding.ts";
import type { AuditReport } from "../../core/audit/report.ts";
import { scoreText } from "../../core/audit/score.ts";
import { plain } from "../../core/base/plain.ts";

/** The audit as Markdown, for an issue or a wiki. Text of the host stands in code spans, where nothing is markup. */
export function auditMarkdown(report: AuditReport): string {
  const { summary, score, findings, view } = report;
  const failed = findings.filter(({ status }) => status === "fail");
  const unknown = findings.filter(({ status }) => status === "unknown");
  return [
    "# Seawall audit",
    "",
    `**${report.verdict.toUpperCase()}**, score ${score.value ?? "-"} of 100 (${scoreText(score)}), ${new Date(report.takenMs).toISOString()}${report.privileged ? "" : ", without root"}`,
    "",
    `${summary.pass} pass, ${summary.fail} fail, ${summary.unknown} unknown, ${summary.notApplicable} do not apply, ${summary.waived} waived.`,
    "",
    ...(view === null
      ? []
      : [
          "## " + view.title,
          "",
          ...view.items.map(
            ({ text, status, evidence }) =>
              `- [${status === "pass" ? "x" : " "}] ${text} (${status})${evidence[0] === undefined ? "" : `: ${code(evidence[0])}`}`,
          ),
          "",
        ]),
    "## What fails",
    "",
    ...(failed.length === 0 ? ["Nothing.", ""] : failed.flatMap(section)),
    "## What could not be seen",
    "",
    ...(unknown.length === 0
      ? ["Nothing.", ""]
      : [
          ...unknown.map(
            ({ id, title, evidence, fix }) =>
              `- **${id}** ${title}: ${code(evidence[0] ?? "")} To see it: ${code(fix ?? "")}`,
          ),
          "",
        ]),
    "## Every check",
    "",
    "| check | layer | status | severity | title |",
    "|---|---|---|---|---|",
    ...findings.map(
      ({ id, layer, status, severity, title, waived }) =>
        `| ${id} | ${layer} | ${waived === null ? status : "waived"} | ${severity} | ${title} |`,
    ),
    "",
  ].join("\n");
}

function section({ id, title, severity, why, evidence, fix, waived }: Finding): string[] {
  return [
    `### ${id} (${waived === null ? severity : "waived"}): ${title}`,
    "",
    `${why.slice(0, 1).toUpperCase()}${why.slice(1)}.`,
    "",
    ...evidence.map((line) => `- ${code(line)}`),
    "",
    ...(fix === null ? [] : ["Fix:", "", ...fix.split("\n").map((line) => `- ${code(line)}`), ""]),
    ...(waived === null
      ? []
      : [`Waived until ${waived.expires} by ${code(waived.owner)}: ${code(waived.why)}`, ""]),
  ];
}

/** A code span that no text can leave: fenced by one more backtick than it holds (CommonMark 6.1). */
function code(text: string): string {
  const safe = plain(text);
  const longest = Math.max(0, ...(safe.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  const pad = safe.startsWith("`") || safe.endsWith("`") || safe === "" ? " " : "";
  return `${fence}${pad}${safe}${pad}${fence}`;
}
