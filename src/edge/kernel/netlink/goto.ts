import { eachAttribute } from "../../../core/event/decode/netlink.ts";

const EXPRESSION = { name: 1, parameters: 2 } as const;
const LOOKUP_SET = 1;
const IMMEDIATE_VALUE = 2;
const VALUE_VERDICT = 2;
const VERDICT_CHAIN = 2;

/** A rule that only sends packets on: everything, or what a set holds. */
export interface Goto {
  readonly chain: string;
  readonly set: string | null;
}

/** Returns where a rule goes, or undefined when it does anything else. `meta` only loads what a look-up asks. */
export function gotoOf(expressions: Uint8Array): Goto | undefined {
  const view = new DataView(expressions.buffer, expressions.byteOffset, expressions.byteLength);
  let chain: string | undefined;
  let set: string | null = null;
  let strange = false;
  eachAttribute(view, 0, view.byteLength, (_, from, to) => {
    const expression = new Map<number, readonly [number, number]>();
    eachAttribute(view, from, to, (type, start, end) => void expression.set(type, [start, end]));
    const kind = textAt(view, expression.get(EXPRESSION.name));
    const parameters = expression.get(EXPRESSION.parameters);
    if (kind === "immediate") chain = verdictChain(view, parameters);
    else if (kind === "lookup") set = textAt(view, child(view, parameters, LOOKUP_SET));
    else if (kind !== "meta") strange = true;
  });
  return strange || chain === undefined || chain === "" ? undefined : { chain, set };
}

function verdictChain(view: DataView, parameters: readonly [number, number] | undefined): string {
  const verdict = child(view, child(view, parameters, IMMEDIATE_VALUE), VALUE_VERDICT);
  return textAt(view, child(view, verdict, VERDICT_CHAIN));
}

function child(
  view: DataView,
  span: readonly [number, number] | undefined,
  wanted: number,
): readonly [number, number] | undefined {
  let found: readonly [number, number] | undefined;
  if (span === undefined) return undefined;
  eachAttribute(view, span[0], span[1], (type, from, to) => {
    if (type === wanted) found = [from, to];
  });
  return found;
}

function textAt(view: DataView, span: readonly [number, number] | undefined): string {
  if (span === undefined) return "";
  const bytes = new Uint8Array(view.buffer, view.byteOffset + span[0], span[1] - span[0]);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
