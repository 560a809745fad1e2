/** A rule that sends packets on by what a map says of the uid that sends them: `meta skuid vmap { ... }`. */
import { eachAttribute } from "../../../core/event/decode/netlink.ts";
import { fieldsOf, type Span, textOf } from "./dump.ts";

const EXPRESSION = { name: 1, parameters: 2 } as const;
const META_KEY = 2;
/** NFT_META_SKUID. */
const SKUID = 10;
const LOOKUP_SET = 1;
const ELEMENT = { key: 1, data: 2, flags: 3 } as const;
const DATA = { value: 1, verdict: 2 } as const;
const VERDICT_CHAIN = 2;
const FLAG_INTERVAL_END = 1;

/** Returns the name of the map that a rule looks the uid up in, or null for any other rule. */
export function uidMapOf(expressions: Uint8Array): string | null {
  const view = new DataView(expressions.buffer, expressions.byteOffset, expressions.byteLength);
  let asksUid = false;
  let map: string | null = null;
  eachAttribute(view, 0, view.byteLength, (_, from, to) => {
    const fields = fieldsOf(view, from, to);
    const kind = textAt(view, fields.get(EXPRESSION.name));
    const parameters = spanFields(view, fields.get(EXPRESSION.parameters));
    if (kind === "meta") {
      const key = parameters.get(META_KEY);
      asksUid ||= key !== undefined && view.getUint32(key[0], false) === SKUID;
    } else if (kind === "lookup") map = textAt(view, parameters.get(LOOKUP_SET));
  });
  return asksUid ? map : null;
}

/** What one element says: from this key on, or (of a set of intervals) no longer from this key on. */
export interface UidElement {
  readonly key: Uint8Array;
  readonly isEnd: boolean;
  /** Where packets go; empty for the end of an interval. */
  readonly chain: string;
}

/** Returns an element of such a map. */
export function uidElementOf(bytes: Uint8Array): UidElement {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields = fieldsOf(view, 0, view.byteLength);
  const flags = fields.get(ELEMENT.flags);
  const value = spanFields(view, fields.get(ELEMENT.key)).get(DATA.value);
  const verdict = spanFields(view, fields.get(ELEMENT.data)).get(DATA.verdict);
  return {
    key: value === undefined ? new Uint8Array() : bytes.slice(value[0], value[1]),
    isEnd: flags !== undefined && (view.getUint32(flags[0], false) & FLAG_INTERVAL_END) !== 0,
    chain: textAt(view, spanFields(view, verdict).get(VERDICT_CHAIN)),
  };
}

function spanFields(view: DataView, span: Span | undefined): Map<number, Span> {
  return span === undefined ? new Map() : fieldsOf(view, span[0], span[1]);
}

/** A view may begin inside of its buffer. */
function textAt(view: DataView, span: Span | undefined): string {
  if (span === undefined) return "";
  return textOf(new DataView(view.buffer.slice(view.byteOffset + span[0], view.byteOffset + span[1])), [
    0,
    span[1] - span[0],
  ]);
}
