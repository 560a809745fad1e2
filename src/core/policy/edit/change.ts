import type { CST } from "yaml";
import { FILE_START } from "../../base/diagnostic.ts";
import type { PolicyDocument } from "../document.ts";
import { BOM } from "../parse/character.ts";
import { type ParseOptions, parsePolicy } from "../parse/parse.ts";
import type { PolicyEdit } from "./format.ts";
import { meaningOf, tokenTreeOf } from "./source.ts";

export const ONE_BRACKET = "the policy is written in one bracket, which is not edited";

/** A replacement of the characters from `start` to `end` (offsets). */
export interface Change {
  readonly start: number;
  readonly end: number;
  readonly put: string;
}

/** The answer to an edit that cannot be made; the place is the whole file. */
export function refuse(code: string, message: string): PolicyEdit {
  const diagnostic = {
    code: `policy/${code}`,
    severity: "error",
    message,
    help: null,
    span: FILE_START,
  } as const;
  return { ok: false, diagnostics: [diagnostic] };
}

/**
 * Parses the policy, has it edited with LF and without a byte order mark, and gives line ends and mark back.
 * Refuses a text that is no valid policy.
 */
export function onPolicy(
  text: string,
  options: ParseOptions,
  edit: (bare: string, before: PolicyDocument) => PolicyEdit,
): PolicyEdit {
  const { document, diagnostics } = parsePolicy(text, options);
  if (document === null) return { ok: false, diagnostics };
  return onBareText(text, (bare) => {
    const edited = edit(completed(bare), document);
    return edited.ok && edited.text === completed(bare) ? { ok: true, text: bare } : edited;
  });
}

/** Has a text edited with LF and without a byte order mark, and gives line ends and mark back. */
export function onBareText(text: string, edit: (bare: string) => PolicyEdit): PolicyEdit {
  const bom = text.startsWith(BOM) ? BOM : "";
  const isCrlf = text.includes("\r\n") && !/(?<!\r)\n/.test(text);
  // A file with both line ends keeps each of them: CRs are then ordinary characters before the LF.
  const body = text.slice(bom.length);
  const edited = edit(isCrlf ? body.replaceAll("\r\n", "\n") : body);
  if (!edited.ok) return edited;
  return { ok: true, text: bom + (isCrlf ? edited.text.replaceAll("\n", "\r\n") : edited.text) };
}

/** Returns the text with the changes made; none may overlap another. */
export function changed(text: string, changes: readonly Change[]): string {
  let result = text;
  for (const { start, end, put } of [...changes].sort((left, right) => right.start - left.start)) {
    result = result.slice(0, start) + put + result.slice(end);
  }
  return result;
}

/** An empty file denies everything in both directions; once it has a key, that has to be written out. */
function completed(bare: string): string {
  const body = bare === "" || bare.endsWith("\n") ? bare : `${bare}\n`;
  if (meaningOf(bare) !== null) return body;
  return `${body.replace(/^(?:---|\.\.\.)[^\n]*\n/gm, "")}version: 1\ninbound: []\noutbound: []\n`;
}

/** Makes the changes, parses the result and has it checked. Refuses what is no valid policy afterwards. */
export function finish(
  bare: string,
  changes: readonly Change[],
  options: ParseOptions,
  check: (after: PolicyDocument, text: string) => void,
): PolicyEdit {
  const text = changed(bare, changes);
  const { document, diagnostics } = parsePolicy(text, options);
  if (document === null) return { ok: false, diagnostics };
  check(document, text);
  return { ok: true, text };
}

/** The document without places, and without ids where derived ones may be numbered anew. */
export function meaning(document: PolicyDocument, withIds: boolean): string {
  return JSON.stringify(document, (key, value: unknown) => {
    if (key === "span" || (key === "id" && !withIds)) return undefined;
    return typeof value === "bigint" ? `${value}n` : value;
  });
}

/** A key with its value, as tokens. */
export type Pair = CST.CollectionItem;

/** The entry of the root map with that key; null when the root is no block map or has no such key. */
export function entryOf(text: string, key: string): Pair | null {
  const root = tokenTreeOf(text);
  if (root?.type !== "block-map") return null;
  return root.items.find((item) => keyText(item) === key) ?? null;
}

/** The text of a key without its quotes. */
export function keyText(item: Pair): string | null {
  const { key } = item;
  if (key === undefined || key === null || !("source" in key)) return null;
  return key.source.replace(/^(["'])(.*)\1$/, "$2");
}

/** The offset of the first character of the line that holds `offset`. */
export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf("\n", offset - 1) + 1;
}

/** The offset behind the line end of the line that holds `offset`. */
export function lineEnd(text: string, offset: number): number {
  const at = text.indexOf("\n", offset);
  return at < 0 ? text.length : at + 1;
}
