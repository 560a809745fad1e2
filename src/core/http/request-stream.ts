import { type ByteHold, createByteHold } from "./byte-hold.ts";
import { type ChunkedReader, createChunkedReader } from "./chunked.ts";
import { createHeadReader, type HeadReader, type RequestHead, type RequestProblem } from "./head.ts";

export type StreamStep =
  /** `raw` is a copy of the head as it was sent. */
  | { readonly kind: "head"; readonly head: RequestHead; readonly raw: Uint8Array }
  /** Part of the body as it was sent, chunk framing included: a view of the chunk that was pushed. */
  | { readonly kind: "body"; readonly bytes: Uint8Array }
  /** The request is whole; also after a head without a body. */
  | { readonly kind: "end" }
  /** What follows an accepted upgrade or CONNECT. */
  | { readonly kind: "raw"; readonly bytes: Uint8Array }
  /** Nothing after this is read; no byte behind the wrong one was given out. */
  | { readonly kind: "refused"; readonly problem: RequestProblem };

/** Separates the requests of one client connection, so that every head is judged and no body is read as one. */
export interface RequestStream {
  /** Returns what the chunk completes, in order; after `refused` always nothing. */
  push(chunk: Uint8Array): readonly StreamStep[];
  /**
   * The upgrade (or CONNECT) whose `end` was given was accepted: returns what was held, and from now on
   * everything comes as `raw`.
   */
  upgraded(): readonly StreamStep[];
  /** The upgrade was declined: returns what was held, read as the next requests. */
  declined(): readonly StreamStep[];
}

/** LIMIT: bytes held while an upgrade is undecided: one read of a socket. */
export const HELD_BYTES_MAX = 65_536;

type State =
  | { readonly kind: "head"; readonly reader: HeadReader; seen: number }
  | { readonly kind: "length"; readonly head: RequestHead; left: number }
  | { readonly kind: "chunked"; readonly head: RequestHead; readonly reader: ChunkedReader }
  | { readonly kind: "undecided"; readonly hold: ByteHold }
  | { readonly kind: "raw" }
  | { readonly kind: "refused" };

export function createRequestStream(): RequestStream {
  let state: State = nextHead();

  /** Takes from the chunk what belongs to the present state; returns how many bytes that were. */
  const take = (chunk: Uint8Array, steps: StreamStep[]): number => {
    switch (state.kind) {
      case "head":
        return takeHead(state, chunk, steps);
      case "length": {
        const taken = Math.min(state.left, chunk.length);
        state.left -= taken;
        addBody(steps, chunk.subarray(0, taken));
        if (state.left === 0) finish(state.head, steps);
        return taken;
      }
      case "chunked": {
        const { taken, state: found } = state.reader.push(chunk);
        addBody(steps, chunk.subarray(0, taken));
        if (found === "ended") finish(state.head, steps);
        else if (found !== "open") refuse(found, steps);
        return taken;
      }
      case "undecided": {
        const taken = state.hold.append(chunk);
        if (taken < chunk.length) refuse("too-long", steps);
        return chunk.length;
      }
      case "raw":
        steps.push({ kind: "raw", bytes: chunk });
        return chunk.length;
      case "refused":
        return chunk.length;
    }
  };

  const takeHead = (at: State & { kind: "head" }, chunk: Uint8Array, steps: StreamStep[]): number => {
    const read = at.reader.push(chunk);
    if (read.kind === "refused") refuse(read.problem, steps);
    if (read.kind !== "head") {
      at.seen += chunk.length;
      return chunk.length;
    }
    const { head } = read;
    steps.push({ kind: "head", head, raw: at.reader.raw() });
    if (head.framing.kind === "chunked") state = { kind: "chunked", head, reader: createChunkedReader() };
    else if (head.framing.kind === "length" && head.framing.bytes > 0)
      state = { kind: "length", head, left: head.framing.bytes };
    else finish(head, steps);
    return head.headBytes - at.seen;
  };

  const finish = (head: RequestHead, steps: StreamStep[]): void => {
    steps.push({ kind: "end" });
    const isSwitch = head.upgrade || head.method === "CONNECT";
    state = isSwitch ? { kind: "undecided", hold: createByteHold(HELD_BYTES_MAX) } : nextHead();
  };

  const refuse = (problem: RequestProblem, steps: StreamStep[]): void => {
    steps.push({ kind: "refused", problem });
    state = { kind: "refused" };
  };

  const push = (chunk: Uint8Array): readonly StreamStep[] => {
    const steps: StreamStep[] = [];
    let at = 0;
    while (at < chunk.length) at += take(chunk.subarray(at), steps);
    return steps;
  };

  const decide = (after: State): readonly StreamStep[] => {
    if (state.kind !== "undecided") return [];
    const held = state.hold.bytes();
    state = after;
    return push(held);
  };

  return { push, upgraded: () => decide({ kind: "raw" }), declined: () => decide(nextHead()) };
}

function nextHead(): State {
  return { kind: "head", reader: createHeadReader(), seen: 0 };
}

function addBody(steps: StreamStep[], bytes: Uint8Array): void {
  if (bytes.length > 0) steps.push({ kind: "body", bytes });
}
