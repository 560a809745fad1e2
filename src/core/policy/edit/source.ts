import { CST, Lexer, Parser } from "yaml";
import type { MapNode, Node } from "../parse/node.ts";
import { readYaml } from "../parse/yaml.ts";

/** A lexeme of the file with its place (offset in UTF-16 units). */
export interface Lexeme {
  readonly type: string;
  readonly source: string;
  readonly offset: number;
}

/** Returns the lexemes of a text; together they are the text. */
export function lexemesOf(text: string): Lexeme[] {
  const lexemes: Lexeme[] = [];
  let offset = 0;
  let scalarNext = false;
  for (const source of new Lexer().lex(text)) {
    const type: string = scalarNext ? "scalar-content" : (CST.tokenType(source) ?? "scalar-content");
    scalarNext = type === "scalar";
    if (type === "scalar" || type === "doc-mode" || type === "flow-error-end") continue;
    lexemes.push({ type, source, offset });
    offset += source.length;
  }
  return lexemes;
}

/** Returns the token tree of the one document in `text`, or null when it holds no value. */
export function tokenTreeOf(text: string): CST.Token | null {
  for (const token of new Parser().parse(text)) {
    if (token.type === "document") return token.value ?? null;
  }
  return null;
}

/** Returns the offset behind the last character of a value, without what follows it (comments, line ends). */
export function endOfToken(token: CST.Token): number {
  switch (token.type) {
    case "block-map":
    case "block-seq": {
      // Comments at the end are items without a key or dash, and are no part of the value.
      const last = token.items.findLast(({ start, key }) => key != null || start.some(isDash));
      if (last === undefined) return token.offset;
      if (last.value !== undefined) return endOfToken(last.value);
      const mark = [...last.start, ...(last.sep ?? [])].findLast(({ type }) => type.endsWith("-ind"));
      return mark === undefined ? token.offset : mark.offset + mark.source.length;
    }
    case "flow-collection": {
      const close = token.end[0];
      return close === undefined ? token.offset : close.offset + close.source.length;
    }
    case "block-scalar": {
      const header = token.props.at(-1);
      const start =
        header === undefined || !("source" in header) ? token.offset : header.offset + header.source.length;
      return start + token.source.replace(/\n+$/, "").length;
    }
    default:
      return "source" in token ? token.offset + token.source.length : token.offset;
  }
}

function isDash(part: CST.SourceToken): boolean {
  return part.type === "seq-item-ind";
}

/** Returns what a text means, without places and quotes, as text to compare; null when it holds no value. */
export function meaningOf(text: string): string | null {
  const { root } = readYaml(text);
  return root === null ? null : meaningOfNode(root);
}

export function meaningOfNode(node: Node): string {
  return JSON.stringify(plainNode(node));
}

function plainNode(node: Node): unknown {
  if (node.kind === "scalar") return [node.type, node.text];
  if (node.kind === "list") return node.items.map(plainNode);
  return plainMap(node);
}

function plainMap(node: MapNode): unknown {
  return { map: node.entries.map(({ key, value }) => [key, plainNode(value)]) };
}

/** Returns the comments of a text in order, without spaces at their ends. */
export function commentsOf(text: string): string[] {
  return lexemesOf(text)
    .filter(({ type }) => type === "comment")
    .map(({ source }) => source.trimEnd());
}
