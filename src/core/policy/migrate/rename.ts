import { CST } from "yaml";
import { type Change, entryOf, keyText, type Pair } from "../edit/change.ts";
import { tokenTreeOf } from "../edit/source.ts";

/** Where keys stand: in the root map, or in each rule of a list. */
export type KeyPlace = "root" | "inbound" | "outbound";

/** Returns the changes that call a key otherwise, in every map of that place which has not the new one as well. */
export function renameKey(text: string, place: KeyPlace, from: string, to: string): Change[] {
  return mapsOf(text, place).flatMap((pairs) => {
    if (pairs.some((pair) => keyText(pair) === to)) return [];
    return pairs.flatMap((pair): Change[] => {
      const { key } = pair;
      if (keyText(pair) !== from || key === null || key === undefined || !("source" in key)) return [];
      return [{ start: key.offset, end: key.offset + key.source.length, put: to }];
    });
  });
}

function mapsOf(text: string, place: KeyPlace): (readonly Pair[])[] {
  const list = place === "root" ? tokenTreeOf(text) : entryOf(text, place)?.value;
  if (list === null || list === undefined) return [];
  if (place === "root") return pairsOf(list);
  if (list.type !== "block-seq" && !isFlowList(list)) return [];
  return list.items.flatMap(({ value }) => (value === undefined ? [] : pairsOf(value)));
}

function pairsOf(token: CST.Token): (readonly Pair[])[] {
  const isMap = token.type === "block-map" || (CST.isCollection(token) && !isList(token));
  return isMap && CST.isCollection(token) ? [token.items] : [];
}

function isList(token: CST.Token): boolean {
  return token.type === "block-seq" || isFlowList(token);
}

function isFlowList(token: CST.Token): token is CST.FlowCollection {
  return token.type === "flow-collection" && token.start.type === "flow-seq-start";
}
