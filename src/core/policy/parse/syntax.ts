import type { Diagnostic, Span } from "../../base/diagnostic.ts";
import type { LineTable } from "./position.ts";

/** Returns the diagnostic for a syntax error of the YAML reader, in our words where they help more. */
export function syntaxDiagnostic(code: string, message: string, span: Span, table: LineTable): Diagnostic {
  const line = lineText(table, span.line);
  const said = wording(code, message, line);
  return { code: said.code, severity: "error", message: said.message, help: said.help, span };
}

interface Wording {
  readonly code: string;
  readonly message: string;
  readonly help: string | null;
}

function wording(code: string, message: string, line: string): Wording {
  if (code === "TAB_AS_INDENT" || (/^\s*\t/.test(line) && code !== "MISSING_CHAR")) {
    return { code: "policy/tab", message: "a tab is used to indent", help: "indent with spaces" };
  }
  switch (code) {
    case "BAD_INDENT":
      return {
        code: "policy/indent",
        message: "the indentation does not fit the lines above",
        help: "keys of one map and items of one list start in the same column",
      };
    case "MULTIPLE_DOCS":
      return {
        code: "policy/documents",
        message: "the file holds more than one YAML document",
        help: "remove the line `---` (or `...`) and what follows it; one policy is one document",
      };
    case "BLOCK_AS_IMPLICIT_KEY":
    case "MULTILINE_IMPLICIT_KEY":
      return {
        code: "policy/yaml",
        message: "a key has a second `:` or runs over several lines",
        help: "put text that holds `: ` or ends in `:` (such as an IPv6 address) in quotes",
      };
    default:
      return { code: "policy/yaml", message: plain(message), help: helpFor(code) };
  }
}

function helpFor(code: string): string | null {
  if (code === "BAD_SCALAR_START") return "put the value in quotes";
  if (code === "MISSING_CHAR")
    return "check that quotes and brackets are closed and that each key ends in `: `";
  return null;
}

function plain(message: string): string {
  const oneLine = message.replaceAll(/\s+/g, " ").replace(/\.$/, "");
  return oneLine.charAt(0).toLowerCase() + oneLine.slice(1);
}

function lineText(table: LineTable, line: number): string {
  const start = table.starts[line - 1] ?? 0;
  const end = table.starts[line] ?? table.text.length;
  return table.text.slice(start, end);
}
