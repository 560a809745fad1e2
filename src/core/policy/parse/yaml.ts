import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type Node as YamlNode,
  Parser,
} from "yaml";
import type { CST } from "yaml";
import type { Diagnostic } from "../../base/diagnostic.ts";
import { BOM, checkCharacters } from "./character.ts";
import { describeNode, type MapEntry, type Node, type ScalarNode, shown } from "./node.ts";
import { type LineTable, lineTableOf, spanOf } from "./position.ts";
import { type TokenScan, scanToken, startScan } from "./token.ts";
import { syntaxDiagnostic } from "./syntax.ts";

export interface YamlRead {
  /** Null: nothing could be read, or the file holds no value at all. */
  readonly root: Node | null;
  readonly diagnostics: readonly Diagnostic[];
  /** The first line with broken syntax: values from there on may not be what the user meant. */
  readonly brokenLine: number | null;
}

/**
 * Returns the one YAML 1.2 value (core schema) in `text`, with the place of everything. Refuses tags,
 * anchors, aliases, merge keys, directives, a second document, characters outside c-printable, duplicate
 * keys and deep nesting; never throws. Offsets count without a leading byte order mark. `file` is the drop-in
 * that every place is in, null for the main file.
 */
export function readYaml(source: string, file: string | null = null): YamlRead {
  const text = source.startsWith(BOM) ? source.slice(1) : source;
  const table = lineTableOf(text, file);
  const characters = checkCharacters(text, table);
  if (characters.length > 0) return { root: null, diagnostics: characters, brokenLine: 1 };
  const scan = startScan(table);
  const documents = compose(text, scan);
  const diagnostics: Diagnostic[] = [...scan.diagnostics];
  const [first, second] = documents;
  if (scan.stopped || first === undefined) return { root: null, diagnostics, brokenLine: 1 };
  const syntax = syntaxErrors(first, scan);
  diagnostics.push(...syntax);
  if (second !== undefined) diagnostics.push(secondDocument(second, table));
  const reader: Reader = { table, diagnostics };
  const root = first.contents === null ? null : convert(first.contents, reader);
  const empty = root?.kind === "scalar" && root.type === "null" && root.text === "";
  return { root: empty ? null : root, diagnostics, brokenLine: syntax[0]?.span.line ?? null };
}

function compose(text: string, scan: TokenScan): Document.Parsed[] {
  const parser = new Parser();
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false, schema: "core", version: "1.2" });
  const documents: Document.Parsed[] = [];
  const take = (tokens: Iterable<CST.Token>): void => {
    for (const token of tokens) documents.push(...(composer.next(token) as Iterable<Document.Parsed>));
  };
  try {
    for (const lexeme of new Lexer().lex(text)) {
      scanToken(scan, lexeme);
      if (scan.stopped) return [];
      take(parser.next(lexeme));
    }
    take(parser.end());
    documents.push(...(composer.end(true, text.length) as Iterable<Document.Parsed>));
  } catch (error) {
    scan.stopped = true;
    const code = error instanceof RangeError ? "policy/too-deep" : "policy/yaml";
    const message = "the file cannot be read as YAML";
    scan.diagnostics.push({ code, severity: "error", message, help: null, span: spanOf(scan.table, 0, 1) });
  }
  return documents;
}

/** After so many the reader has lost its way. */
const SYNTAX_ERRORS_MAX = 20;

function syntaxErrors(document: Document.Parsed, scan: TokenScan): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const error of document.errors) {
    const at = error.pos[0];
    // What the token scan has said already is not said twice.
    if (scan.reportedAt.some(([start, end]) => at >= start && at <= end)) continue;
    const diagnostic = syntaxDiagnostic(error, scan);
    const { line, column } = diagnostic.span;
    const said = found.some(({ span }) => span.line === line && span.column === column);
    if (!said) found.push(diagnostic);
    if (found.length >= SYNTAX_ERRORS_MAX) break;
  }
  return found.sort((left, right) => left.span.line - right.span.line);
}

