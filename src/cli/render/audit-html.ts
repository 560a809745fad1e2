import type { Finding } from "../../core/audit/finding.ts";
import type { AuditReport } from "../../core/audit/report.ts";
import { scoreText } from "../../core/audit/score.ts";
import { plain } from "../../core/base/plain.ts";

/** The audit as one HTML file: no script, nothing from elsewhere, readable on paper and by a screen reader. */
export function auditHtml(report: AuditReport): string {
  const { summary, score, findings, view } = report;
  const taken = new Date(report.takenMs).toISOString();
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Seawall audit ${escape(taken)}</title>
<style>${STYLE}</style></head><body><main>
<h1>Seawall audit</h1>
<p class="verdict ${report.verdict}"><strong>${escape(report.verdict.toUpperCase())}</strong> score ${score.value ?? "-"} of 100</p>
<p>${escape(scoreText(score))}. ${summary.pass} pass, ${summary.fail} fail, ${summary.unknown} unknown, ${summary.notApplicable} do not apply, ${summary.waived} waived. Taken ${escape(taken)}${report.privileged ? "" : ", without root"}.</p>
${view === null ? "" : viewHtml(view)}
${sectionHtml(
  "What fails",
  findings.filter(({ status }) => status === "fail"),
)}
${sectionHtml(
  "What could not be seen",
  findings.filter(({ status }) => status === "unknown"),
)}
<h2>Every check</h2>
<table><thead><tr><th scope="col">check</th><th scope="col">layer</th><th scope="col">status</th><th scope="col">severity</th><th scope="col">title</th></tr></thead><tbody>
${findings.map((finding) => `<tr class="${finding.status}"><td>${escape(finding.id)}</td><td>${finding.layer}</td><td>${finding.waived === null ? finding.status : "waived"}</td><td>${finding.severity}</td><td>${escape(finding.title)}</td></tr>`).join("\n")}
</tbody></table></main></body></html>
`;
}

function viewHtml(view: NonNullable<AuditReport["view"]>): string {
  const items = view.items.map(
    ({ text, status, evidence }) =>
      `<li class="${status}"><strong>${status}</strong> ${escape(text)}<br><code>${escape(evidence[0] ?? "")}</code></li>`,
  );
  return `<h2>${escape(view.title)}</h2><ul>${items.join("\n")}</ul>`;
}

function sectionHtml(title: string, findings: readonly Finding[]): string {
  const body = findings.length === 0 ? "<p>Nothing.</p>" : findings.map(findingHtml).join("\n");
  return `<h2>${title}</h2>\n${body}`;
}

function findingHtml({ id, title, status, severity, why, evidence, fix, waived }: Finding): string {
  const accepted =
    waived === null
      ? ""
      : `<p>Waived until ${escape(waived.expires)} by ${escape(waived.owner)}: ${escape(waived.why)}</p>`;
  return `<article class="${status}"><h3>${escape(id)} <small>${waived === null ? severity : "waived"}</small> ${escape(title)}</h3>
<p>${escape(why)}.</p><ul>${evidence.map((line) => `<li><code>${escape(line)}</code></li>`).join("")}</ul>
${fix === null ? "" : `<p>${status === "unknown" ? "To see it" : "Fix"}: ${codeBlock(fix)}</p>`}${accepted}</article>`;
}

/** The lines of a fix, each as it may be typed. */
function codeBlock(fix: string): string {
  return fix
    .split("\n")
    .map((line) => `<code>${escape(line)}</code>`)
    .join("<br>");
}

/** SECURITY: everything of the host passes here; attributes are never made of it. */
function escape(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return plain(text).replaceAll(/[&<>"']/g, (sign) => entities[sign] ?? "");
}

const STYLE = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:0}main{max-width:60rem;margin:0 auto;padding:1rem}
code{overflow-wrap:anywhere}.verdict{font-size:1.4rem;padding:.5rem 1rem;border-left:.5rem solid #b58900}.exposed,.weak{border-color:#c4161c}.hard,.fair{border-color:#1a7f37}
article{border-left:.3rem solid #888;padding:.1rem 1rem;margin:1rem 0}article.fail{border-color:#c4161c}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.25rem .5rem;border-bottom:1px solid #8884;vertical-align:top}`;
