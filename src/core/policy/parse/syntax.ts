import type { YAMLError } from "yaml";
import type { Diagnostic } from "../../base/diagnostic.ts";
import { type LineTable, spanOf } from "./position.ts";
import type { Opening, TokenScan } from "./token.ts";

/**
 * Returns the diagnostic for a syntax error of the YAML reader, in our words where they help more, and at
 * the place of the mistake: an open bracket or quote where it opens, not where the reader gave up.
 */
export function syntaxDiagnostic(error: YAMLError, scan: TokenScan): Diagnostic {
  const { table } = scan;
  const at = skipSpaces(table, error.pos[0]);
  const opening = openingOf(error, scan, at);
  if (opening !== null) return unclosed(opening, table);
  const said = wording(error.code, error.message, lineText(table, at));
  const span = spanOf(table, at, Math.max(at + 1, error.pos[1]));
  return { code: said.code, severity: "error", message: said.message, help: said.help, span };
}

function skipSpaces(table: LineTable, offset: number): number {
  let at = offset;
  while (table.text[at] === " ") at += 1;
  return /[\r\n]/.test(table.text[at] ?? "\n") ? offset : at;
}

function openingOf(error: YAMLError, scan: TokenScan, at: number): Opening | null {
  if (error.message.startsWith("Missing closing")) {
    return scan.openQuotes.findLast((quote) => quote.at <= at) ?? null;
  }
  if (!/ end with a [\]}]$/.test(error.message)) return null;
  return scan.open.findLast((bracket) => bracket.at <= at) ?? null;
}

function unclosed(opening: Opening, table: LineTable): Diagnostic {
  const closing = opening.mark === "[" ? "]" : opening.mark === "{" ? "}" : opening.mark;
  return {
    code: "policy/unclosed",
    severity: "error",
    message: `the \`${opening.mark}\` is not closed`,
    help: `add the \`${closing}\` that ends it`,
    span: spanOf(table, opening.at, opening.at + 1),
  };
}

interface Wording {
  readonly code: string;
  readonly message: string;
  readonly help: string | null;
}

function wording(code: string, message: string, line: string): Wording {
  if (code === "TAB_AS_INDENT" || /^ *\t/.test(line)) {
    return { code: "policy/tab", message: "a tab is used to indent", help: "indent with spaces" };
  }
  if (code === "BAD_INDENT" || message.startsWith("Sequence item without")) {
    return {
      code: "policy/indent",
      message: "the indentation does not fit the lines above",
      help: "keys of one map and items of one list start in the same column",
    };
  }
  if (code === "BLOCK_AS_IMPLICIT_KEY" || code === "MULTILINE_IMPLICIT_KEY") {
    return {
      code: "policy/yaml",
      message: "a key has a second `:` or runs over several lines",
      help: "put text that holds `: ` or ends in `:` (such as an IPv6 address) in quotes",
    };
  }
  if (code === "BAD_SCALAR_START") {
    const mark = message.at(-1) ?? "";
    const shownMark = mark === "`" ? "a backtick" : `\`${mark}\``;
    return {
      code: "policy/yaml",
      message: `the value begins with ${shownMark}, which YAML reserves`,
      help: "put the value in quotes",
    };
  }
  return { code: "policy/yaml", message: plain(message), help: helpFor(code) };
}

function helpFor(code: string): string {
  return code === "MISSING_CHAR"
    ? "check that each key ends in `: ` and each item of a list begins with `- `"
    : "check the line, and the line above it";
}

function plain(message: string): string {
  const oneLine = message.replaceAll(/\s+/g, " ").replace(/\.$/, "");
  return oneLine.charAt(0).toLowerCase() + oneLine.slice(1);
}

function lineText(table: LineTable, offset: number): string {
  const start = table.text.lastIndexOf("\n", offset - 1) + 1;
  const end = table.text.indexOf("\n", offset);
  return table.text.slice(start, end < 0 ? undefined : end);
}
