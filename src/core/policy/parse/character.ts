import type { Diagnostic } from "../../base/diagnostic.ts";
import { type LineTable, spanOf } from "./position.ts";

export const BOM = "\uFEFF";
const SHOWN_MAX = 20;

// YAML 1.2.2 [1] c-printable, without a CR that ends no line, lone surrogates and what broken UTF-8 becomes.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const NOT_PRINTABLE =
  /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u0084\u0086-\u009F\uFEFF\uFFFD\uFFFE\uFFFF]|\r(?!\n)|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

/** Returns an error for each character that no YAML file may hold (at most 20 of them). */
export function checkCharacters(text: string, table: LineTable): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const match of text.matchAll(NOT_PRINTABLE)) {
    const code = match[0].charCodeAt(0);
    found.push({
      code: "policy/character",
      severity: "error",
      message: `the file holds ${nameOf(code)}, which no text file should`,
      help:
        code === 0 || code === 0xfffd
          ? "the file may be UTF-16, Latin-1 or binary; save it as UTF-8 text"
          : "remove the character",
      span: spanOf(table, match.index, match.index + 1),
    });
    if (found.length >= SHOWN_MAX) break;
  }
  return found;
}

function nameOf(code: number): string {
  if (code === 0) return "a NUL character";
  if (code === 13) return "a carriage return that ends no line";
  if (code === 0xfffd) return "bytes that are not UTF-8";
  return `the character U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}
