import type { Span } from "../../base/diagnostic.ts";

/** A YAML value with its place; aliases, anchors, tags and duplicate keys have been reported and are gone. */
export type Node = ScalarNode | ListNode | MapNode;

export type ScalarType = "text" | "number" | "boolean" | "null";

export interface ScalarNode {
  readonly kind: "scalar";
  readonly type: ScalarType;
  /** What the user wrote (plain), or the value of a quoted or block scalar. */
  readonly text: string;
  readonly span: Span;
}

export interface ListNode {
  readonly kind: "list";
  readonly items: readonly Node[];
  readonly span: Span;
}

export interface MapEntry {
  readonly key: string;
  readonly keySpan: Span;
  readonly value: Node;
}

export interface MapNode {
  readonly kind: "map";
  readonly entries: readonly MapEntry[];
  readonly span: Span;
}

/** Says in words what a value is, for "expected X, not Y". */
export function describeNode(node: Node): string {
  if (node.kind === "list") return "a list";
  if (node.kind === "map") return "a map";
  switch (node.type) {
    case "text":
      return node.text === "" ? "empty text" : shown(node.text);
    case "null":
      return node.text === "" ? "nothing" : shown(node.text);
    case "boolean":
    case "number":
      return shown(node.text);
  }
}

const SHOWN_CHARS_MAX = 60;

/**
 * Returns what the user wrote in backticks: shortened, control and direction characters escaped, so that a
 * message is one line and cannot disguise itself.
 */
export function shown(text: string): string {
  const short = text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}...` : text;
  const safe = short.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}`]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
  return `\`${safe}\``;
}
