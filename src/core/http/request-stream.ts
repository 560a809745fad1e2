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

/**
 * LIMIT: a head is sought in pieces of this size, because what is looked at is copied: many short requests in one
 * chunk would otherwise each copy up to HEAD_BYTES_MAX.
 */
const PIECE_BYTES = 1_024;

type State =
  | { readonly kind: "head"; readonly reader: HeadReader; readonly seen: number }
  | { readonly kind: "length"; readonly head: RequestHead; readonly left: number }
  | { readonly kind: "chunked"; readonly head: RequestHead; readonly reader: ChunkedReader }
  | { readonly kind: "undecided"; readonly hold: ByteHold }
  | { readonly kind: "raw" }
  | { readonly kind: "refused" };

/** How much of a chunk belonged to a state, and the state behind it. */
interface Taken {
  readonly bytes: number;
  readonly state: State;
}

export function createRequestStream(): RequestStream {
  let state: State = nextHead();

  const push = (chunk: Uint8Array): readonly StreamStep[] => {
    const steps: StreamStep[] = [];
    let at = 0;
    while (at < chunk.length) {
      const taken = take(state, chunk.subarray(at), steps);
      state = taken.state;
      at += taken.bytes;
    }
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

/** Takes what belongs to the state; at least one byte, unless it refuses. */
function take(state: State, chunk: Uint8Array, steps: StreamStep[]): Taken {
  switch (state.kind) {
    case "head":
      return takeHead(state, chunk.subarray(0, PIECE_BYTES), steps);
    case "length": {
      const bytes = Math.min(state.left, chunk.length);
      const left = state.left - bytes;
      addBody(steps, chunk.subarray(0, bytes));
      return { bytes, state: left === 0 ? finish(state.head, steps) : { ...state, left } };
    }
    case "chunked": {
      const { taken: bytes, state: found } = state.reader.push(chunk);
      addBody(steps, chunk.subarray(0, bytes));
      if (found === "open") return { bytes, state };
      return { bytes, state: found === "ended" ? finish(state.head, steps) : refuse(found, steps) };
    }
    case "undecided": {
      const bytes = state.hold.append(chunk);
      return { bytes, state: bytes < chunk.length ? refuse("too-long", steps) : state };
    }
    case "raw":
      steps.push({ kind: "raw", bytes: chunk });
      return { bytes: chunk.length, state };
    case "refused":
      return { bytes: chunk.length, state };
  }
}

function takeHead(state: State & { readonly kind: "head" }, chunk: Uint8Array, steps: StreamStep[]): Taken {
  const { reader, seen } = state;
  const read = reader.push(chunk);
  switch (read.kind) {
    case "more":
      return { bytes: chunk.length, state: { kind: "head", reader, seen: seen + chunk.length } };
    case "refused":
      return { bytes: chunk.length, state: refuse(read.problem, steps) };
    case "head": {
      const { head } = read;
      steps.push({ kind: "head", head, raw: reader.raw() });
      return { bytes: head.headBytes - seen, state: bodyOf(head, steps) };
    }
  }
}

function bodyOf(head: RequestHead, steps: StreamStep[]): State {
  if (head.framing.kind === "chunked") return { kind: "chunked", head, reader: createChunkedReader() };
  const left = head.framing.kind === "length" ? head.framing.bytes : 0;
  return left > 0 ? { kind: "length", head, left } : finish(head, steps);
}

function finish(head: RequestHead, steps: StreamStep[]): State {
  steps.push({ kind: "end" });
  const isSwitch = head.upgrade || head.method === "CONNECT";
  return isSwitch ? { kind: "undecided", hold: createByteHold(HELD_BYTES_MAX) } : nextHead();
}

function refuse(problem: RequestProblem, steps: StreamStep[]): State {
  steps.push({ kind: "refused", problem });
  return { kind: "refused" };
}

function nextHead(): State {
  return { kind: "head", reader: createHeadReader(), seen: 0 };
}

function addBody(steps: StreamStep[], bytes: Uint8Array): void {
  if (bytes.length > 0) steps.push({ kind: "body", bytes });
}
