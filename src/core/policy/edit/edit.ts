import type { CST } from "yaml";
import { assert } from "../../base/assert.ts";
import { FILE_START } from "../../base/diagnostic.ts";
import type { Direction, Mode, PolicyDocument } from "../document.ts";
import { BOM } from "../parse/character.ts";
import { shown } from "../parse/node.ts";
import { type ParseOptions, parsePolicy } from "../parse/parse.ts";
import { readYaml } from "../parse/yaml.ts";
import type { PolicyEdit } from "./format.ts";
import { endOfToken, meaningOf, meaningOfNode, tokenTreeOf } from "./source.ts";

const ONE_BRACKET = "the policy is written in one bracket, which is not edited";

/** A replacement of the characters from `start` to `end` (offsets). */
interface Change {
  readonly start: number;
  readonly end: number;
  readonly put: string;
}

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

/** Returns the text without the rule of that id. Comments above it stay, those inside it go with it. */
export function removeRule(text: string, id: string, options: ParseOptions): PolicyEdit {
  return onPolicy(text, options, (bare, before) => {
    const direction: Direction = before.inbound.some((rule) => rule.id === id) ? "inbound" : "outbound";
    const index = (before[direction] ?? []).findIndex((rule) => rule.id === id);
    if (index < 0) return refuse("edit-unknown-rule", `there is no rule ${shown(id)}`);
    const list = entryOf(bare, direction);
    if (list?.value === undefined) return refuse("edit-layout", ONE_BRACKET);
    const changes = removal(bare, list, list.value, index);
    return finish(bare, changes, options, (after) => {
      const rest = (before[direction] ?? []).filter((_, at) => at !== index);
      const wanted = { ...before, [direction]: rest };
      assert(meaning(after, false) === meaning(wanted, false), "only that rule was removed");
    });
  });
}

/** Returns the text with the mode of one or both directions set. */
export function setMode(
  text: string,
  direction: Direction | "both",
  mode: Mode,
  options: ParseOptions,
): PolicyEdit {
  return onPolicy(text, options, (bare, before) => {
    const wantedMode =
      direction === "both" ? { inbound: mode, outbound: mode } : { ...before.mode, [direction]: mode };
    if (before.mode.inbound === wantedMode.inbound && before.mode.outbound === wantedMode.outbound)
      return { ok: true, text: bare };
    const changes = modeChanges(bare, before.mode, wantedMode);
    if (changes === null) return refuse("edit-layout", ONE_BRACKET);
    return finish(bare, changes, options, (after) => {
      const wanted = { ...before, mode: wantedMode };
      assert(meaning(after, true) === meaning(wanted, true), "only the mode was changed");
    });
  });
}

function refuse(code: string, message: string): PolicyEdit {
  const diagnostic = {
    code: `policy/${code}`,
    severity: "error",
    message,
    help: null,
    span: FILE_START,
  } as const;
  return { ok: false, diagnostics: [diagnostic] };
}

/** Parses before, edits with LF and without a byte order mark, and gives both back afterwards. */
function onPolicy(
  text: string,
  options: ParseOptions,
  edit: (bare: string, before: PolicyDocument) => PolicyEdit,
): PolicyEdit {
  const { document, diagnostics } = parsePolicy(text, options);
  if (document === null) return { ok: false, diagnostics };
  const bom = text.startsWith(BOM) ? BOM : "";
  const isCrlf = text.includes("\r\n") && !/(?<!\r)\n/.test(text);
  // A file with both line ends keeps each of them: CRs are then ordinary characters before the LF.
  const body = text.slice(bom.length);
  const bare = isCrlf ? body.replaceAll("\r\n", "\n") : body;
  const edited = edit(completed(bare), document);
  if (!edited.ok) return edited;
  const result = edited.text === completed(bare) ? bare : edited.text;
  return { ok: true, text: bom + (isCrlf ? result.replaceAll("\n", "\r\n") : result) };
}

/** An empty file denies everything in both directions; once it has a key, that has to be written out. */
function completed(bare: string): string {
  const body = bare === "" || bare.endsWith("\n") ? bare : `${bare}\n`;
  if (meaningOf(bare) !== null) return body;
  return `${body.replace(/^(?:---|\.\.\.)[^\n]*\n/gm, "")}version: 1\ninbound: []\noutbound: []\n`;
}

function finish(
  bare: string,
  changes: readonly Change[],
  options: ParseOptions,
  check: (after: PolicyDocument, text: string) => void,
): PolicyEdit {
  let text = bare;
  for (const { start, end, put } of [...changes].sort((left, right) => right.start - left.start)) {
    text = text.slice(0, start) + put + text.slice(end);
  }
  const { document, diagnostics } = parsePolicy(text, options);
  if (document === null) return { ok: false, diagnostics };
  check(document, text);
  return { ok: true, text };
}

