import { dirname, join } from "node:path";
import { plainMarked } from "../../core/base/plain.ts";
import type { Diagnostic, Severity } from "../../core/base/diagnostic.ts";
import type { DropIn } from "../../core/policy/document.ts";

const LINE_CHARS_MAX = 160;
const RESET = "\u001b[0m";
const BOLD = "\u001b[1m";
const COLOR: Readonly<Record<Severity, string>> = {
  error: "\u001b[31m",
  warning: "\u001b[33m",
  notice: "\u001b[36m",
};

/**
 * Returns diagnostics as people read them: `file:line:column`, the line, a caret line and the help. Text
 * of the file is shown without its control characters, so that it cannot drive the terminal. `dropIns` are
 * the files beside `file`, the main one, that a place may be in.
 */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  text: string,
  file: string,
  color: boolean,
  dropIns: readonly DropIn[] = [],
): string {
  const main = linesOf(text);
  const added = new Map(dropIns.map((dropIn) => [dropIn.file, linesOf(dropIn.text)]));
  return diagnostics
    .map((diagnostic) => {
      const other = diagnostic.span.file;
      if (other === undefined) return renderOne(diagnostic, main, file, color);
      return renderOne(diagnostic, added.get(other) ?? [], join(dirname(file), other), color);
    })
    .join("");
}

function linesOf(text: string): readonly string[] {
  return text.replace(/^\uFEFF/, "").split(/\r?\n/);
}

function renderOne(diagnostic: Diagnostic, lines: readonly string[], file: string, color: boolean): string {
  const { code, severity, message, help, span } = diagnostic;
  const paint = (style: string, words: string): string => (color ? `${style}${words}${RESET}` : words);
  const place = paint(BOLD, `${visible(file)}:${span.line}:${span.column}:`);
  let shown = `${place} ${paint(COLOR[severity], `${severity}:`)} ${visible(message)} [${code}]\n`;
  const line = lines[span.line - 1];
  if (line !== undefined && line !== "") {
    const view = cut(line, span.column, span.length);
    const number = String(span.line);
    shown += `  ${number} | ${view.text}\n`;
    shown += `  ${" ".repeat(number.length)} | ${view.before}${paint(COLOR[severity], view.carets)}\n`;
  }
  if (help !== null) shown += `  help: ${visible(help)}\n`;
  return shown;
}

/** Returns the part of a long line around the span, and what stands before and under the span. */
function cut(line: string, column: number, length: number): { text: string; before: string; carets: string } {
  const start = column - 1;
  const from = line.length > LINE_CHARS_MAX ? Math.max(0, start - LINE_CHARS_MAX / 4) : 0;
  const part = line.slice(from, from + LINE_CHARS_MAX);
  const text = (from > 0 ? "..." : "") + visible(part) + (from + LINE_CHARS_MAX < line.length ? "..." : "");
  const before = " ".repeat(width(part.slice(0, start - from)) + (from > 0 ? 3 : 0));
  const carets = "^".repeat(Math.max(1, width(part.slice(start - from, start - from + length))));
  return { text, before, carets };
}

/** Columns that a text takes: wide East Asian characters take two, combining marks none. */
function width(text: string): number {
  let columns = 0;
  for (const character of visible(text)) {
    if (/\p{Mn}|\p{Me}/u.test(character)) continue;
    columns +=
      /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]/.test(
        character,
      ) || /\p{Extended_Pictographic}/u.test(character)
        ? 2
        : 1;
  }
  return columns;
}

/** SECURITY: what is not to be shown becomes U+FFFD; a tab becomes a space. */
function visible(text: string): string {
  return plainMarked(text.replaceAll("\t", " "), "\uFFFD");
}
