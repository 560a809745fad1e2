import type { CST } from "yaml";
import { assert } from "../../base/assert.ts";
import type { Direction } from "../document.ts";
import { shown } from "../parse/node.ts";
import type { ParseOptions } from "../parse/parse.ts";
import {
  type Change,
  entryOf,
  finish,
  lineEnd,
  lineStart,
  meaning,
  ONE_BRACKET,
  onPolicy,
  type Pair,
  refuse,
} from "./change.ts";
import type { PolicyEdit } from "./format.ts";
import { endOfToken } from "./source.ts";

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