/** The document without places, and without ids where derived ones may be numbered anew. */
function meaning(document: PolicyDocument, withIds: boolean): string {
  return JSON.stringify(document, (key, value: unknown) => {
    if (key === "span" || (key === "id" && !withIds)) return undefined;
    return typeof value === "bigint" ? `${value}n` : value;
  });
}

function lastItem(text: string, direction: Direction): string | null {
  const { root } = readYaml(text);
  const list = root?.kind === "map" ? root.entries.find(({ key }) => key === direction)?.value : undefined;
  const item = list?.kind === "list" ? list.items.at(-1) : undefined;
  return item === undefined ? null : meaningOfNode(item);
}

type Pair = CST.CollectionItem;

/** The entry of the root map with that key; null when the root is no block map or has no such key. */
function entryOf(text: string, key: string): Pair | null {
  const root = tokenTreeOf(text);
  if (root?.type !== "block-map") return null;
  return root.items.find((item) => keyText(item) === key) ?? null;
}

function keyText(item: Pair): string | null {
  const { key } = item;
  if (key === undefined || key === null || !("source" in key)) return null;
  return key.source.replace(/^(["'])(.*)\1$/, "$2");
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf("\n", offset - 1) + 1;
}

/** The offset behind the line end of the line that holds `offset`. */
function lineEnd(text: string, offset: number): number {
  const at = text.indexOf("\n", offset);
  return at < 0 ? text.length : at + 1;
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

function removal(text: string, entry: Pair, list: CST.Token, index: number): Change[] {
  if (list.type === "block-seq") return blockRemoval(text, entry, list, index);
  assert(list.type === "flow-collection", "a list of rules is a sequence");
  const items = list.items.filter((item) => item.value !== undefined);
  const value = items[index]?.value;
  assert(value !== undefined, "the rule has its item");
  const before = items[index - 1]?.value;
  const after = items[index + 1]?.value;
  if (before !== undefined) return [{ start: endOfToken(before), end: endOfToken(value), put: "" }];
  if (after !== undefined) return [{ start: value.offset, end: after.offset, put: "" }];
  const comma = /^\s*,/.exec(text.slice(endOfToken(value)))?.[0].length ?? 0;
  return [{ start: value.offset, end: endOfToken(value) + comma, put: "" }];
}

function blockRemoval(text: string, entry: Pair, list: CST.BlockSequence, index: number): Change[] {
  const items = list.items.filter((item) => item.start.some(({ type }) => type === "seq-item-ind"));
  const item = items[index];
  const dash = item?.start.find(({ type }) => type === "seq-item-ind");
  assert(item?.value !== undefined && dash !== undefined, "the rule has its item");
  const start = lineStart(text, dash.offset);
  const end = lineEnd(text, endOfToken(item.value) - 1);
  const changes: Change[] = [{ start, end, put: "" }];
  if (items.length > 1) return changes;
  const colon = entry.sep?.find(({ type }) => type === "map-value-ind");
  assert(colon !== undefined, "a key has its colon");
  return [...changes, { start: colon.offset + 1, end: colon.offset + 1, put: " []" }];
}

type Modes = PolicyDocument["mode"];

function modeChanges(text: string, before: Modes, wanted: Modes): Change[] | null {
  if (tokenTreeOf(text)?.type !== "block-map") return null;
  const entry = entryOf(text, "mode");
  if (entry === null) {
    const version = entryOf(text, "version");
    const at = version?.value === undefined ? 0 : lineEnd(text, endOfToken(version.value) - 1);
    return [{ start: at, end: at, put: `mode: ${modeText(wanted)}\n` }];
  }
  const { value } = entry;
  if (value === undefined) return null;
  if (value.type !== "block-map" && value.type !== "flow-collection") {
    return [{ start: value.offset, end: endOfToken(value), put: modeText(wanted) }];
  }
  const changes: Change[] = [];
  for (const direction of ["inbound", "outbound"] as const) {
    if (before[direction] === wanted[direction]) continue;
    const given = value.items.find((item) => keyText(item) === direction)?.value;
    changes.push(
      given === undefined
        ? newModeKey(text, value, `${direction}: ${wanted[direction]}`)
        : { start: given.offset, end: endOfToken(given), put: wanted[direction] },
    );
  }
  return changes;
}

function modeText({ inbound, outbound }: Modes): string {
  return inbound === outbound ? inbound : `{inbound: ${inbound}, outbound: ${outbound}}`;
}

function newModeKey(text: string, map: CST.BlockMap | CST.FlowCollection, put: string): Change {
  if (map.type === "block-map") {
    const key = map.items[0]?.key;
    const offset = key?.offset ?? map.offset;
    const at = lineEnd(text, endOfToken(map) - 1);
    return { start: at, end: at, put: `${" ".repeat(offset - lineStart(text, offset))}${put}\n` };
  }
  const last = map.items.findLast((item) => item.value !== undefined)?.value;
  const at = last === undefined ? map.offset + 1 : endOfToken(last);
  return { start: at, end: at, put: last === undefined ? put : `, ${put}` };
}