function secondDocument(document: Document.Parsed, table: LineTable): Diagnostic {
  return {
    code: "policy/documents",
    severity: "error",
    message: "the file holds more than one YAML document",
    help: "remove the line `---` (or `...`) and what follows it; one policy is one document",
    span: spanOf(table, Math.min(document.range[0], table.text.length), document.range[0] + 3),
  };
}

interface Reader {
  readonly table: LineTable;
  readonly diagnostics: Diagnostic[];
}

/** Recursion is bounded: the token scan stops a file that nests deeper than its limits. */
function convert(node: YamlNode | null, reader: Reader, emptyAt = 0): Node {
  if (node === null) return nothing(reader, emptyAt, emptyAt);
  const [start, end] = node.range ?? [emptyAt, emptyAt];
  if (isAlias(node)) {
    return { kind: "scalar", type: "text", text: `*${node.source}`, span: spanOf(reader.table, start, end) };
  }
  if (isScalar(node)) return convertScalar(node, reader, start, end);
  if (isSeq(node)) {
    const items = node.items.map((item) => convert(item as YamlNode | null, reader, start));
    return { kind: "list", items, span: spanOf(reader.table, start, end) };
  }
  if (!isMap(node)) return nothing(reader, start, end);
  const entries = convertEntries(node.items, reader, start);
  const first = entries[0];
  const flow = node.flow === true || first === undefined;
  return { kind: "map", entries, span: flow ? spanOf(reader.table, start, end) : first.keySpan };
}

function nothing(reader: Reader, start: number, end: number): ScalarNode {
  return { kind: "scalar", type: "null", text: "", span: spanOf(reader.table, start, end) };
}

function convertScalar(node: YamlNode, reader: Reader, start: number, end: number): ScalarNode {
  const span = spanOf(reader.table, start, end);
  if (!isScalar(node)) return { kind: "scalar", type: "null", text: "", span };
  const { value } = node;
  if (typeof value === "string") return { kind: "scalar", type: "text", text: value, span };
  const text = node.source ?? "";
  if (typeof value === "boolean") return { kind: "scalar", type: "boolean", text, span };
  if (value === null || value === undefined) return { kind: "scalar", type: "null", text, span };
  return { kind: "scalar", type: "number", text, span };
}

interface Pair {
  readonly key: unknown;
  readonly value: unknown;
}

function convertEntries(pairs: readonly Pair[], reader: Reader, start: number): MapEntry[] {
  const entries: MapEntry[] = [];
  const seen = new Map<string, number>();
  for (const pair of pairs) {
    const keyNode = convert(pair.key as YamlNode | null, reader, start);
    const value = convertValue(pair, reader, keyNode);
    const entry = entryOf(keyNode, value, reader);
    if (entry === null) continue;
    const earlier = seen.get(entry.key);
    if (earlier !== undefined) {
      reader.diagnostics.push({
        code: "policy/duplicate-key",
        severity: "error",
        message: `${shown(entry.key)} is given twice`,
        help: `the first is in line ${earlier}; a list keeps several values under one key`,
        span: entry.keySpan,
      });
      continue;
    }
    seen.set(entry.key, entry.keySpan.line);
    entries.push(entry);
  }
  return entries;
}

/** An absent value is shown where its key is. */
function convertValue(pair: Pair, reader: Reader, key: Node): Node {
  const value = convert(pair.value as YamlNode | null, reader);
  const absent = value.kind === "scalar" && value.type === "null" && value.text === "";
  return absent ? { ...value, span: key.span } : value;
}

function entryOf(key: Node, value: Node, reader: Reader): MapEntry | null {
  const diagnose = (code: string, message: string, help: string | null): null => {
    reader.diagnostics.push({ code, severity: "error", message, help, span: key.span });
    return null;
  };
  if (key.kind !== "scalar" || key.type === "null") {
    return diagnose("policy/key", `a key must be a word, not ${describeNode(key)}`, null);
  }
  if (key.text === "<<") {
    return diagnose(
      "policy/merge-key",
      "merge keys are not part of the policy language",
      "write the keys out",
    );
  }
  return { key: key.text, keySpan: key.span, value };
}
