import { noSshUnder } from "../../../apply/no-ssh.ts";
import { type Diagnostic, FILE_START, hasError } from "../../../core/base/diagnostic.ts";
import type { ResolvedPolicy } from "../../../core/policy/resolved.ts";
import { type Command, type CommandContext, SCHEMA } from "../../command.ts";
import { EXIT } from "../../exit-code.ts";
import { checkWritten, readPolicy } from "../../policy.ts";
import { renderDiagnostics } from "../../render/diagnostic.ts";

export const command: Command = {
  path: ["policy", "check"],
  summary: "Check a policy file",
  about:
    "Finds everything wrong with a policy at once, each with its line and what helps, and runs the tests in it. It never changes the file or the kernel.",
  usage: "seawall policy check [FILE] [--here] [--json | -o FORMAT]",
  words: { least: 0, most: 1, shown: "[FILE]" },
  who: "anybody",
  options: {
    here: { type: "boolean" },
    json: { type: "boolean" },
    output: { type: "string", short: "o" },
  },
  optionHelp: {
    here: "look at this machine too, whether SSH gets in (root); so does the installed policy",
    json: "print the diagnostics as JSON",
    output: "table (default) or json",
  },
  exits: {
    0: "no error; there may be warnings",
    2: "bad usage, or an error",
    3: "the file is not there",
    5: "not root, and only root may read the file",
  },
  places: ["policy", "color"],
  examples: ["seawall policy check policy.yaml", "seawall policy check policy.yaml --json"],
  seeAlso: ["policy fmt", "policy migrate", "apply"],
  offers: { output: { kind: "word", words: ["table", "json"] } },
  argument: { kind: "file" },
  run: async (context) => {
    const written = readPolicy(context, context.positionals[0]);
    const { path, text, dropIns } = written;
    const check = checkWritten(written, context.nowMs());
    const isHere = context.flags["here"] === true || context.positionals[0] === undefined;
    const diagnostics = isHere
      ? [...machineDiagnostics(context, check.policy), ...check.diagnostics]
      : check.diagnostics;
    if (context.flags["json"] === true || context.flags["output"] === "json") {
      context.out(`${JSON.stringify(checkReport(diagnostics))}\n`);
    } else {
      context.out(renderDiagnostics(diagnostics, text, path, context.color, dropIns));
      const beside = plural(dropIns.length, "drop-in");
      context.err(`${path}${beside === null ? "" : ` and ${beside}`}: ${summaryOf(diagnostics)}\n`);
    }
    return hasError(diagnostics) ? EXIT.unusable : EXIT.ok;
  },
};

/** What this machine says to a policy. Without root nothing of it is known, which is said. */
function machineDiagnostics(context: CommandContext, policy: ResolvedPolicy | null): readonly Diagnostic[] {
  if (policy === null) return [];
  if (process.geteuid?.() !== 0) {
    context.err("not looked at: whether SSH gets in (that needs root)\n");
    return [];
  }
  const found = noSshUnder(policy, context.nowMs());
  if (found === null) return [];
  return [
    {
      code: "machine/no-ssh",
      severity: "warning",
      message: found.said,
      help: `write under \`inbound:\`: ${found.rule}`,
      span: FILE_START,
    },
  ];
}

export interface CheckReport {
  readonly schema: typeof SCHEMA;
  readonly ok: boolean;
  readonly diagnostics: readonly ReportedDiagnostic[];
}

/** A diagnostic of a drop-in says in which file it is, as `policy.d/NAME`. */
export interface ReportedDiagnostic extends Diagnostic {
  readonly file?: string;
}

/** Returns what `policy check --json` prints. */
export function checkReport(diagnostics: readonly Diagnostic[]): CheckReport {
  return {
    schema: SCHEMA,
    ok: !hasError(diagnostics),
    diagnostics: diagnostics.map(({ code, severity, message, help, span }) => ({
      code,
      severity,
      message,
      help,
      span: { line: span.line, column: span.column, length: span.length },
      ...(span.file === undefined ? {} : { file: span.file }),
    })),
  };
}

function summaryOf(diagnostics: readonly Diagnostic[]): string {
  const count = (severity: string): number =>
    diagnostics.filter((diagnostic) => diagnostic.severity === severity).length;
  const parts = [
    plural(count("error"), "error"),
    plural(count("warning"), "warning"),
    plural(count("notice"), "notice"),
  ].filter((part) => part !== null);
  return parts.length === 0 ? "no problems found" : parts.join(", ");
}

function plural(count: number, word: string): string | null {
  if (count === 0) return null;
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
