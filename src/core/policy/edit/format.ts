import { type Diagnostic, hasError } from "../../base/diagnostic.ts";
import { BOM } from "../parse/character.ts";
import { readYaml } from "../parse/yaml.ts";
import { indentLines } from "./indent.ts";
import { commentsOf, lexemesOf, meaningOf } from "./source.ts";

export type PolicyEdit =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/**
 * Returns the text in the common layout: two spaces a level, list items under their key, double quotes
 * where single ones say the same, `*.x` in quotes, no spaces at line ends, no runs of empty lines, LF.
 * Every comment is kept and the meaning is the same; formatting again changes nothing. Refuses text that
 * is broken YAML. What it cannot lay out safely it leaves as it is.
 */
export function formatPolicy(text: string): PolicyEdit {
  const quoted = quote(normalLineEnds(text));
  const { diagnostics } = readYaml(quoted);
  if (hasError(diagnostics)) return { ok: false, diagnostics };
  const formatted = tidyLines(quoted);
  return { ok: true, text: formatted !== null && isSame(quoted, formatted) ? formatted : quoted };
}

function normalLineEnds(text: string): string {
  const bare = text.startsWith(BOM) ? text.slice(1) : text;
  return bare.replaceAll("\r\n", "\n");
}

/** INVARIANT: a layout is only taken when it says the same, keeps every comment, and is stable. */
function isSame(before: string, after: string): boolean {
  if (meaningOf(before) !== meaningOf(after)) return false;
  if (commentsOf(before).join("\n") !== commentsOf(after).join("\n")) return false;
  return !hasError(readYaml(after).diagnostics) && tidyLines(after) === after;
}

/** Puts wildcards that YAML would read as aliases in quotes, and turns plain single quotes into double. */
function quote(text: string): string {
  return lexemesOf(text)
    .map(({ type, source }) => {
      if (type === "alias" && /^\*\*?\.[A-Za-z0-9._-]+$/.test(source)) return `"${source}"`;
      if (type === "single-quoted-scalar" && /^'[^'"\\\n]*'$/.test(source)) return `"${source.slice(1, -1)}"`;
      return source;
    })
    .join("");
}

function tidyLines(text: string): string | null {
  const lines = indentLines(text);
  if (lines === null) return null;
  const kept: string[] = [];
  for (const { text: line, fixed } of lines) {
    const tidy = fixed ? line : line.trimEnd();
    const isRun = tidy === "" && !fixed && (kept.length === 0 || kept.at(-1) === "");
    if (!isRun) kept.push(tidy);
  }
  while (kept.at(-1) === "") kept.pop();
  return kept.length === 0 ? "" : `${kept.join("\n")}\n`;
}
