import { join } from "node:path";
import { CHECKS, checkNamed } from "../../core/audit/check/all.ts";
import { unreachable } from "../../core/base/assert.ts";
import { SeawallError } from "../../core/base/error.ts";
import { LAYERS, SEVERITIES, type Severity } from "../../core/audit/finding.ts";
import { type AuditReport, failsAt, recordOf } from "../../core/audit/report.ts";
import { type View, VIEWS, viewNamed } from "../../core/audit/view.ts";
import { keepRecord } from "../../edge/probe/audit-store.ts";
import { foldersOf } from "../../edge/state/folder.ts";
import { type Command, type CommandContext, NO_WORDS } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { takeReport } from "./audit/take.ts";

const FORMATS = ["text", "json", "markdown", "html", "sarif"] as const;
type Format = (typeof FORMATS)[number];

export const command: Command = {
  path: ["audit"],
  summary: "Check the eight layers of this server, with evidence",
  about:
    "Looks at eight layers of this server by what is in effect, the worst first, each with what was seen and what mends it here. It changes nothing but its own kept results (--no-history: nor those), and never counts as passed what it could not see.",
  usage:
    "seawall audit [--layer L] [--view V] [--check ID] [--fail-on SEVERITY] [-o FORMAT | --json] [--all] [--quick] [--no-history]",
  words: NO_WORDS,
  who: "anybody",
  options: {
    layer: { type: "string" },
    view: { type: "string" },
    check: { type: "string" },
    "fail-on": { type: "string" },
    output: { type: "string", short: "o" },
    json: { type: "boolean" },
    all: { type: "boolean" },
    quick: { type: "boolean" },
    "no-history": { type: "boolean" },
  },
  optionHelp: {
    layer: `one layer or several by comma: ${LAYERS.slice(0, 6).join(", ")} ...`,
    view: `the audit as a checklist: ${VIEWS.map(({ name }) => name).join(", ")}`,
    check: "one check or several by comma: SSH-002",
    "fail-on": "exit 1 from this severity on (default: high), or never",
    output: FORMATS.join(", "),
    json: "the same as -o json",
    all: "show what passes and does not apply, too",
    quick: "leave out OpenClaw's own slow commands unless an earlier answer holds",
    "no-history": "keep nothing of this audit (else in /var/lib/seawall/audit)",
  },
  exits: {
    0: "nothing from --fail-on upwards fails",
    1: "something does",
    2: "bad usage",
    3: "there is no such check",
  },
  places: ["word", "audits", "openclaw", "kernel", "color"],
  examples: [
    "seawall audit",
    "seawall audit --layer ssh,firewall",
    "seawall audit --view checklist",
    "seawall audit -o html >audit.html",
    "seawall audit --json --fail-on critical",
  ],
  seeAlso: ["checks show", "audit diff", "audit waive"],
  offers: {
    layer: { kind: "words", words: LAYERS },
    view: { kind: "word", words: VIEWS.map(({ name }) => name) },
    check: { kind: "words", words: CHECKS.map(({ id }) => id) },
    "fail-on": { kind: "word", words: [...SEVERITIES, "never"] },
    output: { kind: "word", words: FORMATS },
  },
  onlyLooks: true,
  run: async (context) => {
    const format = formatOf(context);
    const failOn = failOnOf(context);
    const view = viewOf(context);
    const checks = chosenChecks(context, view);
    const keep = context.flags["no-history"] !== true;
    const report = await takeReport(context, { checks, view, quick: context.flags["quick"] === true, keep });
    context.out(await shown(report, format, context));
    // Only whole audits are kept: a part would look like a change of the rest.
    if (keep && checks.length === CHECKS.length && process.geteuid?.() === 0)
      sayKept(context, format, keepRecord(foldersOf(context.env).state, recordOf(report)));
    return failOn !== null && failsAt(report, failOn) ? EXIT.findings : EXIT.ok;
  },
};

/** An audit changes nothing of the server; what it keeps for itself is said where a person reads. */
function sayKept(context: CommandContext, format: Format, isKept: boolean): void {
  if (format !== "text" || !isKept) return;
  const folder = join(foldersOf(context.env).state, "audit");
  context.err(`kept in ${folder} for \`seawall audit diff\`; --no-history keeps nothing\n`);
}

async function shown(report: AuditReport, format: Format, context: CommandContext): Promise<string> {
  switch (format) {
    case "text": {
      const { auditScreen, viewScreen } = await import("../render/audit.ts");
      const options = { color: context.color, all: context.flags["all"] === true };
      return report.view === null ? auditScreen(report, options) : viewScreen(report.view, options);
    }
    case "json":
      return (await import("../render/audit-json.ts")).auditJson(report);
    case "markdown":
      return (await import("../render/audit-markdown.ts")).auditMarkdown(report);
    case "html":
      return (await import("../render/audit-html.ts")).auditHtml(report);
    case "sarif":
      return (await import("../render/audit-sarif.ts")).auditSarif(report);
    default:
      return unreachable(format);
  }
}

function formatOf(context: CommandContext): Format {
  const output = textFlag(context, "output");
  if (context.flags["json"] === true) {
    if (output !== undefined && output !== "json")
      throw usage("`--json` and another `-o` cannot both hold", "seawall audit --help");
    return "json";
  }
  const wanted = output === "table" ? "text" : (output ?? "text");
  const format = FORMATS.find((name) => name === wanted);
  if (format === undefined)
    throw usage(`\`-o ${wanted}\` is not ${FORMATS.join(", ")}`, "seawall audit --help");
  return format;
}

function failOnOf(context: CommandContext): Severity | null {
  const wanted = textFlag(context, "fail-on") ?? "high";
  if (wanted === "never") return null;
  const severity = SEVERITIES.find((name) => name === wanted);
  if (severity === undefined)
    throw usage(`\`--fail-on ${wanted}\` is not ${SEVERITIES.join(", ")} or never`, "seawall audit --help");
  return severity;
}

function viewOf(context: CommandContext): View | null {
  const name = textFlag(context, "view");
  if (name === undefined) return null;
  const view = viewNamed(name);
  if (view === undefined)
    throw usage(
      `there is no view \`${name}\``,
      `seawall audit --view ${VIEWS.map((one) => one.name).join("|")}`,
    );
  return view;
}

function chosenChecks(context: CommandContext, view: View | null) {
  const layers = words(context, "layer");
  const ids = words(context, "check");
  for (const layer of layers)
    if (!LAYERS.some((name) => name === layer))
      throw usage(`there is no layer \`${layer}\``, `one of ${LAYERS.join(", ")}`);
  for (const id of ids)
    if (checkNamed(id) === undefined)
      throw new SeawallError("SEAWALL_NOT_FOUND", `there is no check \`${id}\``, {
        help: "seawall checks list",
      });
  const inView = view === null ? null : new Set(view.items.flatMap(({ checks }) => checks));
  const named = new Set(ids.map((id) => id.toUpperCase()));
  return CHECKS.filter(
    ({ id, layer }) =>
      (layers.length === 0 || layers.includes(layer)) &&
      (named.size === 0 || named.has(id)) &&
      (inView === null || inView.has(id)),
  );
}

function words(context: CommandContext, flag: string): string[] {
  return (textFlag(context, flag) ?? "")
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

function textFlag(context: CommandContext, flag: string): string | undefined {
  const value = context.flags[flag];
  return typeof value === "string" ? value : undefined;
}

function usage(message: string, help: string): SeawallError {
  return new SeawallError("SEAWALL_USAGE", message, { help });
}
