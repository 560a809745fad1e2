import { assert } from "../../base/assert.ts";
import type { Direction, PolicyDocument } from "../document.ts";
import { type ParseOptions, parsePolicy } from "../parse/parse.ts";
import { readYaml } from "../parse/yaml.ts";
import {
  type Change,
  entryOf,
  finish,
  lineEnd,
  lineStart,
  meaning,
  ONE_BRACKET,
  onPolicy,
  refuse,
} from "./change.ts";
import type { PolicyEdit } from "./format.ts";
import { endOfToken, meaningOfNode, tokenTreeOf } from "./source.ts";

/**
 * Returns the text with one rule more at the end of its list. `ruleYaml` is the map of the rule
 * (`allow: ..` and so on, one key a line). Only new lines appear; the result is parsed again and must be
 * the old policy plus that rule. The rule gets an `id` of its own when another rule's derived id would
 * change without it. Refuses text that is no valid policy before or after.
 */
export function addRule(
  text: string,
  direction: Direction,
  ruleYaml: string,
  options: ParseOptions,
): PolicyEdit {
  return onPolicy(text, options, (bare, before) => {
    const rule = ruleYaml.replaceAll("\r\n", "\n").trim();
    const added = appended(bare, before, direction, rule, options);
    if (!added.ok) return added;
    const { document } = parsePolicy(added.text, options);
    const ids = idsOf(before);
    const kept = document !== null && ids.every((id) => idsOf(document).includes(id));
    const id = document?.[direction]?.at(-1)?.id ?? "";
    if (kept && !ids.includes(id)) return added;
    return appended(bare, before, direction, `id: ${freeId(id, ids)}\n${rule}`, options);
  });
}

function idsOf(document: PolicyDocument): string[] {
  return [...document.inbound, ...(document.outbound ?? [])].map(({ id }) => id);
}

function freeId(wanted: string, taken: readonly string[]): string {
  const stem = wanted.replace(/-[0-9]+$/, "").slice(0, 40);
  for (let number = 2; ; number += 1) {
    const id = `${stem}-${number}`;
    if (!taken.includes(id)) return id;
  }
}

function appended(
  bare: string,
  before: PolicyDocument,
  direction: Direction,
  rule: string,
  options: ParseOptions,
): PolicyEdit {
  const ruleNode = readYaml(rule).root;
  if (ruleNode?.kind !== "map") return refuse("edit-rule", "the rule is not a map of keys");
  const changes = addition(bare, direction, rule);
  if (changes === null) return refuse("edit-layout", ONE_BRACKET);
  return finish(bare, changes, options, (after, afterText) => {
    const added = after[direction]?.at(-1);
    assert(added !== undefined, "the added rule is the last of its list");
    const wanted = { ...before, [direction]: [...(before[direction] ?? []), added] };
    assert(meaning(after, false) === meaning(wanted, false), "only one rule was added");
    assert(lastItem(afterText, direction) === meaningOfNode(ruleNode), "the rule is the one given");
  });
}

function lastItem(text: string, direction: Direction): string | null {
  const { root } = readYaml(text);
  const list = root?.kind === "map" ? root.entries.find(({ key }) => key === direction)?.value : undefined;
  const item = list?.kind === "list" ? list.items.at(-1) : undefined;
  return item === undefined ? null : meaningOfNode(item);
}

function indented(rule: string, column: number): string {
  const inner = " ".repeat(column + 2);
  const lines = rule.split("\n").map((line, at) => (at === 0 || line === "" ? line : inner + line));
  return `${" ".repeat(column)}- ${lines.join("\n")}\n`;
}

function addition(text: string, direction: Direction, rule: string): Change[] | null {
  if (tokenTreeOf(text)?.type !== "block-map") return null;
  const entry = entryOf(text, direction);
  if (entry === null) {
    const put = `${direction}:\n${indented(rule, 2)}`;
    return [{ start: text.length, end: text.length, put }];
  }
  const { value } = entry;
  if (value?.type === "block-seq") {
    const dash = value.items[0]?.start.find(({ type }) => type === "seq-item-ind");
    const column = dash === undefined ? 2 : dash.offset - lineStart(text, dash.offset);
    const at = lineEnd(text, Math.max(endOfToken(value) - 1, value.offset));
    return [{ start: at, end: at, put: indented(rule, column) }];
  }
  if (value?.type !== "flow-collection") return null;
  const items = value.items.filter((item) => item.value !== undefined || item.key !== undefined);
  const last = items.at(-1);
  if (last?.value === undefined) {
    const from = text[value.offset - 1] === " " ? value.offset - 1 : value.offset;
    const at = lineEnd(text, endOfToken(value) - 1);
    return [
      { start: from, end: endOfToken(value), put: "" },
      { start: at, end: at, put: indented(rule, 2) },
    ];
  }
  const at = endOfToken(last.value);
  return [{ start: at, end: at, put: `, ${flowText(rule)}` }];
}

/** The rule on one line; the JSON of a value is YAML that means the same. */
function flowText(rule: string): string {
  const { root } = readYaml(rule);
  const write = (node: typeof root): string => {
    if (node === null) return "null";
    if (node.kind === "list") return `[${node.items.map(write).join(", ")}]`;
    if (node.kind === "map") {
      return `{${node.entries.map(({ key, value }) => `${JSON.stringify(key)}: ${write(value)}`).join(", ")}}`;
    }
    return node.type === "text" ? JSON.stringify(node.text) : node.text;
  };
  return write(root);
}
