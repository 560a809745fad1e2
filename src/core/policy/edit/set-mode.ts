import type { CST } from "yaml";
import { assert } from "../../base/assert.ts";
import type { Direction, Mode, PolicyDocument } from "../document.ts";
import type { ParseOptions } from "../parse/parse.ts";
import {
  type Change,
  entryOf,
  finish,
  keyText,
  lineEnd,
  lineStart,
  meaning,
  ONE_BRACKET,
  onPolicy,
  refuse,
} from "./change.ts";
import type { PolicyEdit } from "./format.ts";
import { endOfToken, tokenTreeOf } from "./source.ts";

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
